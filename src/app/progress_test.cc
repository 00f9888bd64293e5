#include "app/progress.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

struct Screen {
  std::string text;
  std::function<void(std::string_view)> writer() {
    return [this](std::string_view piece) { text += piece; };
  }
};

TEST(Progress, without_a_terminal_there_is_a_plain_line_every_five_seconds) {
  io::ManualClock clock({0});
  Screen screen;
  Progress progress(clock, "sending", "events", 1000, screen.writer(), {});
  clock.advance(Millis(4999));
  progress.update(100);
  EXPECT_EQ(screen.text, "");
  clock.advance(Millis(1));
  progress.update(500);
  EXPECT_EQ(screen.text, "sending 500 of 1,000 events (50 %), 100/s, 0:05 left\n");
  progress.finish();
  progress.finish();
  EXPECT_EQ(screen.text.substr(screen.text.find('\n') + 1),
            "sending 500 events took 5.0 s (100/s)\n");
}

TEST(Progress, a_terminal_is_redrawn_at_most_ten_times_a_second_and_never_wraps) {
  io::ManualClock clock({0});
  Screen screen;
  {
    Progress progress(clock, "sending", "events", std::nullopt, screen.writer(),
                      {.terminal = true, .width = 20});
    for (int i = 0; i < 1000; ++i) {
      clock.advance(Millis(1));
      progress.update(static_cast<std::uint64_t>(i));
    }
  }
  EXPECT_EQ(std::count(screen.text.begin(), screen.text.end(), '\r'), 10);
  EXPECT_TRUE(screen.text.ends_with("\n")) << "an interrupted one ends its line";
  const auto first = screen.text.substr(4, screen.text.find('\r', 1) - 4);
  EXPECT_EQ(first.size(), 19u);
}

TEST(Progress, elapsed_time_reads_like_a_clock) {
  EXPECT_EQ(format_elapsed(std::chrono::seconds(5)), "0:05");
  EXPECT_EQ(format_elapsed(std::chrono::seconds(3725)), "1:02:05");
}

}  // namespace
}  // namespace adbrook::app
