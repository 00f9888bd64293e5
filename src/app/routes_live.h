// The route that streams the live numbers.
#pragma once

#include "app/live_feed.h"
#include "http/router.h"

namespace adbrook::app {

// The feed outlives the server that uses the router.
void add_live_route(http::Router& router, LiveFeed& feed);

}  // namespace adbrook::app
