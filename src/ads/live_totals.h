// How events ended so far, in sums small enough to keep by the second: what the live numbers are
// differences of.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ads/live_tap.h"
#include "stream/outcomes.h"
#include "stream/task_view.h"

namespace adbrook::ads {

struct LiveTotals {
  using Ended = std::array<std::uint64_t, stream::kOutcomeCount>;

  Ended impressions{};
  Ended clicks{};
  std::vector<LiveTap::Spend> spends;  // of this process; by currency, ascending

  // Adds what one task says.
  void add(const stream::TaskView& task, const LiveTap& tap);
  // What came between `before` and this; `before` is of the same process.
  LiveTotals since(const LiveTotals& before) const;

  std::uint64_t ended_total() const;
  std::uint64_t impressions_as(stream::Outcome outcome) const {
    return impressions[static_cast<std::size_t>(outcome)];
  }
  std::uint64_t clicks_as(stream::Outcome outcome) const {
    return clicks[static_cast<std::size_t>(outcome)];
  }
};

}  // namespace adbrook::ads
