#include "ads/wilson.h"

#include <algorithm>
#include <cmath>

namespace adbrook::ads {

std::optional<Interval> wilson_95(std::uint64_t successes, std::uint64_t trials) {
  if (trials == 0) return std::nullopt;
  constexpr double kZ = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double rate = static_cast<double>(std::min(successes, trials)) / n;
  const double z2 = kZ * kZ;
  const double centre = (rate + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ * std::sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n);
  // At the ends the interval is exact; rounding would leave it a hair inside.
  return Interval{successes == 0 ? 0.0 : std::max(0.0, centre - half),
                  successes >= trials ? 1.0 : std::min(1.0, centre + half)};
}

}  // namespace adbrook::ads
