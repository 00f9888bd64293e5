// What every stateful step may say about its store.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "state/key_value_store.h"

namespace adbrook::stream {

// Below this no store can hold even one bucket with its tables.
inline constexpr Bytes kStoreBudgetMin = 64_KiB;

struct StoreOptions {
  Bytes budget = 256_MiB;  // of memory, per task
  state::OverBudget over_budget =
      state::OverBudget::wait;  // then input waits, or cold entries spill
};

inline state::KeyValueStoreOptions key_value_options(const StoreOptions& options,
                                                     std::uint64_t hash_seed) {
  return {.budget = options.budget, .over_budget = options.over_budget, .hash_seed = hash_seed};
}

// For a step that divides its budget between `part_count` stores of its own.
inline Result<void> check_budget(const std::string& store, const StoreOptions& options,
                                 std::int64_t part_count = 1) {
  const std::int64_t least = kStoreBudgetMin.count * part_count;
  if (options.budget.count >= least) return {};
  const std::string parts =
      part_count == 1 ? "one bucket takes" : "a bucket in each of its parts takes";
  return fail(ErrorKind::invalid, "store " + store + " has a budget of " +
                                      std::to_string(options.budget.count) + " bytes, less than " +
                                      parts + "; give it at least " + std::to_string(least));
}

}  // namespace adbrook::stream
