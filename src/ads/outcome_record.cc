#include "ads/outcome_record.h"

namespace adbrook::ads {
namespace {

std::optional<std::int64_t> ms(std::optional<Timestamp> time) {
  return time ? std::optional(time->ms) : std::nullopt;
}
std::optional<Timestamp> time(std::optional<std::int64_t> value) {
  return value ? std::optional(Timestamp{*value}) : std::nullopt;
}

void write_optional(serde::AvroWriter& to, const std::optional<Uuid>& id) {
  to.write_union_branch(id ? 1 : 0);
  if (id) write(to, *id);
}
std::optional<Uuid> read_optional_uuid(serde::AvroReader& from) {
  if (!from.read_present()) return std::nullopt;
  return read_uuid(from);
}

std::size_t body_size(const OutcomeRecord& record) {
  return (record.id ? 17 : 1) + serde::avro_size(record.topic) +
         serde::avro_size(std::int64_t{record.partition}) + serde::avro_size(record.offset.value) +
         serde::avro_size(ms(record.timestamp)) + serde::avro_size(record.outcome) +
         text_or_null_size(record.reason) + (record.impression_id ? 17 : 1) +
         serde::avro_size(ms(record.impression_timestamp));
}

}  // namespace

void encode(const OutcomeRecord& record, Buffer& to) {
  const std::size_t begin = to.size();
  to.resize(begin + kValueHeaderSize + body_size(record));
  write_value_header(to.data() + begin, kOutcomeSchemaId);
  serde::AvroWriter out{std::span<std::byte>(to).subspan(begin + kValueHeaderSize)};
  write_optional(out, record.id);
  out.write_string(record.topic);
  out.write_long(record.partition);
  out.write_long(record.offset.value);
  out.write_optional(ms(record.timestamp));
  out.write_string(record.outcome);
  write_text_or_null(out, record.reason);
  write_optional(out, record.impression_id);
  out.write_optional(ms(record.impression_timestamp));
}

Result<OutcomeRecord> read_outcome(ByteView value) {
  const auto body = value_body(value, kOutcomeSchemaId);
  if (!body) return fail(ErrorKind::corrupt, "outcome: the value has another schema id");
  serde::AvroReader in(*body);
  OutcomeRecord record{.id = read_optional_uuid(in), .topic = in.read_string_view()};
  record.partition = in.read_int();
  record.offset = {in.read_long()};
  record.timestamp = time(in.read_optional_long());
  record.outcome = in.read_string_view();
  record.reason = read_text_or_null(in);
  record.impression_id = read_optional_uuid(in);
  record.impression_timestamp = time(in.read_optional_long());
  if (!in.done()) return fail(ErrorKind::corrupt, "outcome: the value does not parse");
  return record;
}

}  // namespace adbrook::ads
