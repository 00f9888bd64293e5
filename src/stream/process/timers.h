// Timers of a processor: by event time, when the watermark passes them, and by the wall clock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/checkpoint.h"

namespace adbrook::stream {

enum class TimerClock : std::uint8_t { event_time, wall };

// Owned by one thread. By event time a timer fires first when time is known at all, then with each
// multiple of its period that time reaches; by the wall clock a period after it was first asked,
// then after each. However many were missed, it fires once.
class Timers {
 public:
  using Call = std::function<void(Timestamp)>;

  void add(Millis every, TimerClock clock, Call call) {
    timers_.push_back({every, clock, std::move(call), std::nullopt});
  }

  // run(call) for each timer of this clock that is due, in the order in which they were added.
  template <class Run>
  void fire(TimerClock clock, Timestamp now, Run run) {
    for (Timer& timer : timers_)
      if (timer.clock == clock && is_due(timer, now)) run(timer.call);
  }
  // When the first timer by the wall clock is due; lowest() for one that has not begun.
  std::optional<Timestamp> next_clock() const;

  void save(state::Checkpoint& checkpoint, std::string_view store) const;
  Result<void> load(const state::Checkpoint& checkpoint, std::string_view store);

 private:
  struct Timer {
    Millis every;
    TimerClock clock;
    Call call;
    std::optional<Timestamp> next;
  };

  // Also sets when it is due next.
  static bool is_due(Timer& timer, Timestamp now);

  std::vector<Timer> timers_;
};

}  // namespace adbrook::stream
