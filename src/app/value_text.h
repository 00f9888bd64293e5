// A record's value as people see it: Avro with the registry's header as JSON, anything else as it
// is. Knows the schemas of every topic that adbrook writes.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "app/record_format.h"
#include "base/bytes.h"
#include "serde/avro_codec.h"

namespace adbrook::app {

// Owned by one thread.
class ValueText {
 public:
  // The text stays valid until the next call and as long as `value`. A value whose header names an
  // unknown schema, or that does not fit its schema, is shown as it is.
  ShownValue show(const std::optional<ByteView>& value);

 private:
  // The decoder of a built-in schema, made at its first use; null when the id is unknown.
  const serde::AvroDecoder* decoder(std::int32_t id);

  std::map<std::int32_t, std::optional<serde::AvroDecoder>> decoders_;
  std::string text_;
};

}  // namespace adbrook::app
