// Writes JSON text to the end of a string: commas by itself, escapes that are also safe inside an
// HTML page. Keeps no tree; the caller's calls are the document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adbrook::serde {

// Broken UTF-8 becomes \ufffd, `</` becomes `<\/`, NaN and infinities become null, other doubles
// the shortest text that reads back the same. Nothing checks that calls make a valid document.
// Owned by one thread; `out` must outlive it.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void string(std::string_view text);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);
  void boolean(bool value) { literal(value ? "true" : "false"); }
  void null() { literal("null"); }
  // Text that is one JSON value already.
  void raw(std::string_view json) { literal(json); }

  // The usual pairs of a key and its value.
  void field(std::string_view name, std::string_view text) { key(name), string(text); }
  void field(std::string_view name, const char* text) { key(name), string(text); }
  void field(std::string_view name, std::int64_t value) { key(name), integer(value); }
  void field(std::string_view name, double value) { key(name), number(value); }
  void field(std::string_view name, bool value) { key(name), boolean(value); }

 private:
  void separate() {
    if (needs_comma_) out_ += ',';
    needs_comma_ = true;
  }
  void open(char bracket) {
    separate();
    out_ += bracket;
    needs_comma_ = false;
  }
  void close(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
  }
  void literal(std::string_view text) {
    separate();
    out_ += text;
  }

  std::string& out_;
  bool needs_comma_ = false;
};

// Appends the text with quotes and escapes, as JsonWriter::string does.
void append_json_string(std::string& out, std::string_view text);

}  // namespace adbrook::serde
