#include "ads/live_tap.h"

#include <gtest/gtest.h>

#include <cmath>

namespace adbrook::ads {
namespace live_tap_test {

using stream::Outcome;

Impression impression(std::uint64_t id) { return {.id = {0, id}, .city = "Lyon"}; }

TEST(LiveTap, nothing_is_gathered_while_nobody_watches) {
  LiveTap tap;
  tap.add(impression(1), Outcome::counted);
  EXPECT_TRUE(tap.take(true).events.empty());
  tap.add(impression(2), Outcome::counted);
  EXPECT_EQ(tap.take(false).events.size(), 1U);
  tap.add(impression(3), Outcome::counted);
  EXPECT_TRUE(tap.take(false).events.empty());
}

TEST(LiveTap, a_sample_is_bounded_and_says_how_many_there_were) {
  LiveTap tap;
  tap.take(true);
  for (std::uint64_t i = 0; i < 10'000; ++i) tap.add(impression(i), Outcome::counted);
  tap.add(Click{.id = {1, 1}, .campaign_id = 7}, Outcome::joined);
  tap.add(Click{.id = {1, 2}}, Outcome::orphan, "unknown");
  const auto sample = tap.take(true);
  EXPECT_EQ(sample.events.size(), kLiveSampleMax[0] + 2);
  EXPECT_EQ(sample.seen[static_cast<std::size_t>(LiveClass::counted)], 10'000U);
  const LiveEvent& joined = sample.events[kLiveSampleMax[0]];
  EXPECT_EQ(joined.kind, EventKind::click);
  EXPECT_EQ(joined.campaign_id, 7);
  EXPECT_EQ(sample.events.back().reason, "unknown");
}

TEST(LiveTap, late_events_of_an_interval_have_the_chance_of_early_ones) {
  LiveTap tap;
  tap.take(true);
  std::size_t late = 0;
  for (int round = 0; round < 500; ++round) {
    for (std::uint64_t i = 0; i < 1'000; ++i) tap.add(impression(i), Outcome::counted);
    for (const LiveEvent& event : tap.take(true).events) late += event.id.low >= 500 ? 1 : 0;
  }
  // As many draws with chance 1/2 each, and five standard deviations.
  const double draws = 500 * static_cast<double>(kLiveSampleMax[0]);
  EXPECT_NEAR(static_cast<double>(late), draws / 2, 5 * std::sqrt(draws) / 2);
}

TEST(LiveTap, long_texts_are_cut) {
  LiveTap tap;
  tap.take(true);
  const std::string city(5'000, 'x');
  tap.add(Impression{.city = city}, Outcome::counted);
  EXPECT_EQ(tap.take(true).events.front().city.size(), kLiveTextMax);
}

TEST(LiveTap, money_of_two_currencies_is_never_added_up) {
  LiveTap tap;
  tap.spend("EUR", 5);
  tap.spend("USD", 7);
  tap.spend("EUR", 1);
  ASSERT_EQ(tap.spends().size(), 2U);
  EXPECT_EQ(tap.spends()[0].micros, 6);
  for (int i = 0; i < 100; ++i) tap.spend("X" + std::to_string(i), 1);
  EXPECT_EQ(tap.spends().size(), LiveTap::kCurrencyCountMax);
}

}  // namespace live_tap_test
}  // namespace adbrook::ads
