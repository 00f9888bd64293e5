// Joins through the whole library: results early and final, late rows to the side, and faults that
// were published of other engines.
#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>

#include "record/batch_rewrite.h"
#include "stream/join/stream_join.h"
#include "stream/join/stream_table_join.h"
#include "stream/join/table_join.h"
#include "stream/table/grouped.h"
#include "stream/test_driver.h"

namespace adbrook::stream {
namespace joins_test {

using namespace std::chrono_literals;
using Text = std::string;
using MaybeText = std::optional<std::string>;
using Lines = std::vector<std::string>;

Text pair_of(const MaybeText& left, const MaybeText& right) {
  return left.value_or("~") + "+" + right.value_or("~");
}

TestDriverOptions without_disorder(TestDriverOptions options) {
  options.stream.disorder = 0ms;
  options.stream.skew_cap = 24h * 365;
  return options;
}

class JoinDriver : public TestDriver {
 public:
  explicit JoinDriver(TopologyFactory factory, TestDriverOptions options = {})
      : TestDriver(std::move(factory), without_disorder(std::move(options))) {}

  Timestamp zero() const { return {1'368'800'000'000}; }
  void give(std::string_view topic, std::string key, std::string value, Millis at) {
    pipe(topic, {std::move(key), std::move(value), zero() + at});
    run();
  }
  // Moves the watermark by rows of a key of their own, which meet each other.
  void watermark_to(Millis at) {
    give("left", "tick", "tick", at);
    give("right", "tick", "tick", at);
  }
  // The lines of a topic since the last call, "<key> <value> @<ms>", without those of ticks.
  Lines lines(const std::string& topic = "out") {
    Lines lines;
    const auto all = records(topic);
    for (std::size_t& i = told_[topic]; i < all.size(); ++i)
      if (all[i].key != "tick")
        lines.push_back(all[i].key.value_or("~") + " " + all[i].value + " @" +
                        std::to_string((all[i].time - zero()).count()));
    return lines;
  }

 private:
  std::map<std::string, std::size_t> told_;
};

void define_left_join(Topology& topology) {
  const auto left = topology.stream<Text, Text>("left");
  const auto right = topology.stream<Text, Text>("right");
  const auto joined =
      left.left_join("pairs", right, {.before = 10ms, .after = 10ms, .grace = 10ms}, pair_of);
  joined.to("out");
  joined.late_left()
      .map_values("late",
                  [](const LateRow<Text>& row) {
                    return row.value + " " + Text(row.reason) + " " +
                           std::to_string(row.by.count());
                  })
      .to("late");
}

TEST(StreamJoin, matches_come_at_once_and_what_stays_alone_when_its_window_is_closed) {
  JoinDriver driver(define_left_join);
  driver.give("left", "a", "L1", 0ms);
  driver.give("left", "b", "L2", 1ms);
  driver.give("right", "a", "R1", 5ms);
  EXPECT_EQ(driver.lines(), Lines{"a L1+R1 @5"});
  driver.watermark_to(21ms);
  EXPECT_EQ(driver.lines(), Lines{});
  driver.watermark_to(22ms);
  EXPECT_EQ(driver.lines(), Lines{"b L2+~ @1"});
}

TEST(StreamJoin, a_late_row_goes_to_the_side_with_its_lateness) {
  JoinDriver driver(define_left_join);
  driver.watermark_to(100ms);
  driver.give("left", "a", "L1", 79ms);
  EXPECT_EQ(driver.lines("late"), Lines{"a L1 window_closed 1 @79"});
  EXPECT_EQ(driver.lines(), Lines{"a L1+~ @79"});
  driver.give("left", "a", "L2", 80ms);
  EXPECT_EQ(driver.lines("late"), Lines{});
}

TEST(StreamJoin, a_pair_whose_function_throws_is_a_dead_letter_and_the_rest_goes_on) {
  JoinDriver driver([](Topology& topology) {
    const auto left = topology.stream<Text, Text>("left");
    left.join("pairs", topology.stream<Text, Text>("right"), {.after = 10ms},
              [](const Text& one, const Text& other) {
                if (other == "R2") throw std::runtime_error("unlucky");
                return one + "+" + other;
              })
        .to("out");
  });
  driver.give("left", "a", "L1", 0ms);
  for (const char* value : {"R1", "R2", "R3"}) driver.give("right", "a", value, 1ms);
  EXPECT_EQ(driver.lines(), (Lines{"a L1+R1 @1", "a L1+R3 @1"}));
  const auto refused = driver.records("dead-letters");
  ASSERT_EQ(refused.size(), 1u);
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(refused[0].headers, (Headers{{"operator", "pairs"},
                                         {"reason", "operator_threw"},
                                         {"text", "unlucky"},
                                         {"topic", "right"},
                                         {"partition", "0"},
                                         {"offset", "1"}}));
}

// KAFKA-19536.
TEST(StreamJoin, a_left_row_out_of_order_is_not_reported_both_alone_and_matched) {
  JoinDriver driver(define_left_join);
  driver.watermark_to(15ms);
  driver.give("left", "a", "L1", 1ms);  // its window is over, its grace is not
  driver.give("left", "b", "L2", 1ms);
  EXPECT_EQ(driver.lines(), Lines{});
  driver.give("right", "a", "R1", 5ms);
  EXPECT_EQ(driver.lines(), Lines{"a L1+R1 @5"});
  driver.watermark_to(1000ms);
  EXPECT_EQ(driver.lines(), Lines{"b L2+~ @1"});
}

// ksql#9084.
TEST(StreamJoin, a_result_is_not_held_back_when_traffic_stops) {
  JoinDriver driver(define_left_join);
  driver.give("left", "a", "L1", 0ms);
  driver.give("right", "b", "R1", 0ms);
  EXPECT_EQ(driver.lines(), Lines{});
  driver.advance(10s);
  EXPECT_EQ(driver.lines(), Lines{"a L1+~ @0"});
}

// SPARK-26154.
TEST(StreamJoin, a_row_that_was_matched_is_never_reported_alone) {
  TestDriverOptions options;
  options.stream.checkpoint_events = 1;
  JoinDriver driver(define_left_join, options);
  driver.give("left", "a", "L1", 0ms);
  driver.give("right", "a", "R1", 1ms);
  EXPECT_EQ(driver.lines(), Lines{"a L1+R1 @1"});
  driver.crash();
  driver.restart();
  driver.watermark_to(15ms);
  driver.give("right", "a", "R2", 9ms);  // it is met again, by whoever comes in time
  EXPECT_EQ(driver.lines(), Lines{"a L1+R2 @9"});
  driver.crash();
  driver.restart();
  driver.watermark_to(500ms);
  driver.advance(10s);
  EXPECT_EQ(driver.lines(), Lines{});
}

TEST(StreamJoin, sides_with_other_keys_meet_through_internal_topics) {
  JoinDriver driver(
      [](Topology& topology) {
        const auto first = [](const Text& value) { return value.substr(0, 1); };
        topology.stream<Text, Text>("left")
            .select_key("letter", first)
            .outer_join("pairs", topology.stream<Text, Text>("right").select_key("letter", first),
                        {.before = 1s, .after = 1s}, pair_of)
            .to("out");
      },
      {.partition_count = 4});
  for (int i = 0; i < 40; ++i) {
    const Text letter(1, static_cast<char>('a' + i % 20));
    driver.give(i < 20 ? "left" : "right", std::to_string(i), letter, Millis(i));
  }
  Lines lines = driver.lines();
  EXPECT_EQ(lines.size(), 20u);
  EXPECT_NE(std::ranges::find(lines, "t t+t @39"), lines.end());
}

// arroyo#984, proton#1157: the joint watermark bounds the state, and it goes on when a side is
// silent.
TEST(StreamJoin, the_state_of_a_join_with_a_silent_side_stays_small) {
  JoinDriver driver(define_left_join);
  driver.give("right", "a", "R1", 0ms);
  std::size_t most = 0, alone = 0;
  for (int second = 0; second < 60; ++second) {
    std::vector<TestRecord> rows;
    for (int i = 0; i < 500; ++i)
      rows.push_back({"k" + std::to_string(i % 7), "L", driver.now() + Millis(2 * i)});
    driver.pipe("left", 0, rows);
    driver.advance(1s);
    driver.ask(0, [&](const TaskView& task) {
      const auto* buffer = task.store<JoinBuffer>("pairs");
      ASSERT_NE(buffer, nullptr);
      most = std::max(most, buffer->count());
    });
    alone += driver.lines().size();
  }
  EXPECT_GT(alone, 25'000u);
  EXPECT_LT(most, 5'000u);  // of 30,000: what the silent side's few seconds behind leave open
}

// As above, where the silent side lets time go on more slowly than the other one could be read.
TEST(StreamJoin, a_side_that_runs_ahead_waits_within_the_budget_and_loses_nothing) {
  constexpr int kCount = 40'000;
  constexpr Bytes kBudget = 512_KiB;
  JoinDriver driver([](Topology& topology) {
    const auto left = topology.stream<Text, Text>("left");
    left.left_join("pairs", topology.stream<Text, Text>("right"),
                   {.before = 1s, .after = 1s, .store = {.budget = kBudget}}, pair_of)
        .to("out");
  });
  driver.give("right", "a", "R1", 0ms);
  for (int i = 0; i < kCount; i += 500) {
    std::vector<TestRecord> rows;
    for (int j = i; j < i + 500; ++j)
      rows.push_back({"k", "L" + std::to_string(j), driver.zero() + Millis(5 * j)});
    driver.pipe("left", 0, rows);
  }
  driver.run();
  EXPECT_TRUE(driver.runner().status()[0].waits_for_memory);
  std::size_t told = driver.lines().size();
  EXPECT_LT(told, 1'000u);
  // The task is full of the left side's rows; it takes the right side's all the same, and goes on.
  driver.give("right", "k", "R2", Millis(5 * kCount / 2));
  told += driver.lines().size();
  EXPECT_GT(told, static_cast<std::size_t>(kCount / 3));
  for (int i = 0; i < 22; ++i) {
    driver.advance(10s);
    told += driver.lines().size();
    driver.ask(0, [&](const TaskView& task) {
      EXPECT_LT(task.store<JoinBuffer>("pairs")->memory().count, 3 * kBudget.count);
    });
  }
  // Each row once: alone, or with R2.
  EXPECT_EQ(told, static_cast<std::size_t>(kCount));
  EXPECT_EQ(driver.runner().trouble(), "");
}

// proton#1188: history of both is there before the task begins.
TEST(StreamTableJoin, a_backfill_loses_no_row_and_finds_what_stood_then) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    JoinDriver driver(
        [](Topology& topology) {
          const auto clicks = topology.stream<Text, Text>("clicks");  // made first, read second
          clicks.join("look", topology.table<Text, Text>("users", "users"), pair_of).to("out");
        },
        {.seed = seed});
    std::deque<std::string> expected;
    for (int i = 0; i < 3'000; ++i) {
      const Text key = std::to_string(i % 10);
      driver.pipe("users", {key, "U" + std::to_string(i), driver.zero() + Millis(2 * i)});
      driver.pipe("clicks", {key, "c", driver.zero() + Millis(2 * i + 1)});
      expected.push_back(key + " c+U" + std::to_string(i) + " @" + std::to_string(2 * i + 1));
    }
    driver.run();
    const Lines lines = driver.lines();
    ASSERT_TRUE(std::ranges::equal(lines, expected)) << "seed " << seed << ", " << lines.size();
  }
}

// Compaction that keeps a deletion for a while writes until when in the place of the batch's first
// time.
TEST(StreamTableJoin, a_backfill_reads_a_compacted_table_in_time) {
  JoinDriver driver([](Topology& topology) {
    const auto clicks = topology.stream<Text, Text>("clicks");
    clicks.join("look", topology.table<Text, Text>("users", "users"), pair_of).to("out");
  });
  Lines expected;
  for (int i = 0; i < 20; ++i) {
    const auto key = std::to_string(i);
    const auto value = "U" + key;
    record::BatchBuilder builder;
    builder.add(driver.zero() + Millis(100 * i), as_bytes(key), as_bytes(value));
    builder.add(driver.zero() + Millis(100 * i + 1), as_bytes("gone"), std::nullopt);
    auto compacted = record::keep_records(builder.finish(), std::vector<bool>(2, true),
                                          driver.zero() + Millis(24h), 1_MiB);
    ASSERT_TRUE(compacted);
    driver.bus().append({"users", 0}, std::move(*compacted));
    driver.pipe("clicks", {key, "c", driver.zero() + Millis(100 * i + 50)});
    expected.push_back(key + " c+U" + key + " @" + std::to_string(100 * i + 50));
  }
  driver.run();
  EXPECT_EQ(driver.lines(), expected);
}

// A table may rest for years beside streams that go on.
TEST(StreamTableJoin, a_table_at_rest_does_not_hold_back_final_results) {
  JoinDriver driver([](Topology& topology) {
    const auto left = topology.stream<Text, Text>("left");
    const auto known = left.join("look", topology.table<Text, Text>("users", "users"), pair_of);
    known.left_join("pairs", topology.stream<Text, Text>("right"), {}, pair_of).to("out");
  });
  driver.give("users", "a", "U", 0ms);
  driver.give("users", "tick", "U", 0ms);
  driver.give("left", "a", "L", 1'000'000ms);
  driver.watermark_to(2'000'000ms);
  EXPECT_EQ(driver.lines(), Lines{"a L+U+~ @1000000"});
}

TEST(TableJoin, a_change_says_what_stood_before_also_when_one_table_is_on_both_sides) {
  JoinDriver driver([](Topology& topology) {
    const auto table = topology.table<Text, Text>("rows", "rows");
    table.join("twice", table, pair_of)
        .group_by("pair", [](const Text&, const Text& value) { return std::pair(value, Text()); })
        .count("counts")
        .to_stream()
        .map_values(
            "text",
            [](const std::optional<std::int64_t>& n) { return std::to_string(n.value_or(-1)); })
        .to("out");
  });
  driver.give("rows", "k", "x", 0ms);
  driver.give("rows", "k", "y", 1ms);
  driver.pipe("rows", {"k", std::nullopt, driver.zero() + 2ms});
  driver.run();
  std::map<std::string, std::string> counts;
  for (const MemoryRecord& record : driver.records("out")) counts[*record.key] = record.value;
  EXPECT_EQ(counts["x+x"], "0");
  EXPECT_EQ(counts["y+y"], "0");
  EXPECT_EQ(counts.contains("y+x") ? counts["y+x"] : "0", "0");
}

template <class Left, class Right>
concept CanJoin = requires(const Left& left, const Right& right) {
  left.join("name", right, JoinWindows{}, pair_of);
};
template <class Left, class Right>
concept CanJoinTable =
    requires(const Left& left, const Right& right) { left.join("name", right, pair_of); };
using TextStream = KeyedStream<Text, Text>;
static_assert(CanJoin<TextStream, KeyedStream<MaybeText, Text>>);
static_assert(!CanJoin<TextStream, KeyedStream<std::int64_t, Text>>, "keys differ");
static_assert(!CanJoin<TextStream, KeyedStream<std::string_view, Text>>, "keys differ");
static_assert(CanJoinTable<KeyedStream<std::string_view, Text>, Table<Text, Text>>);
static_assert(!CanJoinTable<TextStream, Table<std::int64_t, Text>>, "keys differ");
static_assert(CanJoinTable<Table<Text, Text>, Table<Text, Text>>);
static_assert(!CanJoinTable<Table<Text, Text>, Table<std::int64_t, Text>>, "keys differ");

TEST(Joins, a_join_that_cannot_be_is_refused_before_it_starts) {
  const auto refused = [](auto define) {
    const auto stands = check(define);
    return stands ? std::string("it stands") : stands.error().message;
  };
  const auto join = [](JoinWindows windows) {
    return [windows](Topology& topology) {
      topology.stream<Text, Text>("left")
          .join("pairs", topology.stream<Text, Text>("right"), windows, pair_of)
          .to("out");
    };
  };
  EXPECT_EQ(refused(join({.before = 1s})), "it stands");
  EXPECT_NE(refused(join({.before = -1s, .after = 2s})).find("before is -1000 ms"), Text::npos);
  EXPECT_NE(refused(join({.store = {.budget = 1_KiB}})).find("store pairs"), Text::npos);
  EXPECT_NE(refused([](Topology& topology) {
              const auto left = topology.stream<Text, Text>("left");
              left.join("pairs", left, {}, pair_of).to("out");
              left.to_table("pairs-left");
            }).find("two stores are named pairs-left"),
            Text::npos);
}

}  // namespace joins_test
}  // namespace adbrook::stream
