// Every operator but the join, each through a driver: what it lets through, ends and counts.
#include <gtest/gtest.h>

#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace operators_test {

using namespace std::chrono_literals;
using namespace example;

TEST(Source, a_record_that_cannot_be_read_is_rejected_with_its_bytes_and_reason) {
  TellingDriver driver;
  driver.pipe("orders", 0, {{"k", "not an order", std::nullopt}});
  driver.run();
  const auto letters = driver.records("dead-letters");
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].value, "not an order");
  EXPECT_EQ(letters[0].key, "broken_line");
  EXPECT_EQ(driver.count("orders", Outcome::rejected, "broken_line"), 1u);
}

TEST(Source, a_broken_record_stops_none_of_its_batch) {
  TellingDriver driver;
  driver.pipe(
      "orders", 0,
      {order_record(1, driver.zero()), {"k", "?", std::nullopt}, order_record(2, driver.zero())});
  driver.run();
  EXPECT_EQ(driver.count("orders", Outcome::counted), 2u);
  EXPECT_EQ(driver.count("orders", Outcome::rejected, "broken_line"), 1u);
}

TEST(Source, a_time_out_of_range_is_rejected_and_moves_no_watermark) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.pipe("orders", order_record(2, {0}));
  driver.pipe("orders", order_record(3, driver.now() + 24h * 366));
  driver.run();
  EXPECT_EQ(driver.count("orders", Outcome::rejected, kTimestampOutOfRange), 2u);
  EXPECT_EQ(driver.watermark(), driver.zero());
}

TEST(Source, a_misplaced_record_is_forwarded_once_and_counted_where_it_arrived) {
  TellingDriver driver({.partition_count = 4});
  constexpr std::uint64_t kCount = 40;
  std::vector<TestRecord> all;
  for (std::uint64_t n = 1; n <= kCount; ++n) all.push_back(order_record(n, driver.zero()));
  driver.pipe("orders", 2, all);
  driver.run();
  EXPECT_EQ(driver.count("orders", Outcome::counted), kCount);
  std::uint64_t taken = 0, forwarded = 0, with_origin_2 = 0;
  for (std::int32_t p = 0; p < 4; ++p)
    driver.ask(p, [&](const TaskView& task) {
      taken += task.counts().taken(0);
      forwarded += task.counts().forwarded(0);
      for (std::uint16_t i = 0; i < task.inputs().size(); ++i)
        with_origin_2 += task.counts().count({i, 2}, Outcome::counted);
    });
  EXPECT_EQ(taken, kCount);
  EXPECT_EQ(with_origin_2, kCount);
  EXPECT_EQ(forwarded, driver.records("orders-placed").size());
  EXPECT_GT(forwarded, 20u);
  EXPECT_LT(forwarded, kCount);
}

TEST(Source, an_id_is_deduplicated_wherever_its_copies_arrive) {
  TellingDriver driver({.partition_count = 4});
  for (std::int32_t p = 0; p < 4; ++p) driver.pipe("orders", p, {order_record(7, driver.zero())});
  driver.run();
  EXPECT_EQ(driver.count("orders", Outcome::counted), 1u);
  EXPECT_EQ(driver.count("orders", Outcome::duplicate), 3u);
}

TEST(Dedupe, the_second_copy_is_a_duplicate_whatever_its_content) {
  TellingDriver driver;
  driver.order(1, 0s, "books");
  driver.order(1, 5s, "toys");
  EXPECT_EQ(driver.count("orders", Outcome::counted), 1u);
  EXPECT_EQ(driver.count("orders", Outcome::duplicate), 1u);
}

TEST(Dedupe, two_copies_in_one_batch_are_told_apart) {
  TellingDriver driver;
  driver.pipe("orders", 0, {order_record(1, driver.zero()), order_record(1, driver.zero())});
  driver.run();
  EXPECT_EQ(driver.count("orders", Outcome::counted), 1u);
  EXPECT_EQ(driver.count("orders", Outcome::duplicate), 1u);
}

TEST(Dedupe, a_copy_is_a_duplicate_up_to_the_horizon_and_late_beyond_it) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.watermark_to(24h);
  driver.order(1, 0s);
  EXPECT_EQ(driver.count("orders", Outcome::duplicate), 1u);
  driver.watermark_to(24h + 1ms);
  driver.order(1, 0s);
  EXPECT_EQ(driver.count("orders", Outcome::late), 1u);
  driver.order(2, 1ms);
  EXPECT_EQ(driver.count("orders", Outcome::counted), 2u);
}

TEST(Dedupe, an_id_whose_first_time_is_past_the_horizon_is_new_again) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.watermark_to(24h + 1ms);
  driver.order(1, 24h);
  EXPECT_EQ(driver.count("orders", Outcome::counted), 2u);
}

TEST(Dedupe, what_it_refuses_flows_on_with_its_outcome) {
  TellingDriver driver;
  driver.payment(1, 0s, 0);
  driver.payment(1, 0s, 0);
  driver.watermark_to(25h);
  driver.payment(2, 0s, 0);
  const auto refused = driver.records("refused");
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].key, "duplicate");
  EXPECT_EQ(refused[1].key, "late");
}

TEST(Dedupe, all_events_of_a_step_are_judged_by_the_watermark_it_began_with) {
  TellingDriver driver;
  driver.order(1, 0s);
  // One batch is one step: the event that moves time far ahead does not make its neighbour late.
  driver.pipe("orders", 0, {order_record(2, driver.zero() + 48h), order_record(3, driver.zero())});
  driver.run();
  EXPECT_EQ(driver.count("orders", Outcome::late), 0u);
  driver.order(4, 0s);
  EXPECT_EQ(driver.count("orders", Outcome::late), 1u);
}

TEST(Filter, what_a_rule_excludes_is_counted_under_its_name) {
  TellingDriver driver;
  driver.order(1, 0s, "trial");
  driver.order(2, 0s, "books");
  EXPECT_EQ(driver.count("orders", Outcome::filtered, "trial-shop"), 1u);
  EXPECT_EQ(driver.count("orders", Outcome::counted), 1u);
}

TEST(Filter, a_duplicate_of_an_excluded_event_is_a_duplicate) {
  TellingDriver driver;
  driver.order(1, 0s, "trial");
  driver.order(1, 0s, "books");
  EXPECT_EQ(driver.count("orders", Outcome::duplicate), 1u);
  EXPECT_EQ(driver.count("orders", Outcome::counted), 0u);
}

TEST(Repartition, rows_keep_the_place_where_they_were_first_received) {
  TellingDriver driver({.partition_count = 4});
  driver.pipe("payments", 3, {payment_record(1, driver.zero(), 9)});
  driver.pipe("payments", 3, {payment_record(2, driver.zero(), 9)});
  driver.run();
  const std::int32_t owner = kafka_partition(as_bytes(order_id(9).to_string()), 4);
  EXPECT_EQ(driver.records("payments-by-order", owner).size(), 2u);
  driver.ask(owner, [](const TaskView& task) {
    std::uint64_t pending = 0;
    for (std::uint16_t i = 0; i < task.inputs().size(); ++i)
      if (task.inputs()[i].topic == "payments-by-order") {
        EXPECT_EQ(task.inputs()[i].origin_topic, "payments");
        pending += task.counts().pending({i, 3});
      }
    EXPECT_EQ(pending, 2u);
  });
}

TEST(Repartition, a_foreign_record_in_an_internal_topic_stops_the_task_with_a_sentence) {
  TellingDriver driver;
  driver.pipe("payments-by-order", 0, {payment_record(1, driver.zero(), 9)});
  driver.run();
  EXPECT_NE(driver.runner().trouble().find("only this topology may write to it"),
            std::string::npos);
}

TEST(Topology, its_topics_and_parts_can_be_listed) {
  const TopologyTopics topics = topics_of(define_telling, "shop");
  EXPECT_EQ(topics.sources, (std::vector<std::string>{"orders", "payments"}));
  EXPECT_EQ(topics.internal,
            (std::vector<std::string>{"orders-placed", "payments-placed", "payments-by-order"}));
  EXPECT_EQ(topics.outputs, (std::vector<std::string>{"dead-letters", "refused", "moments"}));
  EXPECT_EQ(topics.changelog, "shop-changelog");
  EXPECT_NE(describe(define_telling).find("join pay within 30min grace 1min skew 2s"),
            std::string::npos);
}

TEST(Sink, a_batch_that_has_grown_to_its_size_is_closed_and_a_new_one_begun) {
  Sink sink("out", 1, 2);
  const Buffer value(300'000);
  for (int i = 0; i < 8; ++i) sink.add({i}, std::nullopt, value);
  EXPECT_GT(sink.size(), 2'400'000u);
  std::vector<bus::Commit::Output> outputs;
  sink.take(outputs);
  ASSERT_EQ(outputs.size(), 2u);
  std::int32_t records = 0;
  for (const auto& output : outputs) {
    EXPECT_EQ(output.partition, (bus::Partition{"out", 1}));
    records += record::check_batch(output.batch)->record_count;
  }
  EXPECT_EQ(records, 8);
  EXPECT_EQ(sink.size(), 0u);
}

}  // namespace operators_test
}  // namespace adbrook::stream
