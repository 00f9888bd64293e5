// The 95 % Wilson score interval of a rate, for click-through rates of any size.
#pragma once

#include <cstdint>
#include <optional>

namespace adbrook::ads {

struct Interval {
  double low;
  double high;
};

// Wilson (1927), without continuity correction, z = 1.959964. `successes` may be above `trials`
// for a cell that is not final yet; it is then taken as equal. Nothing when there are no trials.
std::optional<Interval> wilson_95(std::uint64_t successes, std::uint64_t trials);

}  // namespace adbrook::ads
