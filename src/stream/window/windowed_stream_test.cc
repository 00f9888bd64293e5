// What golden scenarios cannot say about windows: late records to the side, windows over final
// results, several partitions, and what is refused.
#include "stream/window/windowed_stream.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "stream/process/processor.h"
#include "stream/test_driver.h"

namespace adbrook::stream {
namespace windowed_stream_test {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr Timestamp kStart{1'500'000'000'000};

TestDriverOptions in_order(std::int32_t partition_count = 1) {
  TestDriverOptions options{.partition_count = partition_count, .start = kStart};
  options.stream.disorder = Millis(0);
  options.stream.skew_cap = 24h;
  return options;
}

TestRecord at(std::string key, std::string value, std::int64_t ms) {
  return {std::move(key), std::move(value), kStart + Millis(ms)};
}

std::string refusal(const TopologyFactory& factory) {
  const auto stands = check(factory);
  return stands ? "" : stands.error().message;
}

const auto kText = [](const auto& value) { return std::to_string(value_of(value)); };

// "key start value": the windows of these tests are known by their start.
Texts window_lines(TestDriver& driver, std::string_view topic) {
  Texts all;
  for (const MemoryRecord& record : driver.records(topic)) {
    Windowed<std::string> key;
    EXPECT_TRUE(Serde<Windowed<std::string>>::decode(as_bytes(*record.key), key));
    all.push_back(key.key + " " + std::to_string((key.window.start - kStart).count()) + " " +
                  record.value);
  }
  return all;
}

TEST(WindowedStream, a_late_record_goes_aside_with_the_reason_and_how_late_it_was) {
  TestDriver driver(
      [](Topology& topology) {
        const auto counts = topology.stream<std::string, std::string>("in")
                                .group_by_key()
                                .windowed_by(TumblingWindow{.size = 1s, .grace = 500ms})
                                .count("counts");
        counts.final().map_values("text", kText).to("out");
        counts.late()
            .map_values("why",
                        [](const LateRow<std::string>& late) {
                          return late.value + " " + std::string(late.reason) + " " +
                                 std::to_string(late.by.count());
                        })
            .to("late");
      },
      in_order());
  driver.pipe("in", at("a", "x", 100));
  driver.run();
  driver.pipe("in", at("b", "y", 1700));
  driver.run();
  driver.pipe("in", at("a", "z", 999));
  driver.run();
  const auto late = driver.records("late");
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].key, "a");
  EXPECT_EQ(late[0].value, "z window_closed 200");
  EXPECT_EQ(late[0].time, kStart + 999ms);
  EXPECT_EQ(window_lines(driver, "out"), Texts{"a 0 1"});
  driver.ask(0, [](const TaskView& view) {
    std::map<std::string, std::uint64_t> ends;
    view.counts().for_each(
        [&](Arrival, Outcome outcome, std::string_view reason, std::uint64_t count) {
          ends[std::string(to_string(outcome)) + " " + std::string(reason)] = count;
        });
    EXPECT_EQ(ends, (std::map<std::string, std::uint64_t>{{"counted ", 2}, {"late counts", 1}}));
  });
}

// The second step must not take the results of a window for late because the same moment that made
// them final has passed that window's end.
TEST(WindowedStream, final_results_can_be_windowed_again) {
  for (const bool through_topic : {false, true}) {
    TestDriver driver(
        [through_topic](Topology& topology) {
          auto finals = topology.stream<std::string, std::string>("in")
                            .group_by_key()
                            .windowed_by(TumblingWindow{.size = 1s})
                            .count("per-key")
                            .final()
                            .select_key("one", [](const Windowed<std::string>&, std::int64_t) {
                              return std::string("all");
                            });
          if (through_topic) finals = finals.repartition("finals");
          const auto window = TumblingWindow{.size = 1s};
          const auto again = through_topic
                                 ? finals.group_by_key().windowed_by(window).sum("all")
                                 : finals.group_by_key().windowed_by(window).sum("all-here");
          again.final().map_values("text", kText).to("out");
        },
        in_order());
    for (int i = 0; i < 30; ++i) driver.pipe("in", at("k" + std::to_string(i % 3), "x", 100 * i));
    driver.pipe("in", at("end", "x", 5000));
    driver.run();
    EXPECT_EQ(window_lines(driver, "out"), (Texts{"all 0 10", "all 1000 10", "all 2000 10"}))
        << through_topic;
  }
}

TEST(WindowedStream, final_results_come_when_traffic_stops) {
  TestDriver driver(
      [](Topology& topology) {
        topology.stream<std::string, std::string>("in")
            .group_by("by value", [](const std::string& value) { return value; })
            .windowed_by(TumblingWindow{.size = 1s})
            .count("counts")
            .final()
            .map_values("text", kText)
            .to("out");
      },
      in_order(3));
  for (int i = 0; i < 90; ++i)
    driver.pipe("in", at(std::to_string(i), "v" + std::to_string(i % 5), i));
  driver.advance(20s);
  std::map<std::string, int> lines;
  for (const std::string& line : window_lines(driver, "out")) ++lines[line];
  EXPECT_EQ(lines,
            (std::map<std::string, int>{
                {"v0 0 18", 1}, {"v1 0 18", 1}, {"v2 0 18", 1}, {"v3 0 18", 1}, {"v4 0 18", 1}}));
}

// Every partition holds the same hundred seconds before the tasks begin. A task that has read all
// of its own knows nothing of what another one, which has read nothing yet, is about to send it.
TEST(WindowedStream, a_task_that_reads_first_makes_nothing_late_for_those_that_begin_after_it) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    TestDriverOptions options = in_order(4);
    options.seed = seed;
    options.stream.commit_size = Bytes{1};  // every step is told at once
    TestDriver driver(
        [](Topology& topology) {
          const auto counts =
              topology.stream<std::string, std::string>("in")
                  .group_by("by value", [](const std::string& value) { return value; })
                  .windowed_by(TumblingWindow{.size = 10s})
                  .count("counts");
          counts.final().map_values("text", kText).to("out");
          counts.late()
              .map_values("row", [](const LateRow<std::string>& row) { return row.value; })
              .to("late");
        },
        options);
    for (std::int32_t partition = 0; partition < 4; ++partition) {
      std::vector<TestRecord> records;
      for (int i = 0; i < 100; ++i)
        records.push_back(at(std::to_string(i), "v" + std::to_string(i % 10), 1000 * i));
      driver.pipe("in", partition, records);
    }
    driver.run();
    driver.advance(60s);
    ASSERT_EQ(driver.records("late").size(), 0u) << "seed " << seed;
    const auto finals = driver.records("out");
    ASSERT_EQ(finals.size(), 100u) << "seed " << seed;
    for (const MemoryRecord& final : finals) ASSERT_EQ(final.value, "4") << "seed " << seed;
  }
}

TEST(WindowedStream, an_aggregate_that_throws_keeps_what_it_had) {
  TestDriver driver(
      [](Topology& topology) {
        topology.stream<std::string, std::string>("in")
            .group_by_key()
            .windowed_by(TumblingWindow{.size = 1s})
            .aggregate("seen", std::string(),
                       [](std::string& seen, const std::string& value) {
                         seen += value;
                         if (value == "!") throw std::runtime_error("no marks");
                       })
            .final()
            .to("out");
      },
      in_order());
  for (const char* value : {"!", "a", "!", "b"}) driver.pipe("in", at("k", value, 5));
  driver.pipe("in", at("k", "c", 1000));
  driver.run();
  EXPECT_EQ(window_lines(driver, "out"), Texts{"k 0 ab"});
  EXPECT_EQ(driver.records("dead-letters").size(), 2u);
}

TEST(WindowedStream, windows_that_cannot_be_are_refused_with_the_reason) {
  const auto with = [](auto windows, StoreOptions options = {}) {
    return refusal([=](Topology& topology) {
      topology.stream<std::string, std::string>("in")
          .group_by_key()
          .windowed_by(windows)
          .count("counts", options)
          .to("out");
    });
  };
  EXPECT_EQ(with(TumblingWindow{.size = 1s}), "");
  EXPECT_EQ(with(TumblingWindow{.size = 10min, .grace = 1min, .retention = 5min}),
            "the windows of store counts are kept for 5min, but take records for 11min (with the "
            "grace); make the retention at least that long");
  EXPECT_EQ(with(SessionWindow{.gap = 10min, .retention = 5min}),
            "the windows of store counts are kept for 5min, but take records for 10min (with the "
            "grace); make the retention at least that long");
  EXPECT_EQ(with(TumblingWindow{}),
            "the windows of store counts have a size of 0ms and begin every 0ms; both must be at "
            "least 1 ms");
  EXPECT_EQ(with(HoppingWindow{.size = 1s, .advance = 2s}),
            "the windows of store counts begin every 2s but hold only 1s, so that some records lie "
            "in none; make the size at least as long");
  EXPECT_EQ(with(TumblingWindow{.size = 1s, .grace = -1s}),
            "the windows of store counts have a negative grace of -1s; use 0 for none");
  EXPECT_EQ(with(SessionWindow{}),
            "the windows of store counts are sessions with a gap of 0ms; it must be at least 1 ms");
  EXPECT_EQ(with(TumblingWindow{.size = 1s}, {.budget = Bytes{4096}}),
            "store counts has a budget of 4096 bytes, less than one bucket takes; give it at least "
            "65536");
}

TEST(GroupedTable, of_a_table_that_nobody_keeps_is_refused) {
  EXPECT_EQ(refusal([](Topology& topology) {
              topology.table_updates<std::string, std::string>("in")
                  .group_by("value", [](const std::string& key,
                                        const std::string& value) { return std::pair(value, key); })
                  .count("counts")
                  .to("out");
            }),
            "group_by value: this table is not kept, so nobody knows what to take away from a "
            "group; group table(…) or kept(…) instead");
}

class Ticker {
 public:
  using OutKey = std::string;
  using OutValue = std::string;

  Ticker(ProcessorContext<std::string, std::string>& context, std::string store)
      : context_(context), seen_(context.table<std::string, std::int64_t>(std::move(store))) {
    context.every(1s, TimerClock::wall, [this](Timestamp now) {
      const auto row = seen_.find("all");
      if (row && row->value == 13) throw std::runtime_error("unlucky");
      context_.forward("seen", std::to_string(row ? row->value : 0), now);
    });
  }
  void process(const std::string&, const std::string&, Timestamp time) {
    const auto row = seen_.find("all");
    seen_.put("all", row ? row->value + 1 : 1, time);
  }

 private:
  ProcessorContext<std::string, std::string>& context_;
  TableStore<std::string, std::int64_t> seen_;
};

// The moments are steps: what a crash takes back is told again at the same or a later moment, never
// twice.
TEST(Processor, a_timer_by_the_wall_clock_survives_crashes_and_a_throw) {
  auto options = in_order();
  options.stream.checkpoint_events = 2;
  TestDriver driver(
      [](Topology& topology) {
        topology.stream<std::string, std::string>("in").process<Ticker>("tick", "seen").to("out");
      },
      options);
  for (int i = 0; i < 12; ++i) {
    driver.pipe("in", at("k", "v", i));
    driver.advance(700ms);
    if (i % 2 == 0) {
      driver.crash();
      driver.restart();
    }
  }
  driver.run();
  Timestamp last = Timestamp::lowest();
  const auto ticks = driver.records("out");
  EXPECT_GE(ticks.size(), 7u);
  for (const MemoryRecord& tick : ticks) {
    EXPECT_GT(tick.time, last);
    last = tick.time;
  }
  EXPECT_EQ(driver.records("dead-letters").size(), 0u);
  driver.pipe("in", at("k", "v", 100));
  driver.advance(3s);
  EXPECT_EQ(driver.records("out").back().value, "12");
  EXPECT_GE(driver.records("dead-letters").size(), 2u);
  driver.pipe("in", at("k", "v", 101));
  driver.advance(3s);
  EXPECT_EQ(driver.records("out").back().value, "14");
  EXPECT_EQ(driver.runner().trouble(), "");
}

TEST(Processor, stores_and_timers_that_cannot_be_are_refused) {
  struct Twice {
    using OutKey = std::string;
    using OutValue = std::string;
    explicit Twice(ProcessorContext<std::string, std::string>& context) {
      context.table<std::string, std::string>("mine");
      context.table<std::string, std::string>("mine");
    }
    void process(const std::string&, const std::string&, Timestamp) {}
  };
  EXPECT_EQ(refusal([](Topology& topology) {
              topology.stream<std::string, std::string>("in").process<Twice>("twice").to("out");
            }),
            "two stores are named mine: each would load the other's state; give every stateful "
            "step a name of its own");
}

// A wrong type of key, value or function does not compile.
template <class G, class F>
concept Reduces = requires(G group, F f) { group.reduce("store", f); };
template <class G, class F>
concept Adds = requires(G group, F f) { group.aggregate("store", std::int64_t{0}, f); };
using Group = GroupedStream<std::string, std::int64_t>;
constexpr auto kAddNumbers = [](std::int64_t a, std::int64_t b) { return a + b; };
constexpr auto kAddTexts = [](const std::string& a, const std::string& b) { return a + b; };
static_assert(Reduces<Group, decltype(kAddNumbers)>);
static_assert(!Reduces<Group, decltype(kAddTexts)>);
constexpr auto kByTextKey = [](std::int64_t& sum, const std::string&, std::int64_t n) { sum += n; };
constexpr auto kByNumberKey = [](std::int64_t& sum, int, std::int64_t n) { sum += n; };
static_assert(Adds<Group, decltype(kByTextKey)>);
static_assert(!Adds<Group, decltype(kByNumberKey)>);

}  // namespace windowed_stream_test
}  // namespace adbrook::stream
