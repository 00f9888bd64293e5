// The body of POST /v1/dead-letters/redrive: dead letters that are sent again as events, each with
// the text that stands for it now: as it was, or corrected.
// {"letter":"<id of the letter>","as":"impressions","text":"{\"uuid\":…}"}
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
  std::string text;  // one JSON object
};

// All three fields must be there, and no other one. Whether there is such a letter is not looked
// up.
ads::Checked<Redrive> read_redrive(const serde::JsonElement& element);

}  // namespace adbrook::app
