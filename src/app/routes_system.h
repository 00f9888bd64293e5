// The route that tells about the engine itself: version, health, disk, settings.
#pragma once

#include "app/routes_health.h"
#include "app/settings.h"
#include "http/router.h"
#include "io/clock.h"
#include "io/file_system.h"

namespace adbrook::app {

// All outlive the server that uses the router.
struct SystemSources {
  HealthSources health;
  const Settings& settings;
  io::FileSystem& files;
  io::Clock& clock;
};

void add_system_route(http::Router& router, SystemSources sources);

}  // namespace adbrook::app
