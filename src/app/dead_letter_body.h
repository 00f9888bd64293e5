// The body of POST /v1/dead-letters: one JSON object per line that an importer could not read.
// {"source":"a.csv","line":12,"reason":"unreadable","field":"","detail":"...","bytes":"<base64>"}
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ads/dead_letter.h"
#include "ads/edge_field.h"
#include "serde/json_reader.h"

namespace adbrook::app {

inline constexpr std::size_t kLetterTextSizeMax = 1024;
inline constexpr std::size_t kLetterBytesSizeMax = 1 << 20;

// A letter whose texts are its own.
struct OwnedLetter {
  std::string source;
  std::string reason;
  std::string field;
  std::string detail;
  Buffer bytes;
  std::int64_t line = 0;

  ads::DeadLetter view() const;
};

// `source`, `reason` and `bytes` must be there; `bytes` is base64 (RFC 4648), or `text` stands for
// it where the line is UTF-8. `reason` is a word of small letters, digits and '_'.
ads::Checked<OwnedLetter> read_letter(const serde::JsonElement& element);

}  // namespace adbrook::app
