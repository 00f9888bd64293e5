// The connected cars as a topology: readings come in by `telemetry`, keyed by car; the hot path
// writes what is raised and cleared to `car-alerts`, the cold path keeps the totals of each route.
// Uses the stream library alone. The rules are explained in docs/cars.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cars/alerts.h"
#include "cars/efficiency.h"
#include "cars/telemetry.h"
#include "stream/topology.h"

namespace adbrook::cars {

inline constexpr std::string_view kCarGroup = "cars";
inline constexpr std::string_view kTelemetryTopic = "telemetry";
inline constexpr std::string_view kAlertTopic = "car-alerts";
inline constexpr std::string_view kAlertStore = "alert-books";    // car → AlertBook
inline constexpr std::string_view kTotalsStore = "route-totals";  // RouteKey → RouteTotals

// One drive of one car. Views, in a flow until the step's end.
struct RouteKey {
  std::string_view car, route;
  friend auto operator<=>(const RouteKey&, const RouteKey&) = default;
};

// As the stores keep them: behind the eight bytes of a row's time.
struct StoredBook {
  std::string_view car;
  AlertBook book;
};
struct StoredTotals {
  RouteKey key;
  RouteTotals totals;
};
// False: these are no bytes of such a row. Views point into `key`.
bool read_stored(ByteView key, ByteView row, StoredBook& out);
bool read_stored(ByteView key, ByteView row, StoredTotals& out);

// What one change becomes in `car-alerts`, under the car's key: one JSON object.
std::string to_json(const AlertChange& change);

void define_car_topology(stream::Topology& topology);

}  // namespace adbrook::cars
