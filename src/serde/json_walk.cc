#include "serde/json_walk.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/text.h"
#include "serde/json_flat.h"

namespace adbrook::serde {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

struct Place {
  std::size_t position;
  const char* why;
};

// What simdjson refused as a whole: the first byte that is at fault, by a slow walk.
Place find_bad_byte(std::string_view text) {
  bool in_string = false;
  std::size_t string_at = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte >= 0x80) {
      const std::size_t size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      if (!is_valid_utf8(text.substr(at, size))) return {at, "broken UTF-8"};
      at += size;
      continue;
    }
    if (in_string && byte < 0x20) return {at, "a control character in a string"};
    if (text[at] == '"') {
      in_string = !in_string;
      string_at = at;
    }
    at += in_string && byte == '\\' ? 2 : 1;
  }
  if (in_string) return {string_at, "a string that does not end"};
  return {0, "not JSON"};
}

// Four hex digits, or -1.
int read_hex4(std::string_view digits) {
  if (digits.size() < 4) return -1;
  int value = 0;
  for (const char c : digits.substr(0, 4)) {
    const int digit = is_digit(c)              ? c - '0'
                      : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                      : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                               : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The caller has four bytes there; an escape that needs them was at least six.
char* write_utf8(char* to, std::uint32_t code) {
  const auto put = [&to](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  }
  return to;
}

// Reads what follows "\u" in `rest`, the second half of a surrogate pair too. Returns the code
// point and steps over it, or -1.
std::int64_t read_unicode_escape(std::string_view& rest) {
  const int first = read_hex4(rest);
  if (first < 0 || (first >= 0xDC00 && first < 0xE000)) return -1;
  rest.remove_prefix(4);
  if (first < 0xD800 || first >= 0xE000) return first;
  if (!rest.starts_with("\\u")) return -1;
  const int second = read_hex4(rest.substr(2));
  if (second < 0xDC00 || second >= 0xE000) return -1;
  rest.remove_prefix(6);
  return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

}  // namespace

bool JsonWalk::start(std::string_view text, std::size_t text_position) {
  text_ = text;
  text_position_ = text_position;
  next_ = count_ = 0;
  unescaped_used_ = 0;
  if (text.empty()) return fail_at(0, "nothing is here");
  if (finder_ == nullptr || finder_->capacity() < text.size()) {
    const std::size_t capacity = std::bit_ceil(std::max<std::size_t>(text.size(), 4096));
    // simdjson's own depth limit is for its second stage, which is not used here.
    const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        capacity, 1, finder_);
    if (error != simdjson::SUCCESS) return fail_at(0, "too long to be read");
  }
  const auto error = finder_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()),
                                     text.size(), simdjson::stage1_mode::regular);
  if (error == simdjson::EMPTY) return fail_at(0, "only white space is here");
  if (error != simdjson::SUCCESS) {
    const Place place = find_bad_byte(text);
    return fail_at(place.position, place.why);
  }
  indexes_ = finder_->structural_indexes.get();
  count_ = finder_->n_structural_indexes;
  has_backslash_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
  // An escape is never shorter than what it stands for, so this is room for every text.
  if (has_backslash_ && unescaped_.size() < text.size()) unescaped_.resize(text.size());
  return true;
}

// Tokens are told apart by their first byte; simdjson lists where they start.
bool JsonWalk::expect(char token, const char* why) {
  if (peek() != token) return fail_at(position(), why);
  step();
  return true;
}

// A token goes to the next one's start, without the white space between.
std::string_view JsonWalk::token() const {
  const std::size_t begin = indexes_[next_];
  std::size_t end = next_ + 1 < count_ ? indexes_[next_ + 1] : text_.size();
  while (end > begin + 1 && is_space(text_[end - 1])) --end;
  return text_.substr(begin, end - begin);
}

// The closing quote is there: simdjson refuses strings without end before the walk begins.
bool JsonWalk::read_string(std::string_view& raw, std::string_view& text) {
  raw = token();
  if (raw.size() < 2 || raw.back() != '"') return fail_at(position(), "a string is broken");
  text = raw.substr(1, raw.size() - 2);
  if (has_backslash_ && text.find('\\') != text.npos && !unescape(text, text)) return false;
  step();
  return true;
}

// Writes into the room for texts; without a backslash nobody comes here.
bool JsonWalk::unescape(std::string_view quoted, std::string_view& text) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  ADBROOK_ASSERT(unescaped_.size() - unescaped_used_ >= quoted.size(), "texts fit their JSON");
  char* const begin = unescaped_.data() + unescaped_used_;
  char* to = begin;
  std::string_view rest = quoted;
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    std::memcpy(to, rest.data(), plain);
    to += plain;
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    const auto at = static_cast<std::size_t>(rest.data() - text_.data());
    const char letter = rest.size() > 1 ? rest[1] : '\0';
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 2));
    if (letter == 'u') {
      const std::int64_t code = read_unicode_escape(rest);
      if (code < 0) return fail_at(at, "a \\u escape that is no character");
      to = write_utf8(to, static_cast<std::uint32_t>(code));
    } else {
      const std::size_t which = kLetters.find(letter);
      if (letter == '\0' || which == kLetters.npos) return fail_at(at, "an unknown escape");
      *to++ = kMeanings[which];
    }
  }
  text = {begin, static_cast<std::size_t>(to - begin)};
  unescaped_used_ += text.size();
  return true;
}

// Numbers stay text: an unknown field may hold one that fits no type of ours.
bool JsonWalk::read_scalar(JsonValue& value) {
  value.raw = token();
  const char first = value.raw.front();
  if (first == '-' || is_digit(first)) {
    value.kind = JsonKind::number;
    if (!is_json_number(value.raw)) return fail_at(position(), "a number is broken");
  } else if (value.raw == "true" || value.raw == "false") {
    value.kind = JsonKind::boolean;
  } else if (value.raw == "null") {
    value.kind = JsonKind::null;
  } else {
    return fail_at(position(), "a value is missing or broken");
  }
  value.text = {};
  step();
  return true;
}

bool JsonWalk::read_value(JsonValue& value) {
  const char first = peek();
  if (first == '"') {
    value.kind = JsonKind::string;
    return read_string(value.raw, value.text);
  }
  if (first != '{' && first != '[') {
    if (at_end()) return fail_at(text_.size(), "the text ends early");
    return read_scalar(value);
  }
  // Two: the object around this value was the first level.
  const std::size_t begin = position();
  value.kind = first == '{' ? JsonKind::object : JsonKind::array;
  if (!read_nested(2)) return false;
  value.raw = text_.substr(begin, indexes_[next_ - 1] + 1 - begin);
  value.text = {};
  return true;
}

bool JsonWalk::read_nested_value(std::uint32_t depth) {
  if (peek() == '{' || peek() == '[') return read_nested(depth);
  // A text inside is only checked; nobody keeps it.
  const std::size_t kept = unescaped_used_;
  JsonValue value;
  const bool good = read_value(value);
  unescaped_used_ = kept;
  return good;
}

// Recursion is safe, because depth_max_ ends it.
bool JsonWalk::read_nested(std::uint32_t depth) {
  if (depth > depth_max_) return fail_at(position(), "nested too deep");
  const bool object = peek() == '{';
  const char close = object ? '}' : ']';
  step();
  if (peek() == close) {
    step();
    return true;
  }
  while (true) {
    if (object) {
      JsonValue key;
      // Keys inside of nested values are checked like texts and not compared.
      if (peek() != '"') return fail_at(position(), "a key in quotes is missing");
      if (!read_nested_value(depth) || !expect(':', "a colon is missing")) return false;
    }
    if (!read_nested_value(depth + 1)) return false;
    if (peek() == close) {
      step();
      return true;
    }
    if (!expect(',', object ? "a comma or } is missing" : "a comma or ] is missing")) return false;
  }
}

bool JsonWalk::expect_end() {
  return at_end() || fail_at(position(), "something follows the end of the value");
}

void JsonWalk::skip_element(std::size_t from) {
  std::size_t depth = 0;
  for (next_ = from; next_ != count_; ++next_) {
    const char token = peek();
    if (depth == 0 && (token == ',' || token == ']')) return;
    if (token == '{' || token == '[') ++depth;
    if ((token == '}' || token == ']') && depth > 0) --depth;
  }
}

bool JsonWalk::fail_at(std::size_t position, const char* why) {
  failed_at_ = position;
  why_ = why;
  return false;
}

Error JsonWalk::error() const {
  // Enough to find the place by eye, too little to fill a log with foreign text.
  constexpr std::size_t kShown = 24;
  std::string message = "JSON at byte " + std::to_string(text_position_ + failed_at_) + ": " + why_;
  if (failed_at_ < text_.size())
    message += ", here: '" + printable(text_.substr(failed_at_, kShown), kShown) + "'";
  return Error{ErrorKind::invalid, std::move(message)};
}

}  // namespace adbrook::serde
