// What a store of bytes may use of memory, and what it does when that is not enough.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::state {

enum class OverBudget : std::uint8_t {
  wait,   // full() says so and the task takes no more input
  spill,  // cold entries go to disk: the oldest buckets, or whole partitions in turn
};

// Room for the records of a partition or bucket and for the index of what was spilled of it.
inline constexpr Bytes kBudgetMin = 64_KiB;

// Bytes spilled at once from which on freed pages are given back to the kernel.
inline constexpr std::uint64_t kWorthGivingBack = 1 << 20;

// Refuses a budget that is too small to hold anything.
Result<void> check_budget(Bytes budget, OverBudget over_budget);

// What a store does about its budget. Above `high` it spills until it is below `low`; the rest is
// for what is held while a run is written: keys in order, hashes for its filter.
struct BudgetMarks {
  explicit BudgetMarks(Bytes budget)
      : high(static_cast<std::size_t>(budget.count - budget.count / 8)),
        low(static_cast<std::size_t>(budget.count - budget.count / 8 - budget.count / 64)),
        worth_spilling(static_cast<std::size_t>(budget.count / 8)) {}
  std::size_t high;
  std::size_t low;
  // With less in memory the budget is used up by the index of what was spilled: then the store
  // fills up instead of writing a run for every entry.
  std::size_t worth_spilling;
};

}  // namespace adbrook::state
