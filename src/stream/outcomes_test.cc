#include "stream/outcomes.h"

#include <gtest/gtest.h>

namespace adbrook::stream {
namespace outcomes_test {

OutcomeCounts two_inputs() {
  OutcomeCounts counts(4);
  counts.add_input();
  counts.add_input();
  return counts;
}
const std::vector<std::string> kNames = {"orders", "payments"};

TEST(OutcomeCounts, sums_that_add_up_hold) {
  OutcomeCounts counts = two_inputs();
  counts.take(0, 4);
  counts.settle({0, 1}, Outcome::counted);
  counts.settle({0, 2}, Outcome::late, counts.reason("window_closed"));
  counts.forward(0);
  counts.wait({0, 3});
  EXPECT_TRUE(counts.check(kNames).has_value());
  EXPECT_EQ(counts.pending_total(), 1u);
  counts.wait_no_more({0, 3});
  counts.settle({0, 3}, Outcome::orphan);
  EXPECT_TRUE(counts.check(kNames).has_value());
}

TEST(OutcomeCounts, a_broken_sum_names_the_input_and_both_sides) {
  OutcomeCounts counts = two_inputs();
  counts.take(1, 2);
  counts.settle({1, 0}, Outcome::counted);
  const auto broken = counts.check(kNames);
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().kind, ErrorKind::corrupt);
  EXPECT_NE(broken.error().message.find("input payments do not add up: taken 2, but outcomes 1"),
            std::string::npos);
}

TEST(OutcomeCounts, each_reason_is_listed_and_what_has_none_too) {
  OutcomeCounts counts = two_inputs();
  const ReasonId closed = counts.reason("window_closed");
  counts.settle({0, 1}, Outcome::late, closed);
  counts.settle({0, 1}, Outcome::late, closed);
  counts.settle({0, 1}, Outcome::late);
  std::vector<std::string> seen;
  counts.for_each([&](Arrival a, Outcome outcome, std::string_view reason, std::uint64_t n) {
    seen.push_back(std::to_string(a.origin_partition) + " " + std::string(to_string(outcome)) +
                   " '" + std::string(reason) + "' " + std::to_string(n));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"1 late 'window_closed' 2", "1 late '' 1"}));
  EXPECT_EQ(counts.count({0, 1}, Outcome::late), 3u);
}

TEST(OutcomeCounts, too_many_reasons_become_other) {
  OutcomeCounts counts = two_inputs();
  ReasonId last;
  for (int i = 0; i < 1000; ++i) last = counts.reason("reason " + std::to_string(i));
  EXPECT_EQ(counts.reason_text(last), "other");
  EXPECT_LT(last.value, OutcomeCounts::kReasonCountMax);
}

TEST(OutcomeCounts, saved_and_loaded_they_are_the_same) {
  OutcomeCounts counts = two_inputs();
  counts.take(0, 7);
  counts.settle({0, 3}, Outcome::filtered, counts.reason("bot"));
  counts.wait({1, 2});
  Buffer saved;
  counts.save(saved);
  OutcomeCounts loaded = two_inputs();
  ASSERT_TRUE(loaded.load(saved).has_value());
  EXPECT_EQ(loaded.digest(), counts.digest());
  EXPECT_EQ(loaded.count({0, 3}, Outcome::filtered), 1u);
}

TEST(OutcomeCounts, saved_bytes_that_do_not_fit_are_refused) {
  OutcomeCounts counts = two_inputs();
  counts.settle({0, 3}, Outcome::filtered, counts.reason("bot"));
  Buffer saved;
  counts.save(saved);
  for (std::size_t size = 0; size < saved.size(); ++size) {
    OutcomeCounts loaded = two_inputs();
    EXPECT_FALSE(loaded.load(ByteView(saved).first(size)).has_value()) << size;
  }
  OutcomeCounts of_another_size(3);
  EXPECT_FALSE(of_another_size.load(saved).has_value());
}

}  // namespace outcomes_test
}  // namespace adbrook::stream
