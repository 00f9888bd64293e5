#include "ads/dead_letter.h"

#include <string>

#include "base/hash.h"

namespace adbrook::ads {

void encode(const DeadLetter& letter, Buffer& to) {
  const std::size_t begin = to.size();
  to.resize(begin + kValueHeaderSize + serde::avro_size(letter.source) +
            serde::avro_size(letter.place) + serde::avro_size(letter.reason) +
            text_or_null_size(letter.field) + serde::avro_size(letter.detail) +
            serde::avro_size(as_text(letter.bytes)));
  write_value_header(to.data() + begin, kDeadLetterSchemaId);
  serde::AvroWriter out{std::span<std::byte>(to).subspan(begin + kValueHeaderSize)};
  out.write_string(letter.source);
  out.write_long(letter.place);
  out.write_string(letter.reason);
  write_text_or_null(out, letter.field);
  out.write_string(letter.detail);
  out.write_bytes(letter.bytes);
}

Result<DeadLetter> read_dead_letter(ByteView value) {
  const auto body = value_body(value, kDeadLetterSchemaId);
  if (!body) return fail(ErrorKind::corrupt, "dead letter: the value has another schema id");
  serde::AvroReader in(*body);
  DeadLetter letter{.source = in.read_string_view(), .place = in.read_long()};
  letter.reason = in.read_string_view();
  letter.field = read_text_or_null(in);
  letter.detail = in.read_string_view();
  letter.bytes = in.read_bytes();
  if (!in.done()) return fail(ErrorKind::corrupt, "dead letter: the value does not parse");
  return letter;
}

void encode(const DeadLetterRedrive& redrive, Buffer& to) {
  constexpr std::size_t kIdSize = 16;
  const std::size_t begin = to.size();
  to.resize(begin + kValueHeaderSize + serde::avro_size(redrive.topic) + kIdSize);
  write_value_header(to.data() + begin, kDeadLetterRedriveSchemaId);
  serde::AvroWriter out{std::span<std::byte>(to).subspan(begin + kValueHeaderSize)};
  out.write_string(redrive.topic);
  write(out, redrive.event);
}

Result<DeadLetterRedrive> read_dead_letter_redrive(ByteView value) {
  const auto body = value_body(value, kDeadLetterRedriveSchemaId);
  if (!body) return fail(ErrorKind::corrupt, "dead letter redrive: the value has another schema");
  serde::AvroReader in(*body);
  DeadLetterRedrive redrive{.topic = in.read_string_view()};
  redrive.event = read_uuid(in);
  if (!in.done()) return fail(ErrorKind::corrupt, "dead letter redrive: the value does not parse");
  return redrive;
}

Uuid dead_letter_id(const DeadLetter& letter) {
  std::string place = std::string(letter.source) + ":" + std::to_string(letter.place) + ":";
  Buffer all(as_bytes(place).begin(), as_bytes(place).end());
  append(all, letter.bytes);
  const std::uint64_t high = xxh3(all);
  append_le(all, high);
  return {high, xxh3(all)};
}

}  // namespace adbrook::ads
