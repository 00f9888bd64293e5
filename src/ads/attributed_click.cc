#include "ads/attributed_click.h"

namespace adbrook::ads {

void encode(const AttributedClick& click, Buffer& to) {
  const std::size_t begin = to.size();
  to.resize(begin + kValueHeaderSize + 32 + serde::avro_size(click.timestamp.ms) +
            serde::avro_size(click.impression_timestamp.ms) + avro_size(click.under));
  write_value_header(to.data() + begin, kAttributedClickSchemaId);
  serde::AvroWriter out{std::span<std::byte>(to).subspan(begin + kValueHeaderSize)};
  write(out, click.id);
  out.write_long(click.timestamp.ms);
  write(out, click.impression_id);
  out.write_long(click.impression_timestamp.ms);
  write(out, click.under);
}

Result<AttributedClick> read_attributed_click(ByteView value) {
  const auto body = value_body(value, kAttributedClickSchemaId);
  if (!body) return fail(ErrorKind::corrupt, "attributed click: the value has another schema id");
  serde::AvroReader in(*body);
  AttributedClick click{.id = read_uuid(in), .timestamp = {in.read_long()}};
  click.impression_id = read_uuid(in);
  click.impression_timestamp = {in.read_long()};
  read(in, click.under);
  if (!in.done()) return fail(ErrorKind::corrupt, "attributed click: the value does not parse");
  return click;
}

}  // namespace adbrook::ads
