#include "serde/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace adbrook::serde {
namespace {

constexpr std::string_view kReplacement = "\\ufffd";

// Bytes that go out as they are: printable ASCII but for quotes, backslashes and slashes.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int byte = 0x20; byte < 0x7F; ++byte)
    plain[static_cast<std::size_t>(byte)] = byte != '"' && byte != '\\' && byte != '/';
  return plain;
}();

// The short escapes that people know; \u00XX for the rest.
void append_control(std::string& out, std::uint8_t byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

// One character of two bytes or more, or the replacement. Returns the bytes taken.
std::size_t append_wide(std::string& out, std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  const std::string_view character = text.substr(0, size);
  if (character.size() < size || !is_valid_utf8(character)) {
    out += kReplacement;
    return 1;
  }
  // The line and paragraph separators end a line of a script.
  if (character == "\u2028") {
    out += "\\u2028";
  } else if (character == "\u2029") {
    out += "\\u2029";
  } else {
    out += character;
  }
  return size;
}

}  // namespace

// Plain runs are copied at once; most texts are one run.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t from = at;
    while (at < text.size() && kPlain[static_cast<std::uint8_t>(text[at])]) ++at;
    out.append(text, from, at - from);
    if (at == text.size()) break;
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte >= 0x80) {
      at += append_wide(out, text.substr(at));
      continue;
    }
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += static_cast<char>(byte);
    } else if (byte == '/') {
      out += at > 0 && text[at - 1] == '<' ? "\\/" : "/";
    } else {
      append_control(out, byte);
    }
    ++at;
  }
  out += '"';
}

void JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  needs_comma_ = false;
}

void JsonWriter::string(std::string_view text) {
  separate();
  append_json_string(out_, text);
}

void JsonWriter::integer(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  literal({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void JsonWriter::unsigned_integer(std::uint64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  literal({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

// JSON has no word for what is not finite; null says "no number".
void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  literal({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace adbrook::serde
