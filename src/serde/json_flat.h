// The short way through a flat JSON object: plain ASCII without backslashes, and values that are
// neither arrays nor objects. Nearly every event is one, and small: finding its structure with
// simdjson costs more than reading it. Private to json_reader.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "serde/json_reader.h"

namespace adbrook::serde {

inline constexpr std::string_view kJsonSpaces = " \n\r\t";
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Finds a key that an object has twice. Most keys set a new bit and are compared with none.
class JsonKeysSeen {
 public:
  // `fields` are the object's so far.
  bool repeats(std::string_view key, std::span<const JsonField> fields);

 private:
  std::uint64_t bits_ = 0;
};

// RFC 8259's grammar: no leading zero, plus, or bare point.
bool is_json_number(std::string_view raw);

// True leaves exactly the fields that JsonReader::object() promises. False says only that the full
// reader is needed, be the text bad or not simple; `fields` are then of no use. Always false on
// machines without SSE2.
bool read_flat_object(std::string_view text, std::size_t field_count_max,
                      std::vector<JsonField>& fields);

}  // namespace adbrook::serde
