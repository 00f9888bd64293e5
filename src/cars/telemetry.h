// One reading of a car: what its sensors said at one moment and for how long that stands. A sensor
// that said nothing is absent, never zero. Names, units and the JSON are described in docs/cars.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::serde {
class JsonReader;
}

namespace adbrook::cars {

enum class Signal : std::uint8_t {
  speed_kmh,
  engine_rpm,
  engine_load_percent,
  coolant_c,
  oil_c,
  fuel_level_percent,
  fuel_rate_lph,
  fuel_used_l,  // since the reading before
  latitude,
  longitude,
};
inline constexpr std::size_t kSignalCount = 10;

struct SignalKind {
  std::string_view name;
  double min, max;  // what a working sensor can say
};
// By Signal.
inline constexpr std::array<SignalKind, kSignalCount> kSignals = {{
    {"speed_kmh", 0, 400},
    {"engine_rpm", 0, 20'000},
    {"engine_load_percent", 0, 100},
    {"coolant_c", -60, 250},
    {"oil_c", -60, 300},
    {"fuel_level_percent", 0, 110},
    {"fuel_rate_lph", 0, 500},
    {"fuel_used_l", 0, 100},
    {"latitude", -90, 90},
    {"longitude", -180, 180},
}};

inline constexpr std::size_t kRouteSizeMax = 200;
inline constexpr Millis kCoversMax{10'000};
// Row numbers fit the 53 bits that JSON numbers keep.
inline constexpr std::uint64_t kRowMax = std::uint64_t{1} << 53;

struct Telemetry {
  std::string_view route;  // what the source calls one drive
  std::uint64_t row = 0;   // of the route; a reading sent twice has its number twice
  Timestamp time;
  Millis covers{0};  // since the reading before, at most kCoversMax; 0 for the first one
  std::array<std::optional<double>, kSignalCount> signals;

  std::optional<double>& operator[](Signal s) { return signals[static_cast<std::size_t>(s)]; }
  std::optional<double> operator[](Signal s) const { return signals[static_cast<std::size_t>(s)]; }
  friend bool operator==(const Telemetry&, const Telemetry&) = default;
};

// One JSON object; signals that are absent are not written.
std::string to_json(const Telemetry& reading);
// `route` of the result is a view into `json` or into `reader`. invalid: names the field, the value
// and the rule.
Result<Telemetry> parse_telemetry(std::string_view json, serde::JsonReader& reader);

}  // namespace adbrook::cars
