// The HTTP routes by which any application lets its tables and windows be read.
#pragma once

#include "http/router.h"
#include "stream/task_runner.h"

namespace adbrook::stream {

// GET /v1/stores: what there is. GET /v1/stores/{store}?key=&from=&to=&limit=: rows as of the last
// commit of each task, with that commit and the watermark it reflects. The runner outlives the
// server that uses the router.
void add_store_routes(http::Router& router, TaskRunner& tasks);

}  // namespace adbrook::stream
