// Dead letters with their bytes as JSON, and what each would be as an event when it is sent again:
// the one place that knows it, for the dashboard, the command and whoever asks over HTTP.
#pragma once

#include <string>

#include "ads/dead_letter_list.h"

namespace adbrook::app {

// The members of the list, and
//   text | hex  the bytes, as text where they are UTF-8 and no Avro value
//   as          the topic that they were meant for: impressions or clicks
//   event       one JSON object, where the bytes are none but say one: the query of a pixel or a
//               link, with the letter's id and time where it has none, and an Avro value
std::string letter_json(const ads::DeadLetterWithBytes& letter);
std::string letters_json(const ads::DeadLettersWithBytes& letters);

}  // namespace adbrook::app
