// The routes by which machines watch the engine: metrics, liveness, readiness.
#pragma once

#include "base/metrics.h"
#include "http/router.h"
#include "log/log.h"
#include "stream/task_runner.h"

namespace adbrook::app {

// All outlive the server that uses the router.
struct HealthSources {
  Metrics& metrics;
  log::Log& log;
  stream::TaskRunner& tasks;
};

void add_health_routes(http::Router& router, HealthSources sources);

// What the engine waits for before it can do all its work; empty when it is ready.
std::vector<std::string> waits_for(const HealthSources& sources);

}  // namespace adbrook::app
