// The running engine with everything it answers: collector, questions, health, in one router.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "ads/click_service.h"
#include "ads/event_search.h"
#include "ads/live_tap.h"
#include "app/collector.h"
#include "app/engine.h"
#include "app/link_collector.h"
#include "app/live_feed.h"
#include "app/serving.h"

namespace adbrook::app {

// Owned by one thread.
class Service final : public Served {
 public:
  // Opens the engine and begins to answer; returns before the tasks are restored. Errors as
  // Engine::open and Engine::listen.
  static Result<std::unique_ptr<Service>> start(const Settings& settings,
                                                std::function<void(std::string_view)> note);
  // Stops when nobody did.
  ~Service() override;

  Engine& engine() override { return *engine_; }

 private:
  Service() = default;
  Result<void> open_parts();
  http::Router make_router();

  std::vector<ads::LiveTap> live_taps_;  // by task; touched inside its questions only
  // Destroyed last but for the taps: what follows refers to it, and it runs nothing any more once
  // it is stopped.
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<LinkCollector> links_;
  std::unique_ptr<ads::ClickService> clicks_;
  std::unique_ptr<ads::EventSearch> search_;
  std::shared_ptr<LiveFeed> live_;  // its steps in the executor hold it while they run
};

}  // namespace adbrook::app
