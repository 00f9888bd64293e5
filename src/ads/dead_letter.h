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

// That a letter was sent again, corrected or not: a record behind it, under its key. Format:
// schemas/dead-letter-redrive.avsc.
struct DeadLetterRedrive {
  std::string_view topic;  // impressions or clicks
  Uuid event;
};

void encode(const DeadLetterRedrive& redrive, Buffer& to);
// corrupt: another schema, or bytes that do not parse. Everything views into `value`.
Result<DeadLetterRedrive> read_dead_letter_redrive(ByteView value);

// The record's key: the same letter from the same place is the same key.
Uuid dead_letter_id(const DeadLetter& letter);

}  // namespace adbrook::ads
