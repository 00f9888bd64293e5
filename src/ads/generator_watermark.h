// What the engine's watermark has reached for sure, from what was sent so far: the generator sends
// a late event only when it is late whatever the engine's pace.
#pragma once

#include <cstdint>
#include <vector>

#include "ads/generator_event.h"
#include "base/time.h"

namespace adbrook::ads {

// The rules of docs/click-join.md at their defaults, judged pessimistically: all partitions of all
// inputs, linked clicks apart by the task they come from and the task they go to.
class SentWatermark {
 public:
  explicit SentWatermark(std::int32_t partition_count);

  // An event in its place in the order of sending. Leaving out some events is safe.
  void sent(const SyntheticEvent& event);

  // Every task's watermark is at least this, once all that was sent has been processed.
  // Timestamp::lowest() until every task has seen both topics.
  Timestamp reached() const;

 private:
  struct Input {
    std::int64_t largest_ms = Timestamp::lowest().ms;  // confirmed
    std::int64_t candidate_ms = Timestamp::lowest().ms;
    void sent(std::int64_t ms);
    bool is_used() const { return largest_ms != Timestamp::lowest().ms; }
  };
  std::size_t partition_of(Uuid id) const;

  std::int32_t partition_count_;
  std::vector<Input> impressions_;
  std::vector<Input> clicks_;
  std::vector<Input> linked_clicks_;  // by task they come from and task they go to
};

}  // namespace adbrook::ads
