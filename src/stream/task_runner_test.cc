// What the runner adds to the operators: commits, idle time, promises, restarts, budgets,
// questions.
#include "stream/task_runner.h"

#include <gtest/gtest.h>

#include "stream/changelog.h"
#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace task_runner_test {

using namespace std::chrono_literals;
using namespace example;
using Lines = std::vector<std::string>;

std::vector<CommitRecord> changelog_of(TestDriver& driver, std::int32_t partition = 0) {
  std::vector<CommitRecord> records;
  for (const MemoryRecord& record : driver.records("test-changelog", partition))
    records.push_back(decode_commit_record(as_bytes(record.value)).value());
  return records;
}

TEST(TaskRunner, outputs_and_positions_are_one_commit) {
  TellingDriver driver;
  driver.order(1, 0s);
  const auto commits = driver.bus().commit_count();
  driver.order(2, 0s);
  EXPECT_EQ(driver.bus().commit_count(), commits + 1);
  EXPECT_EQ(driver.bus().committed("test", {"orders", 0}), Offset{2});
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "counted 2"}));
}

TEST(TaskRunner, a_commit_comes_a_commit_interval_after_its_first_step) {
  TellingDriver driver;
  driver.run();
  driver.pipe("orders", order_record(1, driver.zero()));
  driver.executor().run_until_idle();
  driver.executor().advance(99ms);
  driver.executor().run_until_idle();
  EXPECT_EQ(driver.records("moments").size(), 0u);
  driver.executor().advance(1ms);
  driver.executor().run_until_idle();
  EXPECT_EQ(driver.records("moments").size(), 1u);
}

TEST(TaskRunner, a_missing_topic_is_named) {
  io::SimulatedExecutor executor(1);
  io::SimulatedFileSystem files(1);
  io::SeededRandom random(1);
  Metrics metrics;
  MemoryBus bus(executor, executor.clock());
  bus.create_topic("orders", 1);
  TaskRunner runner({bus, files, executor.clock(), executor, random, metrics, [](auto) {}}, "test",
                    "state", define_telling, {});
  const auto started = runner.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().kind, ErrorKind::not_found);
  EXPECT_NE(started.error().message.find("payments"), std::string::npos);
}

TEST(TaskRunner, topics_of_different_partition_counts_are_refused) {
  io::SimulatedExecutor executor(1);
  io::SimulatedFileSystem files(1);
  io::SeededRandom random(1);
  Metrics metrics;
  MemoryBus bus(executor, executor.clock());
  for (const char* topic : {"orders", "payments", "orders-placed", "payments-placed",
                            "payments-by-order", "moments", "refused", "test-changelog"})
    bus.create_topic(topic, 2);
  bus.create_topic("dead-letters", 3);
  TaskRunner runner({bus, files, executor.clock(), executor, random, metrics, [](auto) {}}, "test",
                    "state", define_telling, {});
  EXPECT_EQ(runner.start().error().kind, ErrorKind::invalid);
}

TEST(TaskRunner, silence_closes_windows_at_the_pace_of_the_clock) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.advance(5s + 31min);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1"}));
  driver.advance(3s);
  EXPECT_EQ(driver.moments(), (Lines{"summary 1:"}));
}

TEST(TaskRunner, a_replay_reads_idle_time_from_the_changelog) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.advance(10min);
  const Timestamp before = driver.watermark();
  EXPECT_GT(before, driver.zero() + 9min);
  driver.crash();
  driver.restart();
  driver.run();
  EXPECT_EQ(driver.watermark(), before);
  const auto records = changelog_of(driver);
  EXPECT_TRUE(std::ranges::any_of(records, [](const CommitRecord& record) {
    return !record.steps.empty() && record.steps[0].kind == Step::Kind::advance;
  }));
}

TEST(TaskRunner, time_does_not_pass_while_it_is_down) {
  TellingDriver driver;
  driver.order(1, 0s);
  const Timestamp before = driver.watermark();
  driver.crash();
  driver.executor().advance(10h);
  driver.restart();
  driver.run();
  EXPECT_EQ(driver.watermark(), before);
  driver.advance(5s);
  EXPECT_LE(driver.watermark(), before + 1s);
}

TEST(TaskRunner, an_idle_partition_waits_for_the_busy_ones_of_its_topic) {
  TestDriverOptions options{.partition_count = 2};
  options.stream.disorder = 0ms;
  TestDriver driver(define_telling, options);
  const Timestamp zero = driver.now();
  driver.pipe("orders", 0, {order_record(1, zero)});
  driver.pipe("orders", 1, {order_record(2, zero)});
  driver.run();
  // Partition 0 goes on, one second of events in ten of the clock; partition 1 is silent.
  Timestamp last = zero;
  for (std::uint64_t n = 10; n < 40; ++n) {
    last = zero + Millis(static_cast<std::int64_t>(n - 9) * 1000);
    driver.pipe("orders", 0, {order_record(n, last)});
    driver.advance(3s);
  }
  driver.ask(1, [&](const TaskView& task) {
    ASSERT_TRUE(task.inputs()[0].watermark.has_value());
    EXPECT_GT(*task.inputs()[0].watermark, zero);
    EXPECT_LE(*task.inputs()[0].watermark, last);
  });
}

TEST(TaskRunner, an_internal_topic_holds_time_back_until_its_records_are_read) {
  // Ten minutes of orders lie ready in one partition, the one payment in another: however far ahead
  // the first task reads, no window closes before the payment came through.
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    TellingDriver driver({.partition_count = 4, .seed = seed});
    for (std::uint64_t n = 1; n <= 200; ++n)
      driver.pipe("orders", order_record(n, driver.zero() + Millis(60'000) * n));
    for (std::uint64_t n = 1; n <= 200; ++n)
      driver.pipe("payments", payment_record(n, driver.zero() + Millis(60'000) * n + 30s, n));
    driver.run();
    ASSERT_EQ(driver.count("payments", Outcome::joined), 200u) << "seed " << seed;
  }
}

// Both topics hold the same days; what is read first must not make the other one late.
TEST(TaskRunner, a_backfill_makes_nothing_late) {
  TestDriverOptions options;
  options.stream.commit_size = Bytes{1};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    options.seed = seed;
    TellingDriver driver(options);
    constexpr std::uint64_t kCount = 3'000;
    std::vector<TestRecord> orders, payments;
    for (std::uint64_t n = 1; n <= kCount; ++n) {
      orders.push_back(order_record(n, driver.zero() + Millis(60'000) * n));
      payments.push_back(payment_record(n, driver.zero() + Millis(60'000) * n + 30s, n));
    }
    driver.pipe("orders", 0, orders);
    driver.pipe("payments", 0, payments);
    driver.run();
    ASSERT_EQ(driver.count("payments", Outcome::joined), kCount) << "seed " << seed;
  }
}

// It was held for what it might say; then nobody could read it.
TEST(TaskRunner, a_topic_without_one_readable_event_does_not_stop_time) {
  TellingDriver driver;
  driver.pipe("payments", 0, {{"x", "no line", std::nullopt}});
  driver.pipe("orders", 0, {order_record(1, driver.zero() + 1h)});
  driver.run();
  EXPECT_LT(driver.watermark(), driver.zero());
  driver.advance(7s);
  EXPECT_GE(driver.watermark(), driver.zero() + 1h);
}

// Both are held at first, and neither may wait for the other afterwards.
TEST(TaskRunner, topics_without_one_readable_event_do_not_wait_for_each_other) {
  TestDriver driver([](Topology& topology) {
    for (const std::string name : {"orders", "payments", "refunds"})
      topology.source<Order>(name, OrderCodec{}, {.id = &Order::id, .time = &Order::time})
          .settle(Outcome::counted);
  });
  const Timestamp first = driver.now();
  for (const char* silent : {"payments", "refunds"})
    driver.pipe(silent, {.key = "k", .value = "no order", .time = {}});
  driver.pipe("orders", order_record(1, first));
  driver.run();
  driver.advance(20s);
  driver.ask(0, [&](const TaskView& view) { EXPECT_GE(view.watermark(), first - 10s); });
}

TEST(TaskRunner, a_watermark_never_goes_back_when_another_input_begins) {
  TellingDriver driver;
  driver.order(1, 1h);
  const Timestamp before = driver.watermark();
  driver.payment(2, 0s, 0);
  EXPECT_EQ(driver.watermark(), before);
}

TEST(TaskRunner, a_clean_stop_leaves_a_checkpoint_and_replays_nothing) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.stop();
  driver.restart();
  driver.run();
  EXPECT_NE(
      driver.metrics().text().find(R"(adbrook_stream_events_total{group="test",partition="0"} 0)"),
      std::string::npos);
  driver.payment(2, 1s, 1);
  EXPECT_EQ(driver.moments(), (Lines{"counted 1", "joined 2 to 1", "first 2 of 1"}));
}

TEST(TaskRunner, checkpoints_bound_what_is_replayed) {
  TestDriverOptions options;
  options.stream.checkpoint_events = 10;
  TellingDriver driver(options);
  for (std::uint64_t n = 1; n <= 35; ++n) driver.order(n, 0s);
  driver.crash();
  driver.restart();
  driver.run();
  EXPECT_NE(
      driver.metrics().text().find(R"(adbrook_stream_events_total{group="test",partition="0"} 5)"),
      std::string::npos);
}

TEST(TaskRunner, a_damaged_checkpoint_falls_back_and_says_so) {
  TestDriverOptions options;
  options.stream.checkpoint_events = 10;
  TellingDriver driver(options);
  for (std::uint64_t n = 1; n <= 35; ++n) driver.order(n, 0s);
  const Timestamp watermark = driver.watermark();
  driver.crash();
  // All files of the newest checkpoint and the older one are overwritten in the middle.
  const auto names = driver.files().list("state/test/0");
  ASSERT_TRUE(names.has_value());
  ASSERT_FALSE(names->empty());
  for (const std::string& name : *names) {
    auto file = driver.files().open("state/test/0/" + name, io::OpenMode::write);
    ASSERT_TRUE(file.has_value());
    const Buffer garbage(8, std::byte{0x5A});
    ASSERT_TRUE((*file)->write_at((*file)->size().value() / 2, garbage).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
  }
  driver.restart();
  driver.run();
  EXPECT_FALSE(driver.notes().empty());
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(driver.watermark(), watermark);
  EXPECT_EQ(driver.count("orders", Outcome::counted), 35u);
  driver.order(36, 0s);
  EXPECT_EQ(driver.moments().size(), 36u);
}

TEST(TaskRunner, a_changelog_that_was_lost_stops_the_task) {
  TellingDriver driver;
  for (std::uint64_t n = 1; n <= 5; ++n) driver.order(n, 0s);
  driver.crash();
  driver.bus().trim({"test-changelog", 0}, {3});
  driver.restart();
  driver.run();
  EXPECT_NE(driver.runner().trouble().find("the commits before it are missing"), std::string::npos);
}

TEST(TaskRunner, another_topology_does_not_touch_this_ones_state) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.stop();
  TopologyFactory other = [](Topology& topology) {
    define_telling(topology);
    topology.store<state::Dictionary>("one-more");
  };
  io::SeededRandom random(1);
  Metrics metrics;
  TaskRunner runner({driver.bus(), driver.files(), driver.executor().clock(), driver.executor(),
                     random, metrics, [](auto) {}},
                    "test", "state", other, {});
  ASSERT_TRUE(runner.start().has_value());
  driver.executor().run_until_idle();
  EXPECT_NE(runner.trouble().find("another topology"), std::string::npos);
}

TEST(TaskRunner, retention_keeps_what_a_restart_may_read) {
  TestDriverOptions options;
  options.stream.checkpoint_events = 10;
  TellingDriver driver(options);
  for (std::uint64_t n = 1; n <= 35; ++n) driver.order(n, 0s);
  driver.bus().trim({"orders", 0}, {1'000'000});
  driver.bus().trim({"test-changelog", 0}, {1'000'000});
  EXPECT_GT(driver.bus().ends({"orders", 0})->start, Offset{0});
  driver.crash();
  driver.restart();
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(driver.count("orders", Outcome::counted), 35u);
}

// What was held is known again when start() returns, long before the state is restored.
TEST(TaskRunner, retention_keeps_what_a_restore_has_not_read_yet) {
  TestDriverOptions options;
  options.stream.checkpoint_events = 10;
  TellingDriver driver(options);
  for (std::uint64_t n = 1; n <= 35; ++n) driver.order(n, 0s);
  driver.crash();
  driver.restart();
  driver.bus().trim({"orders", 0}, {1'000'000});
  driver.bus().trim({"test-changelog", 0}, {1'000'000});
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(driver.count("orders", Outcome::counted), 35u);
}

TEST(TaskRunner, a_commit_refused_for_want_of_room_is_tried_again_and_nothing_is_lost) {
  TellingDriver driver;
  driver.run();
  driver.bus().fail_next_commits(
      {ErrorKind::overloaded, ErrorKind::disk_full, ErrorKind::overloaded});
  for (std::uint64_t n = 1; n <= 20; ++n) {
    driver.pipe("orders", order_record(n, driver.zero()));
    driver.executor().run_until_idle();
    driver.executor().advance(30ms);
  }
  driver.run();
  EXPECT_EQ(driver.moments().size(), 20u);
  EXPECT_EQ(driver.runner().trouble(), "");
}

TEST(TaskRunner, a_log_that_is_down_stops_the_task) {
  TellingDriver driver;
  driver.run();
  driver.bus().fail_next_commits({ErrorKind::io_failed});
  driver.order(1, 0s);
  EXPECT_NE(driver.runner().trouble(), "");
  EXPECT_FALSE(driver.runner().ask(0, [](const TaskView&) {}));
}

TEST(TaskRunner, a_stop_while_the_disk_is_full_does_not_wait_for_room) {
  TellingDriver driver;
  driver.run();
  driver.bus().fail_next_commits(std::vector<ErrorKind>(1000, ErrorKind::disk_full));
  driver.pipe("orders", order_record(1, driver.zero()));
  driver.executor().run_until_idle();
  driver.executor().advance(100ms);
  driver.executor().run_until_idle();
  bool stopped = false;
  driver.runner().stop([&] { stopped = true; });
  driver.executor().run_until_idle();
  EXPECT_TRUE(stopped);
}

TEST(TaskRunner, a_broken_sum_stops_the_commits_of_its_task) {
  // This operator swallows every tenth order.
  TopologyFactory leaking = [](Topology& topology) {
    auto orders =
        topology.source<Order>("orders", OrderCodec{}, {.id = &Order::id, .time = &Order::time});
    auto kept = orders.branch("leak", [](const Order& o) { return o.id.low % 10 != 0; });
    kept.matching.settle(Outcome::counted);
  };
  TestDriver driver(leaking);
  for (std::uint64_t n = 1; n <= 9; ++n) driver.pipe("orders", order_record(n, driver.now()));
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(driver.bus().committed("test", {"orders", 0}), Offset{9});
  driver.pipe("orders", order_record(10, driver.now()));
  driver.run();
  EXPECT_NE(driver.runner().trouble().find("do not add up"), std::string::npos);
  EXPECT_EQ(driver.bus().committed("test", {"orders", 0}), Offset{9});
}

TEST(TaskRunner, a_reached_budget_stops_input_and_says_so) {
  TestDriverOptions options;
  options.stream.memory_max = 1_MiB;
  TestDriver driver(define_telling, options);
  constexpr std::uint64_t kCount = 100'000;
  std::vector<TestRecord> records;
  for (std::uint64_t n = 1; n <= kCount; ++n) {
    records.push_back(order_record(n, driver.now()));
    if (records.size() == 1000) driver.pipe("orders", 0, std::exchange(records, {}));
  }
  driver.run();
  EXPECT_NE(driver.runner().trouble().find("task.memory.max"), std::string::npos);
  EXPECT_TRUE(driver.runner().status()[0].waits_for_memory);
  EXPECT_LT(driver.bus().committed("test", {"orders", 0})->value,
            static_cast<std::int64_t>(kCount));
}

// A store whose disk can no longer be read from the third order on.
struct UnreadableStore {
  int orders = 0;
  Result<void> trouble() const {
    if (orders < 3) return {};
    return fail(ErrorKind::io_failed, "the disk cannot be read");
  }
  void save(state::Checkpoint&, std::string_view) {}
  Result<void> load(const state::Checkpoint&, std::string_view) { return {}; }
  Bytes memory() const { return {}; }
};

TEST(TaskRunner, a_store_that_cannot_read_its_disk_stops_the_task_before_the_commit) {
  TestDriver driver([](Topology& topology) {
    auto& store = topology.store<UnreadableStore>("shelf");
    topology.source<Order>("orders", OrderCodec{}, {.id = &Order::id, .time = &Order::time})
        .for_each("count", [&](const Order&, const RowMeta&) { ++store.orders; })
        .settle(Outcome::counted);
  });
  for (std::uint64_t n = 1; n <= 3; ++n) {
    EXPECT_EQ(driver.runner().trouble(), "");
    driver.pipe("orders", order_record(n, driver.now()));
    driver.run();
  }
  EXPECT_NE(driver.runner().trouble().find("store shelf: the disk cannot be read"),
            std::string::npos);
  EXPECT_EQ(driver.bus().committed("test", {"orders", 0}), Offset{2});
}

TEST(TaskRunner, what_a_codec_throws_stops_its_task_and_nothing_else) {
  struct Throwing {
    bool operator()(const record::RecordView&, Order&, Refusal&) {
      throw std::runtime_error("no such page");
    }
  };
  TestDriver driver([](Topology& topology) {
    topology.source<Order>("orders", Throwing{}, {.id = &Order::id, .time = &Order::time})
        .settle(Outcome::counted);
  });
  driver.pipe("orders", order_record(1, driver.now()));
  driver.run();
  EXPECT_NE(driver.runner().trouble().find("an operator threw: no such page"), std::string::npos);
  EXPECT_EQ(driver.bus().commit_count(), 0u);
}

TEST(TaskRunner, outcomes_are_exported) {
  TellingDriver driver;
  driver.order(1, 0s);
  driver.order(1, 0s);
  const std::string line = R"(adbrook_stream_outcome_events{group="test",partition="0",)"
                           R"(topic="orders",outcome="duplicate"} 1)";
  EXPECT_NE(driver.metrics().text().find(line), std::string::npos);
}

TEST(TaskRunner, a_question_sees_only_what_is_committed) {
  TellingDriver driver;
  driver.run();
  driver.pipe("orders", order_record(1, driver.zero()));
  driver.executor().run_until_idle();  // the step is taken, the commit interval has not passed
  bool answered = false;
  ASSERT_TRUE(driver.runner().ask(0, [&](const TaskView& task) {
    answered = true;
    EXPECT_EQ(task.commit_number(), 1u);
    EXPECT_EQ(task.inputs()[0].position, Offset{1});
    EXPECT_EQ(driver.bus().committed("test", {"orders", 0}), Offset{1});
  }));
  driver.executor().run_until_idle();
  EXPECT_TRUE(answered);
}

TEST(TaskRunner, a_question_to_a_stopped_task_is_refused) {
  TellingDriver driver;
  driver.run();
  int stops = 0;
  driver.runner().stop([&] { ++stops; });
  driver.run();
  EXPECT_FALSE(driver.runner().ask(0, [](const TaskView&) {}));
  driver.runner().stop([&] { ++stops; });
  driver.run();
  EXPECT_EQ(stops, 2);
}

TEST(TaskRunner, it_has_caught_up_when_all_that_followed_is_committed) {
  TellingDriver driver({.partition_count = 4});
  driver.run();
  for (std::uint64_t n = 1; n <= 50; ++n) {
    driver.pipe("orders", order_record(n, driver.zero()));
    driver.pipe("payments", payment_record(n, driver.zero(), n));
  }
  auto catch_up = driver.runner().catch_up();
  EXPECT_FALSE(catch_up.done().value());
  for (int i = 0; i < 100 && !catch_up.done().value(); ++i) driver.advance(10ms);
  ASSERT_TRUE(catch_up.done().value());
  EXPECT_EQ(driver.records("moments").size(), 150u);
}

}  // namespace task_runner_test
}  // namespace adbrook::stream
