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
#include "stream/query/store_routes.h"

namespace adbrook::app {

Result<std::unique_ptr<Service>> Service::start(const Settings& settings,
                                                std::function<void(std::string_view)> note) {
  std::unique_ptr<Service> service(new Service());
  auto& taps = service->live_taps_;
  taps.resize(static_cast<std::size_t>(settings.engine.partitions));
  // Every task builds its own topology from copies of the settings.
  const auto define = [&taps, clicks = settings.clicks,
                       views = settings.views](stream::Topology& topology) {
    ads::define_click_topology(topology, clicks, views,
                               &taps[static_cast<std::size_t>(topology.partition())]);
  };
  auto engine = Engine::open(settings, {std::string(ads::kClickGroup), define}, std::move(note));
  if (!engine) return pass(std::move(engine.error()));
  service->engine_ = std::move(*engine);
  if (auto opened = service->open_parts(); !opened) return pass(std::move(opened.error()));
  auto listening = service->engine_->listen(service->make_router());
  if (!listening) return pass(std::move(listening.error()));
  return service;
}

Service::~Service() {
  if (engine_) engine_->stop_once();
}

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
  live_ =
      LiveFeed::start({engine.tasks(), live_taps_, *clicks_, engine.clock(), engine.executor()});
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
  stream::add_store_routes(router, engine.tasks());
  add_live_route(router, *live_);
  add_openapi_route(router);
  add_page_routes(router);
  return router;
}

}  // namespace adbrook::app
