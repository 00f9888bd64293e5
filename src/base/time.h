// Points in time (ms since 1970 UTC) and durations, and RFC 3339 text for the first.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adbrook {

using Millis = std::chrono::milliseconds;
using Nanos = std::chrono::nanoseconds;

struct Timestamp {
  std::int64_t ms = 0;

  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr Timestamp operator+(Timestamp t, Millis d) { return {t.ms + d.count()}; }
  friend constexpr Timestamp operator-(Timestamp t, Millis d) { return {t.ms - d.count()}; }
  friend constexpr Millis operator-(Timestamp a, Timestamp b) { return Millis(a.ms - b.ms); }

  // Below and above every accepted event time, with room to add any window without overflow.
  static constexpr Timestamp lowest() { return {std::numeric_limits<std::int64_t>::min() / 4}; }
  static constexpr Timestamp highest() { return {std::numeric_limits<std::int64_t>::max() / 4}; }
};

// The start of the bucket of this size that holds `time`; also right before 1970.
constexpr Timestamp bucket_start(Timestamp time, Millis size) {
  const std::int64_t n = size.count();
  const std::int64_t rest = time.ms % n;
  return {time.ms - (rest < 0 ? rest + n : rest)};
}

// "2013-05-17T13:50:01.000Z". Years outside 0..9999 are printed as plain milliseconds.
std::string format_time(Timestamp time);

// Reads RFC 3339 (also with an offset, with 0-9 fraction digits, cut to ms) or whole ms since 1970.
Result<Timestamp> parse_time(std::string_view text);

// Reads "10s", "5m"/"5min", "24h", "7d", "250ms" or a bare number of ms; `-1` means no limit.
Result<Millis> parse_duration(std::string_view text);

// "24h", "1min", "250ms": the largest unit that divides it; parse_duration reads it back.
std::string format_duration(Millis duration);

}  // namespace adbrook
