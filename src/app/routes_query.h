// The routes that answer questions about what was counted: reports, cells, audit, outcomes.
#pragma once

#include "ads/click_service.h"
#include "ads/event_search.h"
#include "bus/bus.h"
#include "http/router.h"

namespace adbrook::app {

// How long a report or audit waits, unless told otherwise, for commits to reach the log's ends.
inline constexpr Millis kDefaultWait{10'000};

// All outlive the server that uses the router.
struct QuerySources {
  ads::ClickService& clicks;
  ads::EventSearch& search;
  bus::Bus& bus;
};

void add_query_routes(http::Router& router, QuerySources sources);

}  // namespace adbrook::app
