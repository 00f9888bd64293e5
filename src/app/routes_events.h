// The routes that look single things up: the life of an event, and the dead letters.
#pragma once

#include "ads/event_search.h"
#include "http/router.h"

namespace adbrook::app {

// Dead letters with their bytes in one answer.
inline constexpr std::size_t kShownLettersMax = 1'000;

// `search` outlives the server that uses the router.
void add_event_routes(http::Router& router, ads::EventSearch& search);

}  // namespace adbrook::app
