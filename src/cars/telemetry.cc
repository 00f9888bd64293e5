#include "cars/telemetry.h"

#include <cmath>

#include "base/text.h"
#include "serde/json_reader.h"
#include "serde/json_writer.h"

namespace adbrook::cars {
namespace {

std::unexpected<Error> bad_field(std::string_view field, const std::string& why) {
  return fail(ErrorKind::invalid, "telemetry field " + printable(field) + ": " + why);
}

Result<std::int64_t> number_between(const serde::JsonField& field, std::int64_t most) {
  const auto value = field.value.integer();
  if (!value) return bad_field(field.key, value.error().message);
  if (*value < 0 || *value > most)
    return bad_field(field.key, std::to_string(*value) + " is not between 0 and " +
                                    std::to_string(most) + "; send a number in it");
  return *value;
}

Result<void> read_signal(const serde::JsonField& field, std::size_t index, Telemetry& to) {
  const SignalKind& kind = kSignals[index];
  const auto value = field.value.number();
  if (!value) return bad_field(kind.name, value.error().message);
  if (!(*value >= kind.min && *value <= kind.max))
    return bad_field(kind.name, printable(field.value.raw) +
                                    " is nothing a working sensor says; leave the field out");
  to.signals[index] = *value;
  return {};
}

// False: the field is none of the reading's own, perhaps a signal.
Result<bool> read_own_field(const serde::JsonField& field, Telemetry& to) {
  if (field.key == "route") {
    const auto route = field.value.string();
    if (!route) return bad_field("route", route.error().message);
    if (route->empty() || route->size() > kRouteSizeMax)
      return bad_field("route", "it must have 1 to " + std::to_string(kRouteSizeMax) + " bytes");
    to.route = *route;
    return true;
  }
  if (field.key == "row") {
    const auto row = number_between(field, static_cast<std::int64_t>(kRowMax) - 1);
    if (!row) return pass(row.error());
    to.row = static_cast<std::uint64_t>(*row);
    return true;
  }
  if (field.key == "time") {
    const auto time = field.value.integer();
    if (!time) return bad_field("time", time.error().message);
    to.time = Timestamp{*time};
    return true;
  }
  if (field.key == "covers_ms") {
    const auto covers = number_between(field, kCoversMax.count());
    if (!covers) return pass(covers.error());
    to.covers = Millis(*covers);
    return true;
  }
  return false;
}

}  // namespace

std::string to_json(const Telemetry& reading) {
  std::string json;
  serde::JsonWriter writer(json);
  writer.begin_object();
  writer.field("route", reading.route);
  writer.key("row"), writer.unsigned_integer(reading.row);
  writer.field("time", reading.time.ms);
  writer.field("covers_ms", reading.covers.count());
  for (std::size_t i = 0; i < kSignalCount; ++i)
    if (reading.signals[i]) writer.field(kSignals[i].name, *reading.signals[i]);
  writer.end_object();
  return json;
}

// Unknown fields are passed over: a newer sender may know more signals.
Result<Telemetry> parse_telemetry(std::string_view json, serde::JsonReader& reader) {
  const auto fields = reader.object(json);
  if (!fields) return pass(fields.error(), "telemetry");
  Telemetry reading;
  bool has_row = false, has_time = false;
  for (const serde::JsonField& field : *fields) {
    has_row |= field.key == "row";
    has_time |= field.key == "time";
    const auto own = read_own_field(field, reading);
    if (!own) return pass(own.error());
    if (*own || field.value.is_null()) continue;
    for (std::size_t i = 0; i < kSignalCount; ++i)
      if (field.key == kSignals[i].name)
        if (auto read = read_signal(field, i, reading); !read) return pass(read.error());
  }
  if (reading.route.empty() || !has_row || !has_time)
    return fail(ErrorKind::invalid, "telemetry: route, row and time must be there; send all three");
  return reading;
}

}  // namespace adbrook::cars
