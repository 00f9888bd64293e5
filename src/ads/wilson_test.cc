#include "ads/wilson.h"

#include <gtest/gtest.h>

namespace adbrook::ads {
namespace wilson_test {

// Expected values from the closed formula, computed with 30 decimal digits.
TEST(Wilson, matches_known_intervals) {
  const auto one_of_one = wilson_95(1, 1);
  ASSERT_TRUE(one_of_one);
  EXPECT_NEAR(one_of_one->low, 0.206549, 1e-6);
  EXPECT_NEAR(one_of_one->high, 1.0, 1e-12);
  const auto ten_of_hundred = wilson_95(10, 100);
  ASSERT_TRUE(ten_of_hundred);
  EXPECT_NEAR(ten_of_hundred->low, 0.055229, 1e-6);
  EXPECT_NEAR(ten_of_hundred->high, 0.174366, 1e-6);
}

TEST(Wilson, zero_successes_start_at_zero) {
  const auto interval = wilson_95(0, 50);
  ASSERT_TRUE(interval);
  EXPECT_DOUBLE_EQ(interval->low, 0.0);
  EXPECT_GT(interval->high, 0.0);
}

TEST(Wilson, no_trials_give_no_interval) { EXPECT_FALSE(wilson_95(0, 0)); }

TEST(Wilson, more_successes_than_trials_count_as_all) {
  EXPECT_DOUBLE_EQ(wilson_95(9, 3)->high, wilson_95(3, 3)->high);
}

}  // namespace wilson_test
}  // namespace adbrook::ads
