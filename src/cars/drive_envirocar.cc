// enviroCar tracks: a GeoJSON collection with one feature per measurement.
#include <array>
#include <cmath>

#include "base/text.h"
#include "cars/drive_rows.h"
#include "serde/json_reader.h"

namespace adbrook::cars {
namespace {

using serde::JsonField;
using serde::JsonReader;
using serde::JsonValue;

const serde::JsonLimits kTrackLimits{.size_max = kDriveFileSizeMax, .value_count_max = 1'000'000};

// The value under this key, or null.
const JsonValue* find(std::span<const JsonField> fields, std::string_view key) {
  for (const JsonField& field : fields)
    if (field.key == key) return &field.value;
  return nullptr;
}

struct Measured {
  double value;
  std::string_view unit;
};

// Reads `raw` as an object and gives the value under the key as raw JSON; empty when absent.
std::string_view member(JsonReader& reader, std::string_view raw, std::string_view key) {
  const auto fields = reader.object(raw);
  const JsonValue* found = fields ? find(*fields, key) : nullptr;
  return found == nullptr ? std::string_view() : found->raw;
}

std::string text_of(JsonReader& reader, std::string_view raw, std::string_view key) {
  const auto fields = reader.object(raw);
  const JsonValue* found = fields ? find(*fields, key) : nullptr;
  return found == nullptr || found->kind != serde::JsonKind::string ? std::string()
                                                                    : std::string(found->text);
}

class TrackReader {
 public:
  explicit TrackReader(Drive& drive) : drive_(drive) {}

  Result<void> read(std::string_view text) {
    const auto track = outer_.object(text);
    if (!track) return pass(track.error());
    if (const JsonValue* properties = find(*track, "properties")) read_names(properties->raw);
    const JsonValue* features = find(*track, "features");
    if (features == nullptr || features->kind != serde::JsonKind::array)
      return fail(ErrorKind::invalid,
                  "the track has no list of features; it is no enviroCar track");
    const auto list = features_.array(features->raw);
    if (!list) return pass(list.error());
    for (std::size_t i = 0; i < list->size(); ++i)
      if (auto read = read_feature((*list)[i].raw); !read)
        return pass(read.error(), "feature " + std::to_string(i));
    rows_.finish(drive_);
    if (drive_.car.empty()) drive_.car = "envirocar";
    return {};
  }

 private:
  void read_names(std::string_view properties) {
    if (auto id = text_of(inner_, properties, "id"); !id.empty()) drive_.route = std::move(id);
    drive_.route.resize(std::min(drive_.route.size(), kRouteSizeMax));
    if (!drive_.car.empty()) return;
    drive_.car = text_of(inner_, properties, "sensor");
    if (!drive_.car.empty()) return;
    const std::string sensor(member(inner_, properties, "sensor"));
    drive_.car = text_of(inner_, member(inner_, sensor, "properties"), "id");
  }

  Result<void> read_feature(std::string_view raw) {
    rows_.begin_row();
    const auto properties = member(feature_, raw, "properties");
    const auto fields = inner_.object(properties);
    if (!fields) return pass(fields.error());
    const JsonValue* time = find(*fields, "time");
    if (time == nullptr || time->kind != serde::JsonKind::string)
      return fail(ErrorKind::invalid, "it has no time");
    const auto at = parse_time(time->text);
    if (!at) return pass(at.error());
    if (drive_.car.empty())
      if (const JsonValue* sensor = find(*fields, "sensor")) drive_.car = sensor->text;
    if (const JsonValue* measured = find(*fields, "phenomenons"))
      if (auto read = read_phenomenons(measured->raw, *at); !read) return read;
    return read_place(raw, *at);
  }

  Result<void> read_phenomenons(std::string_view raw, Timestamp at) {
    const auto phenomenons = list_.object(raw);
    if (!phenomenons) return pass(phenomenons.error());
    std::optional<Measured> consumption, air;
    for (const JsonField& field : *phenomenons) {
      const auto measured = read_measured(field.value.raw);
      if (!measured) continue;
      if (field.key == "Speed") rows_.add(at, Signal::speed_kmh, measured->value);
      if (field.key == "Rpm") rows_.add(at, Signal::engine_rpm, measured->value);
      if (field.key == "Engine Load") rows_.add(at, Signal::engine_load_percent, measured->value);
      if (field.key == "Consumption") consumption = measured;
      if (field.key == "MAF" || (field.key == "Calculated MAF" && !air)) air = measured;
    }
    if (consumption && is_litres_per_hour(*consumption, air))
      rows_.add(at, Signal::fuel_rate_lph, consumption->value);
    return {};
  }

  std::optional<Measured> read_measured(std::string_view raw) {
    const auto fields = leaf_.object(raw);
    if (!fields) return std::nullopt;
    const JsonValue* value = find(*fields, "value");
    const auto number = value == nullptr ? Result<double>(0) : value->number();
    if (value == nullptr || !number) return std::nullopt;
    const JsonValue* unit = find(*fields, "unit");
    return Measured{*number, unit == nullptr ? std::string_view() : unit->text};
  }

  // Old tracks name no unit, and not all have the same one. Without a unit the air that went into
  // the engine must say the same: 14.7 g of air burn 1 g of petrol, of which a litre weighs 745 g.
  static bool is_litres_per_hour(const Measured& consumption, const std::optional<Measured>& air) {
    if (!consumption.unit.empty()) return consumption.unit == "l/h";
    if (!air) return false;
    const double expected = air->value / 14.7 / 745 * 3600;
    return std::abs(consumption.value - expected) <= 0.05 * expected;
  }

  Result<void> read_place(std::string_view raw, Timestamp at) {
    const auto geometry = member(feature_, raw, "geometry");
    const auto coordinates = geometry.empty() ? geometry : member(inner_, geometry, "coordinates");
    if (coordinates.empty()) return {};
    const auto values = leaf_.array(coordinates);
    if (!values) return pass(values.error());
    if (values->size() < 2) return {};
    const auto longitude = (*values)[0].number(), latitude = (*values)[1].number();
    if (!longitude || !latitude) return fail(ErrorKind::invalid, "a coordinate is no number");
    rows_.add(at, Signal::longitude, *longitude);
    rows_.add(at, Signal::latitude, *latitude);
    return {};
  }

  Drive& drive_;
  DriveRows rows_;
  // One per depth: a call to a reader ends the life of what it gave before.
  JsonReader outer_{kTrackLimits}, features_{kTrackLimits}, feature_, inner_, list_, leaf_;
};

}  // namespace

Result<void> read_envirocar(std::string_view text, Drive& drive) {
  return TrackReader(drive).read(text);
}

}  // namespace adbrook::cars
