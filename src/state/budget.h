// What a store of bytes may use of memory, and what it does when that is not enough.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::state {

enum class OverBudget : std::uint8_t {
  wait,   // full() says so and the task takes no more input
  spill,  // cold entries go to disk
};

}  // namespace adbrook::state
