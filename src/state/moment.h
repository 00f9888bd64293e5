// Which of a key's entries in one bucket of event time.
#pragma once

#include <compare>
#include <cstdint>

namespace adbrook::state {

struct Moment {
  std::uint32_t delta = 0;  // ms since the bucket's start
  std::uint32_t sequence = 0;
  friend auto operator<=>(const Moment&, const Moment&) = default;
};

}  // namespace adbrook::state
