// The routes that look single things up: the life of an event, and the dead letters.
#pragma once

#include "ads/event_search.h"
#include "http/router.h"

namespace adbrook::app {

// `search` outlives the server that uses the router.
void add_event_routes(http::Router& router, ads::EventSearch& search);

}  // namespace adbrook::app
