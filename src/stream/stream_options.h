// What an operator of the engine may set about its streams.
#pragma once

#include <string>

#include "base/settings.h"
#include "stream/watermark.h"

namespace adbrook::stream {

struct StreamOptions {
  Millis commit_interval{100};
  Bytes commit_size = 4_MiB;
  Millis disorder{10'000};
  Millis skew_cap{5 * 60'000};
  Millis idle_after{5'000};
  Millis idle_step{1'000};
  std::int64_t checkpoint_events = 500'000;
  Bytes memory_max = 4096_MiB;
  // When another topology's stores cannot be taken over: take all steps of the group again, without
  // writing what they wrote, instead of refusing to start.
  bool rebuild = false;

  WatermarkOptions watermarks() const { return {disorder, skew_cap}; }

  template <class O = StreamOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, Millis>{"commit.interval.ms", &O::commit_interval, Millis(1), Millis(60'000),
                           "Longest time between an event and its commit; longer ones make larger "
                           "and fewer writes and later results."},
        Setting<O, Bytes>{"commit.size", &O::commit_size, 64_KiB, 64_MiB,
                          "Outputs of a task that make it commit early; larger ones cost memory."},
        Setting<O, Millis>{"watermark.disorder", &O::disorder, Millis(0), Millis(86'400'000),
                           "How far events of one partition may be out of order; longer ones close "
                           "windows later."},
        Setting<O, Millis>{"watermark.skew.cap", &O::skew_cap, Millis(0), Millis(86'400'000),
                           "How far one event alone may push time; longer ones let one bad clock "
                           "make others late."},
        Setting<O, Millis>{"watermark.idle.after", &O::idle_after, Millis(100), Millis(3'600'000),
                           "Silence after which a partition's time moves with the clock; shorter "
                           "ones make late what a slow sender still sends."},
        Setting<O, Millis>{
            "watermark.idle.step", &O::idle_step, Millis(10), Millis(60'000),
            "How often silent partitions are moved; longer ones close windows later, "
            "shorter ones write more."},
        Setting<O, std::int64_t>{"checkpoint.events", &O::checkpoint_events, 1, 1'000'000'000,
                                 "Events of a task between two checkpoints; more make a restart "
                                 "replay longer, fewer write more."},
        Setting<O, Bytes>{"task.memory.max", &O::memory_max, 1_MiB, Bytes{std::int64_t{1} << 40},
                          "State of one task at which it takes no more input; larger ones need the "
                          "memory."},
    };
  }
};

}  // namespace adbrook::stream
