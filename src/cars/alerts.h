// The hot path of connected cars: which car needs attention now. One book per car holds what is
// raised; each alert is raised once and cleared once. The rules are explained in docs/cars.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "cars/telemetry.h"

namespace adbrook::cars {

enum class AlertKind : std::uint8_t { engine_hot, oil_hot, fuel_low, harsh_driving };
inline constexpr std::size_t kAlertKindCount = 4;
std::string_view to_string(AlertKind kind);

// A level with two ends, so that a value that swings around one of them raises nothing twice.
struct LevelRule {
  AlertKind kind;
  Signal signal;
  double raise_at;
  double clear_at;
  bool above;      // raised at `raise_at` and above; else at it and below
  Millis hold{0};  // how long the value must stay there before it is raised or cleared
};
inline constexpr std::array<LevelRule, 3> kLevelRules = {{
    {AlertKind::engine_hot, Signal::coolant_c, 110, 105, true, Millis(0)},
    {AlertKind::oil_hot, Signal::oil_c, 135, 128, true, Millis(0)},
    // Fuel moves in its tank: what it says for a moment in a bend is no level.
    {AlertKind::fuel_low, Signal::fuel_level_percent, 10, 15, false, Millis(60'000)},
}};

// Change of speed, in km/h per second, from which braking and accelerating are harsh; 12 km/h in a
// second is a third of the earth's pull.
inline constexpr double kHarshKmhPerSecond = 12;
inline constexpr Millis kHarshGapMax{2'000};     // readings further apart tell nothing
inline constexpr Millis kHarshQuietFor{10'000};  // then it is cleared

// What became of one alert at one reading. `value` is what made it so.
struct AlertChange {
  AlertKind kind;
  bool raised;
  Timestamp time;
  double value;
  friend bool operator==(const AlertChange&, const AlertChange&) = default;
};

// Plain memory: it is a state of the stream. Readings must come in order of time; one that is not
// younger than the one before it (a late one, one sent twice) changes nothing.
class AlertBook {
 public:
  void take(const Telemetry& reading);

  // By the last reading only.
  std::size_t change_count() const { return change_count_; }
  const AlertChange& change(std::size_t index) const { return changes_[index]; }

  bool is_raised(AlertKind kind) const { return alerts_[static_cast<std::size_t>(kind)].raised; }
  Timestamp raised_at(AlertKind kind) const {
    return alerts_[static_cast<std::size_t>(kind)].raised_at;
  }

 private:
  struct Alert {
    Timestamp raised_at;
    Timestamp turning_since;  // the other side's value has been there since then
    bool raised = false;
    bool turning = false;
  };

  Alert& alert(AlertKind kind) { return alerts_[static_cast<std::size_t>(kind)]; }
  void take_level(const LevelRule& rule, const Telemetry& reading);
  void take_speed(const Telemetry& reading);
  void turn(AlertKind kind, Timestamp time, double value);

  std::array<Alert, kAlertKindCount> alerts_{};
  std::array<AlertChange, kAlertKindCount> changes_{};
  std::uint64_t change_count_ = 0;
  Timestamp last_time_ = Timestamp::lowest();
  Timestamp speed_time_ = Timestamp::lowest();
  Timestamp harsh_time_ = Timestamp::lowest();
  double speed_ = 0;
};

}  // namespace adbrook::cars
