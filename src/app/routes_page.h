// The routes of the dashboard: the page and its assets, from inside the binary.
#pragma once

#include "http/router.h"

namespace adbrook::app {

void add_page_routes(http::Router& router);

}  // namespace adbrook::app
