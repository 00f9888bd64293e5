// The connected cars as a running engine: their topology over a log of its own, what people ask
// about them over HTTP, and Kafka's endpoint for the readings.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "app/serving.h"
#include "cars/recompute.h"

namespace adbrook::app {

// Owned by one thread.
class CarService final : public Served {
 public:
  // As Service::start.
  static Result<std::unique_ptr<CarService>> start(const Settings& settings,
                                                   std::function<void(std::string_view)> note);
  ~CarService() override;

  Engine& engine() override { return *engine_; }

 private:
  CarService() = default;
  http::Router make_router();

  std::unique_ptr<Engine> engine_;  // destroyed last: what follows refers to it
  std::unique_ptr<cars::Recompute> recompute_;
};

}  // namespace adbrook::app
