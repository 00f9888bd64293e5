// The HTTP routes by which events come in: bodies of events, the pixel, the click link, dead
// letters.
#pragma once

#include "app/collector.h"
#include "app/link_collector.h"
#include "http/router.h"

namespace adbrook::app {

// Both outlive the server that uses the router.
void add_collect_routes(http::Router& router, Collector& collector, LinkCollector& links);

}  // namespace adbrook::app
