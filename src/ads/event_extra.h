// The extra fields of an event: an encoded Avro map of text that stays encoded from edge to log.
// These functions write one and walk one; the bytes are those of field `extra` in the schemas.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "ads/event_text.h"
#include "base/bytes.h"
#include "serde/avro_wire.h"

namespace adbrook::ads {

struct ExtraField {
  std::string_view name;
  std::string_view value;
};

// The map of these fields, kept in `text`; empty for none.
ByteView encode_extra(std::span<const ExtraField> fields, EventText& text);

// Walks an encoded map, field by field. Foreign writers may split it into blocks, with or without
// their sizes; both are understood.
class ExtraReader {
 public:
  explicit ExtraReader(ByteView encoded) : in_(encoded), ended_(encoded.empty()) {}

  // The next field, or nothing at the end or at the first damage: ask ok() which.
  std::optional<ExtraField> next();
  bool ok() const { return in_.ok(); }
  // The size of the encoded map, once next() has given nothing and ok() holds.
  std::size_t position() const { return in_.position(); }

 private:
  serde::AvroReader in_;
  std::size_t left_in_block_ = 0;
  bool ended_;
};

}  // namespace adbrook::ads
