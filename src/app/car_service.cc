#include "app/car_service.h"

#include "app/routes_cars.h"
#include "app/routes_health.h"
#include "app/routes_system.h"
#include "app/routes_topics.h"
#include "cars/car_topology.h"
#include "stream/query/store_routes.h"

namespace adbrook::app {

Result<std::unique_ptr<CarService>> CarService::start(const Settings& settings,
                                                      std::function<void(std::string_view)> note) {
  std::unique_ptr<CarService> service(new CarService());
  auto engine = Engine::open(settings, {std::string(cars::kCarGroup), cars::define_car_topology},
                             std::move(note));
  if (!engine) return pass(std::move(engine.error()));
  service->engine_ = std::move(*engine);
  Engine& e = *service->engine_;
  service->recompute_ = std::make_unique<cars::Recompute>(
      cars::RecomputePlaces{e.tasks(), e.bus(), e.executor(), e.settings().streams.watermarks()});
  auto listening = e.listen(service->make_router());
  if (!listening) return pass(std::move(listening.error()));
  return service;
}

CarService::~CarService() {
  if (engine_) engine_->stop_once();
}

http::Router CarService::make_router() {
  Engine& engine = *engine_;
  http::Router router(engine.metrics());
  const HealthSources health{engine.metrics(), engine.log(), engine.tasks()};
  add_health_routes(router, health);
  add_topic_routes(router, {engine.log(), engine.bus(), engine.groups(), engine.clock()});
  add_system_route(router, {health, engine.settings(), engine.files(), engine.clock()});
  add_car_routes(router, {engine.tasks(), *recompute_});
  stream::add_store_routes(router, engine.tasks());
  return router;
}

}  // namespace adbrook::app
