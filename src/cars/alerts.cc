#include "cars/alerts.h"

#include <cmath>

namespace adbrook::cars {

std::string_view to_string(AlertKind kind) {
  switch (kind) {
    case AlertKind::engine_hot: return "engine_hot";
    case AlertKind::oil_hot: return "oil_hot";
    case AlertKind::fuel_low: return "fuel_low";
    case AlertKind::harsh_driving: return "harsh_driving";
  }
  return "unknown";
}

void AlertBook::take(const Telemetry& reading) {
  change_count_ = 0;
  if (reading.time <= last_time_) return;
  last_time_ = reading.time;
  for (const LevelRule& rule : kLevelRules) take_level(rule, reading);
  take_speed(reading);
}

void AlertBook::turn(AlertKind kind, Timestamp time, double value) {
  Alert& of = alert(kind);
  of.raised = !of.raised;
  of.turning = false;
  if (of.raised) of.raised_at = time;
  changes_[change_count_++] = {kind, of.raised, time, value};
}

// An absent signal says nothing: neither that it is better nor that it is worse.
void AlertBook::take_level(const LevelRule& rule, const Telemetry& reading) {
  const auto value = reading[rule.signal];
  if (!value) return;
  Alert& of = alert(rule.kind);
  const double turn_at = of.raised ? rule.clear_at : rule.raise_at;
  const bool wants_above = rule.above != of.raised;
  // What raises includes its limit; what clears is beyond it.
  const bool beyond = of.raised ? (wants_above ? *value > turn_at : *value < turn_at)
                                : (wants_above ? *value >= turn_at : *value <= turn_at);
  if (!beyond) {
    of.turning = false;
    return;
  }
  if (!of.turning) {
    of.turning = true;
    of.turning_since = reading.time;
  }
  if (reading.time - of.turning_since >= rule.hold) turn(rule.kind, reading.time, *value);
}

void AlertBook::take_speed(const Telemetry& reading) {
  const Alert& harsh = alert(AlertKind::harsh_driving);
  if (const auto speed = reading[Signal::speed_kmh]) {
    const Millis gap = reading.time - speed_time_;
    const double change =
        (*speed - speed_) * 1000 / static_cast<double>(std::max<std::int64_t>(gap.count(), 1));
    const bool known = speed_time_ != Timestamp::lowest() && gap <= kHarshGapMax;
    speed_ = *speed;
    speed_time_ = reading.time;
    if (known && std::abs(change) >= kHarshKmhPerSecond) {
      harsh_time_ = reading.time;
      if (!harsh.raised) turn(AlertKind::harsh_driving, reading.time, change);
      return;
    }
  }
  if (harsh.raised && reading.time - harsh_time_ >= kHarshQuietFor)
    turn(AlertKind::harsh_driving, reading.time, 0);
}

}  // namespace adbrook::cars
