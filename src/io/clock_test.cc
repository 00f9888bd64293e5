#include "io/clock.h"

#include <gtest/gtest.h>

namespace adbrook::io {
namespace {

TEST(Clock, real_time_is_of_this_century_and_monotonic_time_never_goes_back) {
  RealClock clock;
  EXPECT_GT(clock.now(), Timestamp{1'600'000'000'000});
  EXPECT_LT(clock.now(), Timestamp{4'000'000'000'000});
  const Nanos first = clock.monotonic();
  EXPECT_LE(first, clock.monotonic());
}

TEST(Clock, manual_clock_moves_only_when_told) {
  ManualClock clock(Timestamp{1000});
  EXPECT_EQ(clock.now(), Timestamp{1000});
  clock.advance(Millis(5));
  EXPECT_EQ(clock.now(), Timestamp{1005});
  EXPECT_EQ(clock.monotonic(), Millis(5));
}

}  // namespace
}  // namespace adbrook::io
