// The routes that show topics, what lies in them, and who reads them.
#pragma once

#include "broker/group_coordinator.h"
#include "bus/bus.h"
#include "http/router.h"
#include "io/clock.h"
#include "log/log.h"

namespace adbrook::app {

// All outlive the server that uses the router.
struct TopicSources {
  log::Log& log;
  bus::Bus& bus;
  broker::GroupCoordinator& groups;
  io::Clock& clock;
};

inline constexpr std::int64_t kPeekedRecordsMax = 200;

void add_topic_routes(http::Router& router, TopicSources sources);

}  // namespace adbrook::app
