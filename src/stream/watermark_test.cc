#include "stream/watermark.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "io/random.h"

namespace adbrook::stream {
namespace watermark_test {

using namespace std::chrono_literals;

constexpr Timestamp kZero{1'400'000'000'000};
constexpr WatermarkOptions kOptions{.disorder = 10s, .skew_cap = 5min};
Uuid id(std::uint64_t n) { return {n, n}; }

TEST(Watermark, an_input_without_events_has_none) {
  EXPECT_FALSE(InputTime(kOptions).watermark().has_value());
}

TEST(Watermark, the_first_event_counts_at_once) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  EXPECT_EQ(input.watermark(), kZero - 10s);
}

TEST(Watermark, an_older_event_does_not_move_it_back) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  input.observe(id(2), kZero - 1h);
  EXPECT_EQ(input.watermark(), kZero - 10s);
}

TEST(Watermark, an_event_up_to_the_cap_counts_at_once) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  input.observe(id(2), kZero + 5min);
  EXPECT_EQ(input.confirmed(), kZero + 5min);
}

TEST(Watermark, one_event_above_the_cap_moves_nothing) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  input.observe(id(2), kZero + 5min + 1ms);
  EXPECT_EQ(input.confirmed(), kZero);
}

TEST(Watermark, the_same_id_again_confirms_nothing) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  input.observe(id(2), kZero + 1h);
  input.observe(id(2), kZero + 1h);
  EXPECT_EQ(input.confirmed(), kZero);
}

TEST(Watermark, a_second_id_above_the_cap_confirms_the_smaller_time) {
  for (const auto& [first, second] : {std::pair(2h, 1h), std::pair(1h, 2h)}) {
    InputTime input(kOptions);
    input.observe(id(1), kZero);
    input.observe(id(2), kZero + first);
    input.observe(id(3), kZero + second);
    EXPECT_EQ(input.confirmed(), kZero + 1h);
  }
}

TEST(Watermark, an_event_below_the_cap_leaves_the_candidate_waiting) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  input.observe(id(2), kZero + 1h);
  input.observe(id(3), kZero + 1min);
  EXPECT_EQ(input.confirmed(), kZero + 1min);
  input.observe(id(4), kZero + 2h);
  EXPECT_EQ(input.confirmed(), kZero + 1h);
}

TEST(Watermark, an_advance_raises_it_and_never_lowers_it) {
  InputTime input(kOptions);
  input.observe(id(1), kZero);
  input.advance(kZero + 1min);
  EXPECT_EQ(input.watermark(), kZero + 1min);
  input.advance(kZero);
  EXPECT_EQ(input.watermark(), kZero + 1min);
  input.observe(id(2), kZero + 2min);
  EXPECT_EQ(input.watermark(), kZero + 2min - 10s);
}

TEST(Watermark, times_before_2000_or_beyond_arrival_and_cap_are_not_accepted) {
  const InputTime input(kOptions);
  EXPECT_FALSE(input.accepts({946'684'799'999}, kZero));
  EXPECT_TRUE(input.accepts({946'684'800'000}, kZero));
  EXPECT_TRUE(input.accepts(kZero + 5min, kZero));
  EXPECT_FALSE(input.accepts(kZero + 5min + 1ms, kZero));
}

TEST(Watermark, a_task_takes_the_smallest_of_the_inputs_that_have_one) {
  const std::array<std::optional<Timestamp>, 3> inputs = {kZero + 2s, std::nullopt, kZero + 1s};
  EXPECT_EQ(task_watermark(inputs, Timestamp::lowest()), kZero + 1s);
}

TEST(Watermark, a_task_never_goes_back_when_an_input_begins_late) {
  const std::array<std::optional<Timestamp>, 2> inputs = {kZero, kZero - 1h};
  EXPECT_EQ(task_watermark(inputs, kZero), kZero);
}

TEST(Watermark, saved_and_loaded_it_goes_on_as_if_nothing_had_happened) {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed = given ? std::stoull(given) : 42;
  SCOPED_TRACE("ADBROOK_SEED=" + std::to_string(seed));
  io::SeededRandom random(seed);
  InputTime whole(kOptions);
  InputTime restored(kOptions);
  Timestamp before = Timestamp::lowest();
  for (int i = 0; i < 10'000; ++i) {
    const Uuid event = id(random.below(20));
    const Timestamp time = kZero + Millis(static_cast<std::int64_t>(random.below(40'000'000)));
    whole.observe(event, time);
    restored.observe(event, time);
    if (random.below(50) == 0) whole.advance(time), restored.advance(time);
    Buffer saved;
    restored.save(saved);
    ByteView rest = saved;
    restored = InputTime(kOptions);
    ASSERT_TRUE(restored.load(rest).has_value());
    ASSERT_TRUE(rest.empty());
    ASSERT_EQ(whole.watermark(), restored.watermark());
    ASSERT_GE(*whole.watermark(), before);
    before = *whole.watermark();
  }
}

TEST(Watermark, saved_bytes_that_are_cut_off_are_refused) {
  Buffer saved;
  InputTime(kOptions).save(saved);
  for (std::size_t size = 0; size < saved.size(); ++size) {
    ByteView cut = ByteView(saved).first(size);
    InputTime input(kOptions);
    EXPECT_EQ(input.load(cut).error().kind, ErrorKind::corrupt);
  }
}

}  // namespace watermark_test
}  // namespace adbrook::stream
