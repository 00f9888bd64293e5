// What `GET /v1/live` streams: several times a second, while somebody reads it, one frame with the
// live numbers and a sample of events. docs/live.md describes the frames.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ads/click_service.h"
#include "ads/live_tap.h"
#include "app/live_windows.h"
#include "http/event_feed.h"
#include "io/clock.h"
#include "io/executor.h"
#include "stream/task_runner.h"

namespace adbrook::app {

// All outlive the feed; the taps are touched inside questions to their tasks only.
struct LiveSources {
  stream::TaskRunner& tasks;
  std::vector<ads::LiveTap>& taps;
  ads::ClickService& clicks;
  io::Clock& clock;
  io::Executor& executor;
};

// Thread-safe.
class LiveFeed : public std::enable_shared_from_this<LiveFeed> {
 public:
  // A look at every task: this often while somebody reads, else only to keep the half hour. What
  // waits is committed by the look, so this bounds how late an event is seen.
  static constexpr Millis kFrameInterval{100};
  // Between frames in which nothing is new.
  static constexpr Millis kQuietFrameInterval{500};
  static constexpr Millis kUnwatchedInterval{5'000};

  // Begins to look; ends with the last owner.
  static std::shared_ptr<LiveFeed> start(LiveSources sources);

  http::Response open(const http::Request& request);

 private:
  explicit LiveFeed(LiveSources sources);

  // What the tasks said in one look, task after task.
  struct Round {
    std::int32_t answers = 0;
    ads::LiveTotals totals;
    std::vector<ads::LiveEvent> events;
    std::array<std::uint64_t, ads::kLiveClassCount> seen{};
    std::optional<ads::Freshness> freshness;
    bool watched = false;
  };

  void begin_round();
  void ask(std::int32_t task);
  void hear(const stream::TaskView& task);
  void finish_round();
  bool has_news(Timestamp now) const;
  void schedule(Millis delay);
  std::string frame(Timestamp now) const;
  std::string greeting() const;

  LiveSources sources_;
  http::EventFeed feed_;
  Round round_;  // touched by one step at a time: each posts the next

  mutable std::mutex mutex_;  // guards what follows: readers come on the threads of connections
  LiveWindows windows_;
  bool has_numbers_ = false;
  Timestamp framed_at_ = Timestamp::lowest();
  bool in_round_ = false;
  std::uint64_t schedule_number_ = 0;  // a step that waits under an older number does nothing
};

}  // namespace adbrook::app
