// The table of the event join, row by row and at its edges.
#include "stream/join.h"

#include <gtest/gtest.h>

#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace join_test {

using namespace std::chrono_literals;
using namespace example;
using Lines = std::vector<std::string>;

TEST(Join, a_child_inside_the_window_is_joined_and_is_the_first) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.payment(2, 30min, 1);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "joined 2 to 1", "first 2 of 1"}));
  EXPECT_EQ(driver.count("payments", Outcome::joined), 1u);
  EXPECT_EQ(driver.count("orders", Outcome::counted), 1u);
}

TEST(Join, a_child_beyond_the_window_is_expired) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.payment(2, 30min + 1ms, 1);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "expired 2"}));
}

TEST(Join, a_child_beyond_the_window_is_expired_also_after_the_summary) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.watermark_to(2h);
  driver.moments();
  driver.payment(2, 31min, 1);
  EXPECT_EQ(driver.moments(), (Lines{"expired 2"}));
}

TEST(Join, a_child_before_its_parent_is_joined_up_to_the_skew) {
  TellingDriver driver;
  driver.order(1, 10s);
  driver.payment(2, 8s, 1);
  driver.payment(3, 8s - 1ms, 1);
  EXPECT_EQ(driver.moments(),
            (Lines{"counted 1", "joined 2 to 1", "first 2 of 1", "orphan(before_parent) 3"}));
}

TEST(Join, a_child_of_a_closed_window_is_late) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.watermark_to(31min);
  driver.payment(2, 30min, 1);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "joined 2 to 1", "first 2 of 1"}));
  driver.watermark_to(31min + 1ms);
  EXPECT_EQ(driver.moments(), (Lines{"summary 1: 2"}));
  driver.payment(3, 30min, 1);
  EXPECT_EQ(driver.moments(), (Lines{"late(window_closed) 3"}));
}

TEST(Join, a_child_waits_for_its_parent_and_is_joined_when_it_comes) {
  TellingDriver driver;
  driver.payment(2, 5s, 1);
  EXPECT_EQ(driver.moments(), Lines{});
  driver.order(1, 0s);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "joined 2 to 1", "first 2 of 1"}));
}

TEST(Join, a_waiting_child_is_an_orphan_when_the_watermark_passes_its_grace) {
  TellingDriver driver;
  driver.payment(2, 5s, 1);
  driver.watermark_to(65s);
  EXPECT_EQ(driver.moments(), Lines{});
  driver.watermark_to(65s + 1ms);
  EXPECT_EQ(driver.moments(), (Lines{"orphan(unknown) 2"}));
  EXPECT_EQ(driver.count("payments", Outcome::orphan, "unknown"), 1u);
}

TEST(Join, a_child_of_nobody_is_an_orphan_at_once_when_its_grace_is_over) {
  TellingDriver driver;
  driver.watermark_to(10min);
  driver.payment(2, 5s, 1);
  EXPECT_EQ(driver.moments(), (Lines{"orphan(unknown) 2"}));
}

TEST(Join, several_waiting_children_are_judged_in_the_order_they_came) {
  TellingDriver driver;
  driver.watermark_to(0s);
  driver.payment(4, 9s, 1);
  driver.payment(3, 7s, 1);
  driver.payment(5, 31min, 1);
  driver.order(1, 0s);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "joined 4 to 1", "first 4 of 1", "joined 3 to 1",
                                     "first 3 before 4 of 1", "expired 5"}));
}

TEST(Join, a_child_of_a_filtered_parent_is_filtered) {
  TellingDriver driver;
  driver.order(1, 0s, "trial");
  driver.payment(2, 5s, 1);
  EXPECT_EQ(driver.moments(), (Lines{"filtered(parent_filtered) 2"}));
  EXPECT_EQ(driver.count("orders", Outcome::filtered, "trial-shop"), 1u);
}

TEST(Join, a_waiting_child_is_filtered_when_its_parent_is) {
  TellingDriver driver;
  driver.payment(2, 5s, 1);
  driver.order(1, 0s, "trial");
  EXPECT_EQ(driver.moments(), (Lines{"filtered(parent_filtered) 2"}));
}

TEST(Join, filtered_goes_before_expired_and_before_parent) {
  TellingDriver driver;
  driver.order(1, 10min, "trial");
  driver.payment(2, 0s, 1);
  driver.payment(3, 90min, 1);
  EXPECT_EQ(driver.moments(),
            (Lines{"filtered(parent_filtered) 2", "filtered(parent_filtered) 3"}));
}

TEST(Join, an_earlier_child_moves_the_first_one_and_a_later_one_does_not) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.payment(5, 10s, 1);
  driver.payment(6, 20s, 1);
  driver.payment(4, 10s, 1);
  driver.watermark_to(1h);
  EXPECT_EQ(driver.moments(),
            (Lines{"counted 1", "joined 5 to 1", "first 5 of 1", "joined 6 to 1", "joined 4 to 1",
                   "first 4 before 5 of 1", "summary 1: 4 5 6"}));
}

TEST(Join, every_parent_has_one_summary_in_the_order_of_time) {
  TellingDriver driver;
  driver.order(3, 2s);
  driver.order(1, 1s);
  driver.order(2, 1s);
  driver.moments();
  driver.watermark_to(1h);
  EXPECT_EQ(driver.moments(), (Lines{"summary 1:", "summary 2:", "summary 3:"}));
  driver.watermark_to(2h);
  EXPECT_EQ(driver.moments(), Lines{});
}

TEST(Join, a_parent_that_comes_after_its_window_is_counted_and_summarised_at_once) {
  TellingDriver driver;
  driver.watermark_to(2h);
  const auto commits = driver.bus().records({"test-changelog", 0}).size();
  driver.order(1, 0s);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "summary 1:"}));
  EXPECT_EQ(driver.bus().records({"test-changelog", 0}).size(), commits + 1);
}

TEST(Join, a_parent_is_known_until_the_watermark_passes_its_horizon) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.watermark_to(24h);
  driver.moments();
  driver.payment(2, 31min, 1);
  EXPECT_EQ(driver.moments(), (Lines{"expired 2"}));
  driver.watermark_to(24h + 1ms);
  driver.payment(3, 31min, 1);
  EXPECT_EQ(driver.moments(), (Lines{"orphan(unknown) 3"}));
}

TEST(Join, a_child_without_a_parent_id_never_comes_here) {
  TellingDriver driver;
  driver.payment(2, 5s, 0);
  EXPECT_EQ(driver.moments(), Lines{});
  EXPECT_EQ(driver.count("payments", Outcome::unlinked), 1u);
}

TEST(Join, children_find_parents_of_other_partitions) {
  TellingDriver driver({.partition_count = 4});
  for (std::uint64_t n = 1; n <= 50; ++n) driver.pipe("orders", order_record(n, driver.zero()));
  for (std::uint64_t n = 1; n <= 50; ++n)
    driver.pipe("payments", payment_record(n, driver.zero() + 1s, n));
  driver.run();
  EXPECT_EQ(driver.count("payments", Outcome::joined), 50u);
  EXPECT_EQ(driver.runner().trouble(), "");
}

}  // namespace join_test
}  // namespace adbrook::stream
