#include "app/dead_letter_body.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace adbrook::app {
namespace {

using ads::Checked;
using ads::Reason;

constexpr std::size_t kReasonSizeMax = 64;
constexpr std::size_t kDetailSizeMax = 300;

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

std::optional<Buffer> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  Buffer out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out.push_back(static_cast<std::byte>(bits >> bit_count));
  }
  return out;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kReasonSizeMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Checked<void> put_text(const serde::JsonField& field, std::string& to) {
  const auto text = field.value.string();
  if (!text)
    return std::unexpected(ads::refuse(field.key, Reason::wrong_type, field.value.raw, "text"));
  if (text->size() > kLetterTextSizeMax)
    return std::unexpected(ads::refuse(field.key, Reason::too_long, *text, "at most 1024 bytes"));
  to = *text;
  return {};
}

Checked<void> put_bytes(const serde::JsonField& field, OwnedLetter& letter) {
  const auto text = field.value.string();
  if (!text)
    return std::unexpected(ads::refuse(field.key, Reason::wrong_type, field.value.raw, "text"));
  auto bytes = field.key == "text" ? Buffer(as_bytes(*text).begin(), as_bytes(*text).end())
                                   : base64_decode(*text);
  if (!bytes) return std::unexpected(ads::refuse(field.key, Reason::wrong_type, *text, "base64"));
  if (bytes->size() > kLetterBytesSizeMax)
    return std::unexpected(ads::refuse(field.key, Reason::too_long, {}, "at most 1 MiB"));
  letter.bytes = std::move(*bytes);
  return {};
}

Checked<void> put_line(const serde::JsonField& field, OwnedLetter& letter) {
  const auto line = field.value.integer();
  if (!line || *line < 0)
    return std::unexpected(
        ads::refuse(field.key, Reason::wrong_type, field.value.raw, "a whole number from 0 on"));
  letter.line = *line;
  return {};
}

Checked<void> put(const serde::JsonField& field, OwnedLetter& letter) {
  if (field.key == "source") return put_text(field, letter.source);
  if (field.key == "reason") return put_text(field, letter.reason);
  if (field.key == "field") return put_text(field, letter.field);
  if (field.key == "detail") return put_text(field, letter.detail);
  if (field.key == "line") return put_line(field, letter);
  if (field.key == "bytes" || field.key == "text") return put_bytes(field, letter);
  return std::unexpected(
      ads::refuse(field.key, Reason::unknown_field, {},
                  "a dead letter has source, line, reason, field, detail and bytes (or text)"));
}

}  // namespace

ads::DeadLetter OwnedLetter::view() const {
  return {.source = source,
          .place = line,
          .reason = reason,
          .field = field,
          .detail = detail,
          .bytes = bytes};
}

Checked<OwnedLetter> read_letter(const serde::JsonElement& element) {
  if (!element.fields)
    return std::unexpected(ads::Refusal{
        {}, Reason::unreadable, printable(element.fields.error().message, kDetailSizeMax)});
  OwnedLetter letter;
  bool has_bytes = false;
  for (const serde::JsonField& field : *element.fields) {
    if (auto done = put(field, letter); !done) return std::unexpected(std::move(done.error()));
    has_bytes = has_bytes || field.key == "bytes" || field.key == "text";
  }
  if (letter.source.empty())
    return std::unexpected(ads::refuse("source", Reason::missing_field, {}, "required"));
  if (!is_word(letter.reason))
    return std::unexpected(
        ads::refuse("reason", Reason::wrong_type, letter.reason, "a word like bad_time"));
  if (!has_bytes)
    return std::unexpected(ads::refuse("bytes", Reason::missing_field, {}, "required"));
  return letter;
}

}  // namespace adbrook::app
