// Watermarks: the event time below which an input, and the task over all its inputs, expects
// nothing more. Pure: no clock, no threads; the same observations give the same watermark.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::stream {

struct WatermarkOptions {
  Millis disorder{10'000};      // how far events of one input may be out of order
  Millis skew_cap{5 * 60'000};  // how far one single event may push the watermark
};

// No event before this is accepted anywhere.
inline constexpr Timestamp kEarliestEventTime{946'684'800'000};  // 2000-01-01T00:00:00Z

// Event time of one input. Owned by one thread; saved with the task's state.
class InputTime {
 public:
  explicit InputTime(WatermarkOptions options) : options_(options) {}

  // Times that an event taken at `append_time` may have.
  bool accepts(Timestamp time, Timestamp append_time) const {
    return time >= kEarliestEventTime && time <= append_time + options_.skew_cap;
  }

  // The input delivered this event. A first event is confirmed at once; one above the cap is only a
  // candidate until an event with another id lies above the cap too, and the smaller one counts.
  void observe(Uuid id, Timestamp time) {
    if (confirmed_ && time <= *confirmed_) [[likely]]
      return;
    observe_newer(id, time);
  }

  // Moves the input's watermark by a recorded decision (idle clock, promises of other tasks).
  void advance(Timestamp watermark);

  // Nothing before the first event and the first advance.
  std::optional<Timestamp> watermark() const;
  std::optional<Timestamp> confirmed() const { return confirmed_; }

  void save(Buffer& to) const;
  // Takes its bytes off the front of `from`; corrupt when they are no saved input time.
  Result<void> load(ByteView& from);

 private:
  void observe_newer(Uuid id, Timestamp time);

  struct Candidate {
    Uuid id;
    Timestamp time;
  };
  WatermarkOptions options_;
  std::optional<Timestamp> confirmed_;
  std::optional<Candidate> candidate_;
  std::optional<Timestamp> advanced_;
};

// The watermark of a task: the smallest of the inputs that have one, but never before `previous`.
Timestamp task_watermark(std::span<const std::optional<Timestamp>> inputs, Timestamp previous);

}  // namespace adbrook::stream
