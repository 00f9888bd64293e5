#include "io/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace adbrook::io {
namespace {

// The published test vector of splitmix64 for the seed 1234567.
TEST(Random, seeded_numbers_are_those_of_splitmix64) {
  SeededRandom random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ull);
  EXPECT_EQ(random.next(), 3203168211198807973ull);
  EXPECT_EQ(random.next(), 9817491932198370423ull);
}

TEST(Random, numbers_below_a_bound_are_even) {
  SeededRandom random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(random.below(1), 0u);
  EXPECT_GE(random.below(~std::uint64_t{0}), 0u);
}

TEST(Random, fill_covers_every_byte) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 20; ++size) {
    std::set<std::size_t> touched;
    for (int round = 0; round < 40; ++round) {
      std::array<std::byte, 20> out{};
      random.fill(std::span(out).first(size));
      for (std::size_t i = 0; i < out.size(); ++i) {
        if (out[i] != std::byte{0}) touched.insert(i);
      }
    }
    EXPECT_EQ(touched.size(), size);
  }
}

TEST(Random, system_numbers_do_not_repeat) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(seen.insert(random.next()).second);
}

}  // namespace
}  // namespace adbrook::io
