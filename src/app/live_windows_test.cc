#include "app/live_windows.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

using stream::Outcome;

ads::LiveTotals totals(std::uint64_t impressions, std::uint64_t clicks = 0,
                       std::int64_t micros = 0) {
  ads::LiveTotals made;
  made.impressions[static_cast<std::size_t>(Outcome::counted)] = impressions;
  made.clicks[static_cast<std::size_t>(Outcome::joined)] = clicks;
  if (micros != 0) made.spends.push_back({"EUR", micros});
  return made;
}

Timestamp at(double seconds) { return {static_cast<std::int64_t>(1'000'000'000 + seconds * 1000)}; }

TEST(LiveWindows, what_was_there_at_the_first_look_is_in_no_window) {
  LiveWindows windows;
  windows.look(at(0), totals(1'000'000, 5));
  const LiveWindow window = windows.window(kLiveWindows[1]);
  EXPECT_EQ(window.covered, Millis(0));
  EXPECT_EQ(window.totals.ended_total(), 0U);
}

TEST(LiveWindows, each_window_has_what_came_in_its_time) {
  LiveWindows windows;
  for (int second = 0; second <= 3'600; ++second)
    windows.look(at(second), totals(static_cast<std::uint64_t>(second) * 100,
                                    static_cast<std::uint64_t>(second), second * 7));
  for (const auto& [size, seconds] :
       {std::pair(kLiveWindows[0], 10U), {kLiveWindows[1], 300U}, {kLiveWindows[2], 1'800U}}) {
    const LiveWindow window = windows.window(size);
    EXPECT_EQ(window.covered, size);
    EXPECT_EQ(window.totals.impressions_as(Outcome::counted), 100 * seconds);
    EXPECT_EQ(window.totals.clicks_as(Outcome::joined), seconds);
    EXPECT_EQ(window.totals.spends.front().micros, 7 * seconds);
  }
}

TEST(LiveWindows, a_window_that_is_older_than_the_start_says_what_it_covers) {
  LiveWindows windows;
  windows.look(at(0), totals(10));
  windows.look(at(60), totals(70));
  const LiveWindow window = windows.window(kLiveWindows[2]);
  EXPECT_EQ(window.covered, Millis(60'000));
  EXPECT_EQ(window.totals.impressions_as(Outcome::counted), 60U);
}

TEST(LiveWindows, slots_together_hold_everything_that_came) {
  LiveWindows windows;
  double seen = 0;
  std::size_t count = 0;
  windows.look(at(0), totals(0));
  for (int i = 1; i <= 1'000; ++i) {
    const auto complete = windows.look(at(i * 0.7), totals(static_cast<std::uint64_t>(i) * 10));
    for (const LiveSlot& slot : complete) seen += slot.impressions;
    count += complete.size();
  }
  EXPECT_EQ(count, 70U);
  EXPECT_NEAR(seen, 10'000, 0.01);
  EXPECT_NEAR(windows.slots()[30].impressions, 10 / 0.7 * 10, 0.01);
  EXPECT_EQ(windows.slots()[31].begin - windows.slots()[30].begin, kLiveSlotSize);
}

TEST(LiveWindows, a_long_sleep_costs_no_more_than_the_line_is_long) {
  LiveWindows windows;
  windows.look(at(0), totals(0));
  const auto complete = windows.look(at(1e8), totals(10));
  EXPECT_LE(complete.size(), kLiveSlotCount + 1);
  EXPECT_LE(windows.slots().size(), kLiveSlotCount);
}

}  // namespace
}  // namespace adbrook::app
