// Windows of event time: what they are, which of them hold a moment, and keys that carry one.
#pragma once

#include <algorithm>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "stream/keyed/serde.h"

namespace adbrook::stream {

// Of tumbling and hopping windows [start, end); of a session the times of its first and its last
// record, both included.
struct TimeWindow {
  Timestamp start, end;
  friend auto operator<=>(const TimeWindow&, const TimeWindow&) = default;
};

template <class K>
struct Windowed {
  K key{};
  TimeWindow window;
  friend auto operator<=>(const Windowed&, const Windowed&) = default;
};

// The key's bytes, then start and end in eight bytes each, big-endian.
template <class K>
struct Serde<Windowed<K>> {
  static constexpr bool kBorrows = kBorrowsBytes<K>;
  static void encode(const Windowed<K>& value, Buffer& to) {
    Serde<K>::encode(value.key, to);
    Serde<Timestamp>::encode(value.window.start, to);
    Serde<Timestamp>::encode(value.window.end, to);
  }
  static bool decode(ByteView from, Windowed<K>& out) {
    constexpr std::size_t kTimes = 2 * sizeof(std::int64_t);
    if (from.size() < kTimes) return false;
    const ByteView times = from.last(kTimes);
    return Serde<K>::decode(from.first(from.size() - kTimes), out.key) &&
           Serde<Timestamp>::decode(times.first(kTimes / 2), out.window.start) &&
           Serde<Timestamp>::decode(times.last(kTimes / 2), out.window.end);
  }
};

// A window takes records until the watermark reaches its end plus the grace. A retention keeps what
// it holds readable for longer than that; zero is "as long as it takes records".
struct TumblingWindow {
  Millis size{0};
  Millis grace{0};
  Millis retention{0};
};
// A window begins at each multiple of `advance`, so a record may lie in several.
struct HoppingWindow {
  Millis size{0};
  Millis advance{0};
  Millis grace{0};
  Millis retention{0};
};
// A session takes records that come within the gap of one of its own, the gap included, until the
// watermark has passed that moment plus the grace.
struct SessionWindow {
  Millis gap{0};
  Millis grace{0};
  Millis retention{0};
};

// Tumbling windows are hopping ones that do not overlap.
constexpr HoppingWindow hopping(const TumblingWindow& window) {
  return {window.size, window.size, window.grace, window.retention};
}
constexpr HoppingWindow hopping(const HoppingWindow& window) { return window; }

// The buckets of a store of windows: long enough that few are open at once, short enough that a
// closed one is freed soon. Changes no answer.
Millis bucket_for(Millis length);
std::string describe(const HoppingWindow& window);
std::string describe(const SessionWindow& window);
// invalid, naming the store, the value and the rule.
Result<void> check_window(const std::string& store, const HoppingWindow& window);
Result<void> check_window(const std::string& store, const SessionWindow& window);

// Calls f(TimeWindow) for the windows that hold `time`, the oldest first.
template <class F>
void for_each_window(const HoppingWindow& window, Timestamp time, F f) {
  const Timestamp last = bucket_start(time, window.advance);
  Timestamp start = bucket_start(time - window.size, window.advance) + window.advance;
  for (; start <= last; start = start + window.advance) f(TimeWindow{start, start + window.size});
}

}  // namespace adbrook::stream
