// Something that could not be read as an event, as it lies in the topic `dead-letters`: the
// original bytes, the place and the reason. Format: schemas/dead-letter.avsc.
#pragma once

#include <string_view>

#include "ads/output_value.h"
#include "base/result.h"

namespace adbrook::ads {

struct DeadLetter {
  std::string_view source;  // "clicks-2", "GET /v1/click" or a file
  std::int64_t place = 0;   // offset or line; 0 = none
  std::string_view reason;  // a word of a closed list
  std::string_view field;   // empty = none
  std::string_view detail;  // the whole sentence
  ByteView bytes;
};

// Appends the whole value.
void encode(const DeadLetter& letter, Buffer& to);
// Everything views into `value`.
Result<DeadLetter> read_dead_letter(ByteView value);

// The record's key: the same letter from the same place is the same key.
Uuid dead_letter_id(const DeadLetter& letter);

}  // namespace adbrook::ads
