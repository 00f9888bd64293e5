#include "ads/event_extra.h"

namespace adbrook::ads {

ByteView encode_extra(std::span<const ExtraField> fields, EventText& text) {
  if (fields.empty()) return {};
  const auto count = static_cast<std::int64_t>(fields.size());
  std::size_t size = serde::avro_size(count) + 1;
  for (const ExtraField& field : fields)
    size += serde::avro_size(field.name) + serde::avro_size(field.value);
  const std::span<std::byte> encoded(reinterpret_cast<std::byte*>(text.room(size)), size);
  serde::AvroWriter out(encoded);
  out.write_long(count);
  for (const ExtraField& field : fields) {
    out.write_string(field.name);
    out.write_string(field.value);
  }
  out.write_long(0);
  return encoded;
}

std::optional<ExtraField> ExtraReader::next() {
  if (ended_) return std::nullopt;
  if (left_in_block_ == 0) {
    left_in_block_ = in_.read_block_count(2);  // a name and a value of at least a byte each
    ended_ = left_in_block_ == 0;
    if (ended_) return std::nullopt;
  }
  const ExtraField field{in_.read_string_view(), in_.read_string_view()};
  ended_ = !in_.ok();
  if (ended_) return std::nullopt;
  --left_in_block_;
  return field;
}

}  // namespace adbrook::ads
