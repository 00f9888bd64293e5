// The aborted transactions of one partition, found by the offsets they span, so that a reader of
// committed records knows what to leave out.
#pragma once

#include <cstddef>
#include <vector>

#include "log/log.h"

namespace adbrook::log {

// Guarded by whoever owns it.
class AbortedIndex {
 public:
  // A look gives about this many; what lies behind is for the next one.
  static constexpr std::size_t kLookCountMax = 4096;

  void add(const AbortedTransaction& transaction);
  // Those that ended below.
  void drop_below(Offset start);

  // Those that ended at one of these offsets, sorted: nothing is left of them.
  void remove_ended_at(const std::vector<Offset>& ends);

  // All that touch [from, end), by their first offset. `end` comes nearer when there are too many,
  // to where one begins above `from`.
  std::vector<AbortedTransaction> look(Offset from, Offset& end) const;

  std::vector<AbortedTransaction> describe() const;

 private:
  struct Row {
    AbortedTransaction transaction;
    Offset last_most;  // of this row and all before it; never falls
  };
  void measure_from(std::size_t index);

  std::vector<Row> rows_;  // by first offset
};

}  // namespace adbrook::log
