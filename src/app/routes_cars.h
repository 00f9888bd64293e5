// The routes that answer about connected cars: alerts, totals of routes, and their recount.
#pragma once

#include "cars/recompute.h"
#include "http/router.h"
#include "stream/task_runner.h"

namespace adbrook::app {

// All outlive the server that uses the router.
struct CarSources {
  stream::TaskRunner& tasks;
  cars::Recompute& recompute;
};

void add_car_routes(http::Router& router, CarSources sources);

}  // namespace adbrook::app
