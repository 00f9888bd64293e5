// Decodes and encodes values of any Avro schema, also when the reader's schema differs from the
// writer's. Every number from the bytes has a limit before it is used.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "serde/avro_resolution.h"
#include "serde/avro_schema.h"
#include "serde/avro_value.h"
#include "serde/avro_wire.h"

namespace adbrook::serde {

struct AvroLimits {
  std::size_t depth_max = 64;  // of values in each other
  // A value may take this much memory per byte that is left to read, and so much on top.
  std::size_t memory_per_byte = 4;
  Bytes memory_base = 64_KiB;
};

// Immutable; any number of threads may decode.
class AvroDecoder {
 public:
  // Values are read as they were written.
  static Result<AvroDecoder> create(std::shared_ptr<const AvroSchema> schema,
                                    AvroLimits limits = {});
  // invalid when the schemas do not fit each other.
  static Result<AvroDecoder> create(std::shared_ptr<const AvroSchema> writer,
                                    std::shared_ptr<const AvroSchema> reader,
                                    AvroLimits limits = {});

  const AvroSchema& schema() const { return resolution_.reader(); }

  // One value that takes all bytes. corrupt: the bytes are no such value; invalid: a value that the
  // reader's schema cannot hold; overloaded: a limit.
  Result<AvroValue> decode(ByteView bytes) const;
  // The next of several values.
  Result<AvroValue> decode_next(AvroReader& from) const;

 private:
  AvroDecoder(AvroResolution resolution, AvroLimits limits)
      : resolution_(std::move(resolution)), limits_(limits) {}

  AvroResolution resolution_;
  AvroLimits limits_;
};

// Appends the value's bytes. invalid, with the path, when the value is none of this schema; `to`
// is then as it was.
Result<void> append_avro(Buffer& to, const AvroSchema& schema, const AvroValue& value);

}  // namespace adbrook::serde
