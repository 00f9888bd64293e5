// The body of POST /v1/dead-letters/redrive: dead letters that are sent again as events, each with
// the text or the bytes that stand for it now: as they were, or corrected.
// {"letter":"<id of the letter>","as":"impressions","text":"{\"uuid\":…}"}
// {"letter":"<id of the letter>","as":"clicks","hex":"0000000002…"}
#pragma once

#include <string>

#include "ads/edge_field.h"
#include "ads/event.h"
#include "base/ids.h"
#include "serde/json_reader.h"

namespace adbrook::app {

struct Redrive {
  Uuid letter;
  ads::EventKind as{};
  std::string text;  // one JSON object; or the value of a record, as event_codec.h has it
  bool is_value = false;
};

// `letter`, `as` and either `text` or `hex` must be there, and no other one. Whether there is such
// a letter is not looked up.
ads::Checked<Redrive> read_redrive(const serde::JsonElement& element);

}  // namespace adbrook::app
