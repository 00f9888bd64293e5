#include "app/service.h"

#include "ads/click_topology.h"
#include "app/click_key.h"
#include "app/openapi.h"
#include "app/routes_collect.h"
#include "app/routes_events.h"
#include "app/routes_health.h"
#include "app/routes_live.h"
#include "app/routes_page.h"
#include "app/routes_query.h"
#include "app/routes_system.h"
#include "app/routes_topics.h"

namespace adbrook::app {

Result<std::unique_ptr<Service>> Service::start(const Settings& settings,
                                                std::function<void(std::string_view)> note) {
  auto engine = Engine::open(settings, std::move(note));
  if (!engine) return pass(std::move(engine.error()));
  std::unique_ptr<Service> service(new Service(std::move(*engine)));
  if (auto opened = service->open_parts(); !opened) return pass(std::move(opened.error()));
  auto listening = service->engine_->listen(service->make_router());
  if (!listening) return pass(std::move(listening.error()));
  return service;
}

Service::~Service() { engine_->stop_once(); }

Result<void> Service::stop() { return engine_->stop(); }

Result<void> Service::open_parts() {
  Engine& engine = *engine_;
  auto collector = Collector::open(engine.log(), engine.clock(), engine.metrics(),
                                   {.skew_cap = engine.settings().streams.skew_cap,
                                    .body_max = engine.settings().http.body_max});
  if (!collector) return pass(std::move(collector.error()));
  collector_ = std::move(*collector);
  auto key = load_or_make_click_key(engine.files(), engine.random(), engine.settings().engine.data);
  if (!key) return pass(std::move(key.error()));
  links_ = std::make_unique<LinkCollector>(*collector_, engine.clock(), engine.random(),
                                           std::move(*key));
  clicks_ = std::make_unique<ads::ClickService>(engine.tasks(), engine.bus(), engine.clock(),
                                                engine.executor(), ads::click_input_topics());
  search_ = std::make_unique<ads::EventSearch>(engine.bus(), engine.executor());
  live_ = LiveFeed::start(
      {engine.tasks(), engine.live_taps(), *clicks_, engine.clock(), engine.executor()});
  return {};
}

http::Router Service::make_router() {
  Engine& engine = *engine_;
  http::Router router(engine.metrics());
  const HealthSources health{engine.metrics(), engine.log(), engine.tasks()};
  add_collect_routes(router, *collector_, *links_);
  add_health_routes(router, health);
  add_query_routes(router, {*clicks_, *search_, engine.bus()});
  add_topic_routes(router, {engine.log(), engine.bus(), engine.groups(), engine.clock()});
  add_system_route(router, {health, engine.settings(), engine.files(), engine.clock()});
  add_event_routes(router, *search_);
  add_live_route(router, *live_);
  add_openapi_route(router);
  add_page_routes(router);
  return router;
}

}  // namespace adbrook::app
