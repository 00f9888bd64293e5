// Reads JSON from untrusted bytes at the edge: one object's fields, one array's values, or the many
// objects of a request body, of which a bad one does not spoil the others.
//
// simdjson finds the structure (and checks UTF-8) at several GB/s; this walks over what it found,
// so that every byte is checked against RFC 8259, errors have a position, and texts without a
// backslash are views into the caller's bytes. Small flat objects take a shorter way.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::serde {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };
std::string_view to_string(JsonKind kind);

// One checked value. The getters fail with what is needed and what is there; the caller adds the
// field's name. Views into the text that was read, or into the reader.
struct JsonValue {
  JsonKind kind = JsonKind::null;
  std::string_view raw;   // as it stands in the text
  std::string_view text;  // of a string, without quotes and escapes

  bool is_null() const { return kind == JsonKind::null; }
  Result<bool> boolean() const;
  Result<std::int64_t> integer() const;  // written without fraction and exponent
  Result<double> number() const;
  Result<std::string_view> string() const;
};

struct JsonField {
  std::string_view key;
  JsonValue value;
};

struct JsonLimits {
  Bytes size_max = 8_MiB;              // of the whole text; below 4 GiB
  std::uint32_t depth_max = 64;        // of arrays and objects in each other
  std::size_t field_count_max = 512;   // of one object
  std::size_t value_count_max = 4096;  // of one array() call; elements of a body are not counted
};

// How the objects of a body are put together.
enum class JsonShape {
  automatic,  // an object, an array, or objects one per line: found out from the bytes
  lines       // NDJSON, whatever the first byte is
};

// One object of a body.
struct JsonElement {
  std::size_t index = 0;     // counts from 0, bad ones too
  std::size_t position = 0;  // byte of the body where it starts
  std::string_view raw;      // its bytes, as far as they can be told from those of the next one
  Result<std::span<const JsonField>> fields;
};

class JsonWalk;

// Reusable, and faster when reused. Owned by one thread. Texts given to it must outlive what it
// returned, and every call ends the life of what the last one returned.
class JsonReader {
 public:
  explicit JsonReader(JsonLimits limits = {});
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;
  ~JsonReader();

  // The fields in their order. A key twice is an error at this level; inside of nested values keys
  // are not compared. Nested values are checked, and read by another reader from their `raw`.
  Result<std::span<const JsonField>> object(std::string_view text);
  // The same for those who edit an object: a key may be there more than once.
  Result<std::span<const JsonField>> members(std::string_view text);
  // The values of one array.
  Result<std::span<const JsonValue>> array(std::string_view text);

  // Starts a walk over the objects of a body; invalid when not even the first byte fits. A byte
  // order mark in front is skipped.
  Result<void> open(std::string_view body, JsonShape shape = JsonShape::automatic);
  // False when there is no further element. A broken end of the body is a last, bad element.
  bool next(JsonElement& element);

 private:
  enum class Mode : std::uint8_t { done, single, lines, array, broken_array };

  Result<void> start(std::string_view text, std::size_t position);
  enum class Keys : std::uint8_t { once, repeated };
  bool read_fields(Keys allowed = Keys::once);
  bool read_values();
  Result<std::span<const JsonField>> object_at(std::string_view text, std::size_t position);
  Result<void> open_array(std::size_t first);
  bool next_in_array(JsonElement& element);
  bool next_in_broken_array(JsonElement& element);
  bool next_line(JsonElement& element);
  bool last_bad_element(JsonElement& element, std::size_t position, const char* why);

  JsonLimits limits_;
  std::unique_ptr<JsonWalk> walk_;  // keeps simdjson out of this header
  std::vector<JsonField> fields_;
  std::vector<JsonValue> values_;

  std::string_view body_;
  Mode mode_ = Mode::done;
  bool closed_ = false;       // the array's last bracket was seen
  std::size_t position_ = 0;  // in body_, where the next element is looked for
  std::size_t next_index_ = 0;
};

// Whether the text is one JSON value and nothing else.
Result<void> check_json(std::string_view text, JsonLimits limits = {});

}  // namespace adbrook::serde
