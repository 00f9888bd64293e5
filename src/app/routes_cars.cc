#include "app/routes_cars.h"

#include <memory>
#include <utility>

#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using serde::JsonWriter;

constexpr double kMillimetresPerKilometre = 1e6;
constexpr double kMicrolitresPerLitre = 1e6;

void write_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time <= Timestamp::lowest() || time >= Timestamp::highest())
    json.null();
  else
    json.string(format_time(time));
}

void write_freshness(JsonWriter& json, const cars::Freshness& freshness) {
  write_time(json, "as_of", freshness.committed_at);
  write_time(json, "final_until", freshness.watermark);
}

void write_number(JsonWriter& json, std::string_view name, bool known, double value) {
  json.key(name);
  if (known)
    json.number(value);
  else
    json.null();
}

void write_totals(JsonWriter& json, const cars::RouteTotals& totals) {
  json.field("readings", static_cast<std::int64_t>(totals.rows.row_count()));
  json.field("seconds", static_cast<double>(totals.covered_ms) / 1000);
  json.field("km", static_cast<double>(totals.distance_mm) / kMillimetresPerKilometre);
  // A route without a word about fuel is none that used nothing.
  const bool tells_fuel = totals.fuelled_mm != 0 || totals.fuel_ul != 0;
  write_number(json, "fuelled_km", tells_fuel,
               static_cast<double>(totals.fuelled_mm) / kMillimetresPerKilometre);
  write_number(json, "litres", tells_fuel,
               static_cast<double>(totals.fuel_ul) / kMicrolitresPerLitre);
  const auto used = totals.litres_per_100_km();
  write_number(json, "litres_per_100_km", used.has_value(), used.value_or(0));
}

void write_routes(JsonWriter& json, const std::vector<cars::RouteRow>& routes) {
  json.key("routes");
  json.begin_array();
  for (const cars::RouteRow& row : routes) {
    json.begin_object();
    json.field("car", row.car);
    json.field("route", row.route);
    write_totals(json, row.totals);
    json.end_object();
  }
  json.end_array();
}

void write(JsonWriter& json, const cars::Rows<cars::RaisedAlert>& alerts) {
  write_freshness(json, alerts.freshness);
  json.key("alerts");
  json.begin_array();
  for (const cars::RaisedAlert& alert : alerts.rows) {
    json.begin_object();
    json.field("car", alert.car);
    json.field("alert", cars::to_string(alert.kind));
    json.field("since", format_time(alert.since));
    json.end_object();
  }
  json.end_array();
}

void write(JsonWriter& json, const cars::Rows<cars::RouteRow>& routes) {
  write_freshness(json, routes.freshness);
  write_routes(json, routes.rows);
}

void write_side(JsonWriter& json, std::string_view name,
                const std::optional<cars::RouteTotals>& totals) {
  json.key(name);
  if (!totals) return json.null();
  json.begin_object();
  write_totals(json, *totals);
  json.end_object();
}

void write(JsonWriter& json, const cars::Recomputed& recomputed) {
  json.field("equal", recomputed.differences.empty());
  write_freshness(json, recomputed.freshness);
  json.field("records", static_cast<std::int64_t>(recomputed.record_count));
  json.field("rejected", static_cast<std::int64_t>(recomputed.rejected_count));
  json.field("records_no_longer_kept", static_cast<std::int64_t>(recomputed.gone_count));
  write_routes(json, recomputed.routes);
  json.key("differences");
  json.begin_array();
  for (const cars::RouteDifference& difference : recomputed.differences) {
    json.begin_object();
    json.field("car", difference.car);
    json.field("route", difference.route);
    write_side(json, "running", difference.running);
    write_side(json, "recomputed", difference.recomputed);
    json.end_object();
  }
  json.end_array();
}

template <class T>
cars::Answer<T> answer_to(Responder responder) {
  return [responder = std::move(responder)](Result<T> result) mutable {
    if (!result) return responder.send(http::problem_response(result.error()));
    http::Response response{.content_type = "application/json"};
    JsonWriter json(response.body);
    json.begin_object();
    write(json, *result);
    json.end_object();
    response.body += '\n';
    responder.send(std::move(response));
  };
}

}  // namespace

void add_car_routes(http::Router& router, CarSources sources) {
  router.add(Method::get, "/v1/cars/alerts", [sources](const Request&, Responder responder) {
    cars::ask_for_alerts(sources.tasks,
                         answer_to<cars::Rows<cars::RaisedAlert>>(std::move(responder)));
  });
  router.add(Method::get, "/v1/cars/routes", [sources](const Request&, Responder responder) {
    cars::ask_for_routes(sources.tasks,
                         answer_to<cars::Rows<cars::RouteRow>>(std::move(responder)));
  });
  router.add(Method::get, "/v1/cars/recompute", [sources](const Request&, Responder responder) {
    sources.recompute.start(answer_to<cars::Recomputed>(std::move(responder)));
  });
}

}  // namespace adbrook::app
