// Events that every edge must refuse, with the field and the word it must answer.
#pragma once

#include <string>
#include <string_view>

#include "ads/event_refusal.h"
#include "ads/generator_event.h"

namespace adbrook::ads {

struct MalformedEvent {
  std::string_view field;
  Reason reason;
};

// Replaces `json`, the text of a right event, by a broken one; a line still, without line end.
MalformedEvent make_malformed(std::string& json, const SyntheticEvent& event,
                              GeneratorRandom& random);

}  // namespace adbrook::ads
