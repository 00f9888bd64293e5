#include "serde/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "serde/json_flat.h"
#include "serde/json_walk.h"

namespace adbrook::serde {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// "a number is needed, but '"x"' is here (string)".
std::unexpected<Error> mistyped(const JsonValue& value, std::string_view needed) {
  constexpr std::size_t kShown = 40;
  return fail(ErrorKind::invalid, std::string(needed) + " is needed, but '" +
                                      printable(value.raw, kShown) + "' is here (" +
                                      std::string(to_string(value.kind)) + ")");
}

// The position behind the last byte of the value that begins at `from`, told by brackets and quotes
// alone, or npos. For bodies that simdjson refuses as a whole.
std::size_t find_balanced_end(std::string_view text, std::size_t from) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = from; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return text.npos;
}

// The comma or bracket behind the array element that begins at `from`, or the text's size.
std::size_t find_element_end(std::string_view text, std::size_t from) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = from; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
      continue;
    }
    if (depth == 0 && (c == ',' || c == ']')) return at;
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return text.size();
}

// Whether a body that begins with { holds one object over all its lines, and not one per line.
bool is_single_object(std::string_view body, std::size_t first) {
  const std::size_t line_end = body.find('\n', first);
  if (line_end == body.npos) return true;
  const std::size_t end = find_balanced_end(body, first);
  if (end != body.npos) return body.find_first_not_of(kJsonSpaces, end) == body.npos;
  const std::size_t second_line = body.find_first_not_of(kJsonSpaces, line_end);
  return second_line == body.npos || body[second_line] != '{';
}

}  // namespace

std::string_view to_string(JsonKind kind) {
  switch (kind) {
    case JsonKind::null: return "null";
    case JsonKind::boolean: return "boolean";
    case JsonKind::number: return "number";
    case JsonKind::string: return "string";
    case JsonKind::array: return "array";
    case JsonKind::object: return "object";
  }
  return "unknown";
}

Result<bool> JsonValue::boolean() const {
  if (kind != JsonKind::boolean) return mistyped(*this, "true or false");
  return raw == "true";
}

// 1.0 and 1e3 are refused: a sender that writes them may round, and ids must not be rounded.
Result<std::int64_t> JsonValue::integer() const {
  if (kind != JsonKind::number) return mistyped(*this, "a whole number");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error == std::errc::result_out_of_range)
    return mistyped(*this, "a whole number of at most 64 bits");
  if (end != raw.data() + raw.size())
    return mistyped(*this, "a whole number without fraction or exponent");
  return value;
}

Result<double> JsonValue::number() const {
  if (kind != JsonKind::number) return mistyped(*this, "a number");
  double value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc() || end != raw.data() + raw.size())
    return mistyped(*this, "a number within the range of a double");
  return value;
}

Result<std::string_view> JsonValue::string() const {
  if (kind != JsonKind::string) return mistyped(*this, "a string");
  return text;
}

JsonReader::JsonReader(JsonLimits limits)
    : limits_(limits), walk_(std::make_unique<JsonWalk>(limits.depth_max)) {}
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;
JsonReader::~JsonReader() = default;

Result<void> JsonReader::start(std::string_view text, std::size_t position) {
  if (text.size() > static_cast<std::size_t>(limits_.size_max.count)) {
    return fail(ErrorKind::overloaded,
                "JSON: " + std::to_string(text.size()) + " bytes are more than the limit of " +
                    std::to_string(limits_.size_max.count) + "; send less at once");
  }
  if (!walk_->start(text, position)) return std::unexpected(walk_->error());
  return {};
}

// Reads the object at the walk's place into fields_.
bool JsonReader::read_fields(Keys allowed) {
  fields_.clear();
  JsonKeysSeen keys;
  if (!walk_->expect('{', "an object is needed")) return false;
  if (walk_->peek() == '}') {
    walk_->step();
    return true;
  }
  while (true) {
    const std::size_t key_at = walk_->position();
    if (walk_->peek() != '"') return walk_->fail_at(key_at, "a key in quotes is missing");
    if (fields_.size() == limits_.field_count_max)
      return walk_->fail_at(key_at, "too many fields in one object");
    JsonField field;
    std::string_view raw_key;
    if (!walk_->read_string(raw_key, field.key)) return false;
    if (!walk_->expect(':', "a colon is missing")) return false;
    if (!walk_->read_value(field.value)) return false;
    if (allowed == Keys::once && keys.repeats(field.key, fields_))
      return walk_->fail_at(key_at, "a key appears twice");
    fields_.push_back(field);
    if (walk_->peek() == '}') {
      walk_->step();
      return true;
    }
    if (!walk_->expect(',', "a comma or } is missing")) return false;
  }
}

// `position` is where the text lies in its body, for errors.
Result<std::span<const JsonField>> JsonReader::object_at(std::string_view text,
                                                         std::size_t position) {
  if (text.size() <= static_cast<std::size_t>(limits_.size_max.count) &&
      read_flat_object(text, limits_.field_count_max, fields_))
    return std::span<const JsonField>(fields_);
  if (auto started = start(text, position); !started)
    return std::unexpected(std::move(started.error()));
  if (!read_fields() || !walk_->expect_end()) return std::unexpected(walk_->error());
  return std::span<const JsonField>(fields_);
}

Result<std::span<const JsonField>> JsonReader::object(std::string_view text) {
  return object_at(text, 0);
}

Result<std::span<const JsonField>> JsonReader::members(std::string_view text) {
  if (auto started = start(text, 0); !started) return std::unexpected(std::move(started.error()));
  if (!read_fields(Keys::repeated) || !walk_->expect_end()) return std::unexpected(walk_->error());
  return std::span<const JsonField>(fields_);
}

// Reads the array at the walk's place into values_.
bool JsonReader::read_values() {
  values_.clear();
  if (!walk_->expect('[', "an array is needed")) return false;
  if (walk_->peek() == ']') {
    walk_->step();
    return true;
  }
  while (true) {
    if (values_.size() == limits_.value_count_max)
      return walk_->fail_at(walk_->position(), "too many values in one array");
    if (!walk_->read_value(values_.emplace_back())) return false;
    if (walk_->peek() == ']') {
      walk_->step();
      return true;
    }
    if (!walk_->expect(',', "a comma or ] is missing")) return false;
  }
}

Result<std::span<const JsonValue>> JsonReader::array(std::string_view text) {
  if (auto started = start(text, 0); !started) return std::unexpected(std::move(started.error()));
  if (!read_values() || !walk_->expect_end()) return std::unexpected(walk_->error());
  return std::span<const JsonValue>(values_);
}

Result<void> JsonReader::open(std::string_view body, JsonShape shape) {
  mode_ = Mode::done;
  body_ = body;
  position_ = body.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  next_index_ = 0;
  closed_ = false;
  if (body.size() > static_cast<std::size_t>(limits_.size_max.count)) return start(body, 0);
  const std::size_t first = body.find_first_not_of(kJsonSpaces, position_);
  if (first == body.npos)
    return fail(ErrorKind::invalid, "the body is empty; send a JSON object, an array or lines");
  if (shape == JsonShape::lines) {
    mode_ = Mode::lines;
    return {};
  }
  if (body[first] == '[') return open_array(first);
  if (body[first] != '{') {
    constexpr std::size_t kShown = 24;
    return fail(ErrorKind::invalid, "JSON at byte " + std::to_string(first) +
                                        ": an object or an array is needed, but here is '" +
                                        printable(body.substr(first, kShown), kShown) + "'");
  }
  mode_ = is_single_object(body, first) ? Mode::single : Mode::lines;
  return {};
}

// One pass of simdjson over the whole body, if it takes it; else element by element.
Result<void> JsonReader::open_array(std::size_t first) {
  position_ = first + 1;
  if (!walk_->start(body_.substr(first), first)) {
    mode_ = Mode::broken_array;
    closed_ = body_.find_first_not_of(kJsonSpaces, position_) == body_.npos;
    return {};
  }
  mode_ = Mode::array;
  body_ = body_.substr(first);
  position_ = first;  // of body_ in what was given
  walk_->step();
  if (walk_->peek() == ']') {
    walk_->step();
    closed_ = true;
  }
  return {};
}

bool JsonReader::next(JsonElement& element) {
  element.index = next_index_;
  switch (mode_) {
    case Mode::done: return false;
    case Mode::lines: return next_line(element);
    case Mode::array: return next_in_array(element);
    case Mode::broken_array: return next_in_broken_array(element);
    case Mode::single: break;
  }
  mode_ = Mode::done;
  element.position = position_;
  element.raw = body_.substr(position_);
  element.fields = object_at(element.raw, position_);
  return true;
}

bool JsonReader::last_bad_element(JsonElement& element, std::size_t position, const char* why) {
  mode_ = Mode::done;
  element.position = position;
  element.raw = {};
  element.fields =
      fail(ErrorKind::invalid, "JSON at byte " + std::to_string(position) + ": " + why);
  return true;
}

// A line is parsed alone, so that nothing in it reaches the next one.
bool JsonReader::next_line(JsonElement& element) {
  while (position_ < body_.size()) {
    const std::size_t begin = position_;
    const std::size_t end = std::min(body_.find('\n', begin), body_.size());
    position_ = end + 1;
    const std::string_view line = body_.substr(begin, end - begin);
    if (line.find_first_not_of(kJsonSpaces) == line.npos) continue;
    ++next_index_;
    element.position = begin;
    element.raw = line;
    element.fields = object_at(line, begin);
    return true;
  }
  mode_ = Mode::done;
  return false;
}

// After a bad element the walk goes on behind the next comma outside of brackets.
bool JsonReader::next_in_array(JsonElement& element) {
  const std::size_t begin = walk_->position();
  if (closed_) {
    if (walk_->at_end()) return false;
    return last_bad_element(element, position_ + begin, "something follows the array");
  }
  if (walk_->at_end())
    return last_bad_element(element, position_ + begin, "the array does not end");

  const std::size_t first_token = walk_->token_index();
  walk_->forget_texts();
  bool good = read_fields();
  if (good && !walk_->at_end() && walk_->peek() != ',' && walk_->peek() != ']')
    good = walk_->fail_at(walk_->position(), "a comma or ] is missing");
  ++next_index_;
  element.position = position_ + begin;
  if (good) {
    element.fields = std::span<const JsonField>(fields_);
  } else {
    element.fields = std::unexpected(walk_->error());
    walk_->skip_element(first_token);
  }
  const std::string_view raw = body_.substr(begin, walk_->position() - begin);
  element.raw = raw.substr(0, raw.find_last_not_of(kJsonSpaces) + 1);
  closed_ = walk_->peek() == ']';
  if (walk_->at_end() && !good) mode_ = Mode::done;  // its error says it already
  if (!walk_->at_end()) walk_->step();
  return true;
}

// Slower than next_in_array, and only for bodies with broken UTF-8, control characters or an open
// string: their good elements count too.
bool JsonReader::next_in_broken_array(JsonElement& element) {
  position_ = std::min(body_.find_first_not_of(kJsonSpaces, position_), body_.size());
  if (closed_) {
    if (position_ == body_.size()) return false;
    return last_bad_element(element, position_, "something follows the array");
  }
  const std::size_t end = find_element_end(body_, position_);
  element.position = position_;
  element.raw = body_.substr(position_, end - position_);
  element.fields = object_at(element.raw, position_);
  ++next_index_;
  if (end == body_.size()) {
    mode_ = Mode::done;
    if (element.fields)
      element.fields = fail(ErrorKind::invalid,
                            "JSON at byte " + std::to_string(end) + ": the array does not end");
  }
  closed_ = end < body_.size() && body_[end] == ']';
  position_ = end + 1;
  return true;
}

Result<void> check_json(std::string_view text, JsonLimits limits) {
  if (text.size() > static_cast<std::size_t>(limits.size_max.count))
    return fail(ErrorKind::overloaded, "JSON: more bytes than the limit; send less at once");
  JsonWalk walk(limits.depth_max);
  JsonValue value;
  if (!walk.start(text, 0) || !walk.read_value(value) || !walk.expect_end())
    return std::unexpected(walk.error());
  return {};
}

}  // namespace adbrook::serde
