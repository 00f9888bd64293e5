// How events end, and the counts of it that must add up before every commit.
// Per input of a task: records taken = outcomes decided here + forwarded + pending.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::stream {

// The one terminal state of an event. `counted` is a parent's good end, `joined` and `unlinked` are
// a child's.
enum class Outcome : std::uint8_t {
  counted,
  joined,
  unlinked,
  expired,
  orphan,
  late,
  duplicate,
  filtered,
  rejected,
};
inline constexpr std::size_t kOutcomeCount = 9;
std::string_view to_string(Outcome outcome);

// Index into a task's table of reasons; 0 is "no reason".
struct ReasonId {
  std::uint16_t value = 0;
  friend constexpr auto operator<=>(ReasonId, ReasonId) = default;
};

// Where an event was first received and through which of the task's inputs it came.
struct Arrival {
  std::uint16_t input = 0;            // index of the task's input
  std::int32_t origin_partition = 0;  // of the topic that first received it
};

// Owned by one thread (the task's). Part of the task's state: saved in its checkpoint.
class OutcomeCounts {
 public:
  // Reasons come from code and codecs, never from event content; more distinct ones than this are
  // counted under "other".
  static constexpr std::size_t kReasonCountMax = 256;

  explicit OutcomeCounts(std::int32_t partition_count)
      : partition_count_(static_cast<std::size_t>(partition_count)), reasons_{""} {}

  // Inputs are added while the topology is built, before anything is counted.
  std::uint16_t add_input();

  // The id of this text, given out at the first call.
  ReasonId reason(std::string_view text);
  std::string_view reason_text(ReasonId reason) const { return reasons_[reason.value]; }

  void take(std::uint16_t input, std::uint64_t count) { taken_[input] += count; }
  void forward(std::uint16_t input, std::uint64_t count = 1) { forwarded_[input] += count; }
  void wait(Arrival arrival) { ++pending_[slot(arrival)]; }
  void wait_no_more(Arrival arrival) { --pending_[slot(arrival)]; }
  void settle(Arrival arrival, Outcome outcome, ReasonId reason = {}) {
    ++ended_[slot(arrival) * kOutcomeCount + static_cast<std::size_t>(outcome)];
    if (reason.value != 0) ++by_reason_[{slot(arrival), outcome, reason}];
  }

  std::uint64_t taken(std::uint16_t input) const { return taken_[input]; }
  std::uint64_t forwarded(std::uint16_t input) const { return forwarded_[input]; }
  std::uint64_t pending(Arrival arrival) const { return pending_[slot(arrival)]; }
  std::uint64_t pending_total() const;
  std::uint64_t count(Arrival arrival, Outcome outcome) const {
    return ended_[slot(arrival) * kOutcomeCount + static_cast<std::size_t>(outcome)];
  }

  // Calls f(Arrival, Outcome, std::string_view reason, std::uint64_t count) for each count above 0;
  // counts without a reason come with an empty one. The counts of one outcome add up to count().
  template <class F>
  void for_each(F f) const {
    auto unnamed = ended_;
    for (const auto& [key, count] : by_reason_) {
      unnamed[key.slot * kOutcomeCount + static_cast<std::size_t>(key.outcome)] -= count;
      f(arrival(key.slot), key.outcome, reason_text(key.reason), count);
    }
    for (std::size_t i = 0; i < unnamed.size(); ++i)
      if (unnamed[i] != 0)
        f(arrival(i / kOutcomeCount), static_cast<Outcome>(i % kOutcomeCount), std::string_view(),
          unnamed[i]);
  }

  // corrupt, naming the input and both sums, when an identity does not hold.
  Result<void> check(const std::vector<std::string>& input_names) const;

  // A number over all counts: two runs of the same steps have the same.
  std::uint64_t digest() const;

  void save(Buffer& to) const;
  // corrupt when the bytes are no saved counts of these sizes.
  Result<void> load(ByteView from);

 private:
  struct Key {
    std::size_t slot;
    Outcome outcome;
    ReasonId reason;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::size_t slot(Arrival a) const {
    return static_cast<std::size_t>(a.input) * partition_count_ +
           static_cast<std::size_t>(a.origin_partition);
  }
  Arrival arrival(std::size_t slot) const {
    return {static_cast<std::uint16_t>(slot / partition_count_),
            static_cast<std::int32_t>(slot % partition_count_)};
  }
  std::uint64_t ended_through(std::size_t input) const;

  std::size_t partition_count_;
  std::vector<std::uint64_t> taken_, forwarded_;  // by input
  std::vector<std::uint64_t> pending_;            // by slot
  std::vector<std::uint64_t> ended_;              // by slot and outcome, all reasons
  std::map<Key, std::uint64_t> by_reason_;
  std::vector<std::string> reasons_;
};

}  // namespace adbrook::stream
