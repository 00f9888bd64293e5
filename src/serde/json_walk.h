// A cursor over the structure that simdjson found in one text: checks the grammar between the
// brackets, commas, colons and the first bytes of values. Private to json_reader.cc's reader.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serde/json_reader.h"

namespace adbrook::serde {

// Failing functions return false and leave a sentence and a position for error(). Owned by one
// thread.
class JsonWalk {
 public:
  explicit JsonWalk(std::uint32_t depth_max) : depth_max_(depth_max) {}

  // Finds the structure of `text`, which must outlive the walk. Fails on broken UTF-8, control
  // characters in a string, a string without end. `text_position` is added to positions in errors.
  bool start(std::string_view text, std::size_t text_position);

  bool at_end() const { return next_ == count_; }
  // The first byte of the next token, or 0 at the end.
  char peek() const { return at_end() ? '\0' : text_[indexes_[next_]]; }
  // Where the next token starts in the text; its size at the end.
  std::size_t position() const { return at_end() ? text_.size() : indexes_[next_]; }
  void step() { ++next_; }

  bool expect(char token, const char* why);
  // A string token: `raw` with its quotes, `text` without quotes and escapes.
  bool read_string(std::string_view& raw, std::string_view& text);
  // Any value, with everything inside of it.
  bool read_value(JsonValue& value);
  // Nothing but white space may follow.
  bool expect_end();
  // After an error inside an array's element that began at token `from`: goes to the comma or
  // bracket behind it, or to the end.
  void skip_element(std::size_t from);
  std::size_t token_index() const { return next_; }
  // Unescaped texts before are no longer needed.
  void forget_texts() { unescaped_used_ = 0; }

  bool fail_at(std::size_t position, const char* why);
  Error error() const;

 private:
  std::string_view token() const;
  bool read_scalar(JsonValue& value);
  bool read_nested(std::uint32_t depth);
  bool read_nested_value(std::uint32_t depth);
  bool unescape(std::string_view quoted, std::string_view& text);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> finder_;
  std::uint32_t depth_max_;
  std::string_view text_;
  std::size_t text_position_ = 0;
  const std::uint32_t* indexes_ = nullptr;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  bool has_backslash_ = false;
  std::vector<char> unescaped_;  // room for all texts of one text; never grows while views exist
  std::size_t unescaped_used_ = 0;
  const char* why_ = "";
  std::size_t failed_at_ = 0;
};

}  // namespace adbrook::serde
