#include "log/log.h"

#include <numeric>

#include "io/test_seed.h"
#include "log/log_test_bed.h"

namespace adbrook::log {
namespace log_test {

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.log->create_topic("clicks", 2, {}));
    clicks = bed.partition("clicks");
  }
  void reopen() {
    bed.power_loss();
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().message;
    clicks = bed.partition("clicks");
  }

  LogBed bed;
  PartitionId clicks;
};

TEST_F(LogTest, an_acknowledged_batch_is_read_back_with_its_offset_and_append_time) {
  const auto first = bed.append(clicks, test_batch("one", 3));
  const auto second = bed.append(clicks, test_batch("two"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->front().base, Offset{0});
  EXPECT_EQ(first->front().last, Offset{2});
  EXPECT_EQ(second->front().base, Offset{3});
  const auto read = bed.log->read(clicks, Offset{0}, 1 << 20);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->batches.size(), 2u);
  EXPECT_EQ(read->batches[0].append_time, bed.executor.clock().now());
  EXPECT_EQ(bed.values(clicks), (std::vector<std::string>{"one", "two"}));
}

TEST_F(LogTest, a_read_in_the_middle_of_a_batch_begins_with_that_batch) {
  bed.append(clicks, test_batch("one", 3)).value();
  bed.append(clicks, test_batch("two", 3)).value();
  const auto read = bed.log->read(clicks, Offset{4}, 1 << 20);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->batches.size(), 1u);
  EXPECT_EQ(value_of(read->bytes), "two");
}

TEST_F(LogTest, a_read_gives_at_least_one_batch_and_no_more_than_was_asked) {
  for (int i = 0; i < 200; ++i) bed.append(clicks, test_batch(std::string(100, 'x'))).value();
  EXPECT_EQ(bed.log->read(clicks, Offset{0}, 1)->batches.size(), 1u);
  const auto read = bed.log->read(clicks, Offset{70}, 2000);
  ASSERT_TRUE(read);
  EXPECT_GT(read->batches.size(), 5u);
  EXPECT_LE(read->bytes.size(), 2000u);
  EXPECT_EQ(record::read_header(read->bytes)->base_offset, Offset{70});
  EXPECT_EQ(bed.values(clicks, 700).size(), 200u);
}

TEST_F(LogTest, reading_outside_what_is_kept_is_out_of_range) {
  bed.append(clicks, test_batch("one")).value();
  EXPECT_TRUE(bed.log->read(clicks, Offset{1}, 100)->batches.empty());
  EXPECT_EQ(bed.log->read(clicks, Offset{2}, 100).error().kind, ErrorKind::out_of_range);
  EXPECT_EQ(bed.log->read(clicks, Offset{-1}, 100).error().kind, ErrorKind::out_of_range);
}

TEST_F(LogTest, what_was_acknowledged_survives_a_power_loss) {
  bed.append(clicks, test_batch("one")).value();
  bed.append({.batches = {}, .offsets = {{"group", clicks, Offset{1}}}}).value();
  reopen();
  EXPECT_EQ(bed.values(clicks), std::vector<std::string>{"one"});
  EXPECT_EQ(bed.log->committed("group", clicks), Offset{1});
  EXPECT_EQ(bed.append(clicks, test_batch("two"))->front().base, Offset{1});
  reopen();
  EXPECT_EQ(bed.values(clicks), (std::vector<std::string>{"one", "two"}));
}

TEST_F(LogTest, an_append_to_two_partitions_is_seen_whole) {
  const PartitionId other = bed.partition("clicks", 1);
  Append what;
  what.batches.push_back({clicks, test_batch("here")});
  what.batches.push_back({other, test_batch("there")});
  bed.append(std::move(what)).value();
  reopen();
  EXPECT_EQ(bed.values(clicks), std::vector<std::string>{"here"});
  EXPECT_EQ(bed.values(bed.partition("clicks", 1)), std::vector<std::string>{"there"});
}

TEST_F(LogTest, a_damaged_batch_is_refused_and_stops_nothing) {
  Buffer broken = test_batch("one");
  broken.back() ^= std::byte{1};
  EXPECT_EQ(bed.append(clicks, broken).error().kind, ErrorKind::invalid);
  Buffer longer = test_batch("one");
  longer.push_back(std::byte{0});
  EXPECT_EQ(bed.append(clicks, longer).error().kind, ErrorKind::invalid);
  EXPECT_TRUE(bed.append(clicks, test_batch("two")));
  EXPECT_EQ(bed.values(clicks), std::vector<std::string>{"two"});
}

TEST_F(LogTest, an_append_larger_than_a_write_ahead_file_is_refused) {
  const auto result = bed.append(clicks, test_batch(std::string(64 << 10, 'x')));
  EXPECT_EQ(result.error().kind, ErrorKind::invalid);
  EXPECT_TRUE(bed.append(clicks, test_batch(std::string(50 << 10, 'x'))));
}

TEST_F(LogTest, a_full_queue_refuses_and_takes_again_later) {
  int overloaded = 0;
  int kept = 0;
  for (int i = 0; i < 100; ++i) {
    Append what;
    what.batches.push_back({clicks, test_batch(std::string(20'000, 'x'))});
    bed.log->append(std::move(what), [&](Appended done) {
      if (done) ++kept;
      if (!done && done.error().kind == ErrorKind::overloaded) ++overloaded;
    });
  }
  bed.executor.run_until_idle();
  EXPECT_EQ(overloaded + kept, 100);
  EXPECT_GT(overloaded, 40);
  EXPECT_EQ(bed.log->ends(clicks).visible, Offset{kept});
  EXPECT_TRUE(bed.append(clicks, test_batch("two")));
}

// With a disk that stands still nobody else is answered before.
TEST(LogOrder, a_refusal_that_is_wanted_at_once_does_not_wait_for_the_disk) {
  int before_all_others = 0;
  for (const std::uint64_t seed : io::test_seeds(30)) {
    LogBed bed(seed);
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.log->create_topic("clicks", 1, {}));
    const PartitionId clicks = bed.partition("clicks");
    int others = 0, refusals = 0;
    const auto append = [&](bool at_once, Buffer batch, AppendDone done) {
      Append what{.refused_at_once = at_once};
      what.batches.push_back({clicks, std::move(batch)});
      bed.log->append(std::move(what), std::move(done));
    };
    for (int i = 0; i < 100; ++i)
      append(false, test_batch(std::string(20'000, 'x')), [&](const Appended&) { ++others; });
    Buffer broken = test_batch("x");
    broken.back() ^= std::byte{1};
    for (Buffer batch : {test_batch(std::string(20'000, 'x')), broken})
      append(true, batch, [&](const Appended& done) {
        EXPECT_FALSE(done);
        ++refusals;
        before_all_others += others == 0 ? 1 : 0;
      });
    bed.executor.run_until_idle();
    EXPECT_EQ(others, 100);
    EXPECT_EQ(refusals, 2);
  }
  EXPECT_GT(before_all_others, 0);
}

Append in_turn(io::SeededRandom& random, PartitionId partition) {
  Append what;
  Buffer batch = test_batch(std::string(random.below(20'000), 'x'));
  switch (random.below(5)) {
    case 0: batch.back() ^= std::byte{1}; break;                    // corrupt
    case 1: batch = test_batch(std::string(70 << 10, 'x')); break;  // too large for an entry
    case 2: partition.value += 100; break;                          // unknown
    default: break;
  }
  what.batches.push_back({partition, std::move(batch)});
  return what;
}

// Refused by a check, by a full queue, by a disk that failed or by a log that is closed: each has
// its turn.
TEST(LogOrder, answers_come_in_the_order_of_the_appends) {
  for (const std::uint64_t seed : io::test_seeds(30)) {
    SCOPED_TRACE(io::seed_note(seed));
    io::SeededRandom random(seed);
    LogBed bed(seed);
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.log->create_topic("clicks", 1, {}));
    const PartitionId clicks = bed.partition("clicks");
    const int count = 200;
    const auto closes_at = static_cast<int>(random.below(2 * count));
    std::vector<int> answered;
    std::map<bool, int> outcomes;
    for (int i = 0; i < count; ++i) {
      if (i == closes_at) {
        ASSERT_TRUE(bed.log->close());
      }
      bed.log->append(in_turn(random, clicks), [&, i](Appended done) {
        answered.push_back(i);
        ++outcomes[done.has_value()];
      });
      for (auto steps = random.below(4); steps > 0; --steps) bed.executor.run_one();
    }
    bed.log.reset();
    bed.executor.run_until_idle();
    std::vector<int> in_order(count);
    std::iota(in_order.begin(), in_order.end(), 0);
    EXPECT_EQ(answered, in_order);
    EXPECT_GT(outcomes[false], 0);
    EXPECT_TRUE(outcomes[true] > 0 || closes_at < 20);
  }
}

TEST_F(LogTest, appends_that_wait_together_share_one_sync) {
  const auto& syncs = bed.metrics->counter("adbrook_wal_syncs_total", "");
  const auto before = syncs.value();
  for (int i = 0; i < 50; ++i)
    bed.log->append({.batches = {}, .offsets = {{"g", clicks, Offset{i}}}},
                    [](Appended done) { EXPECT_TRUE(done); });
  bed.executor.run_until_idle();
  EXPECT_EQ(syncs.value(), before + 1);
  EXPECT_EQ(bed.log->committed("g", clicks), Offset{49});
}

TEST_F(LogTest, a_waiter_runs_once_when_its_offset_is_visible) {
  int woken = 0;
  bed.log->when_visible(clicks, Offset{1}, [&] { ++woken; });
  bed.append(clicks, test_batch("one")).value();
  EXPECT_EQ(woken, 0);
  bed.append(clicks, test_batch("two")).value();
  EXPECT_EQ(woken, 1);
  bed.log->when_visible(clicks, Offset{0}, [&] { ++woken; });
  bed.executor.run_until_idle();
  EXPECT_EQ(woken, 2);
}

TEST_F(LogTest, append_times_never_go_back) {
  const auto first = bed.append(clicks, test_batch("one"));
  bed.power_loss();
  io::SimulatedExecutor earlier(3, Timestamp{5});
  auto opened = Log::open(bed.disk, earlier.clock(), earlier, *bed.metrics, "data", bed.options);
  ASSERT_TRUE(opened);
  Append what;
  what.batches.push_back({(*opened)->partition("clicks", 0).value(), test_batch("two")});
  std::optional<Appended> second;
  (*opened)->append(std::move(what), [&](Appended done) { second = std::move(done); });
  earlier.run_until_idle();
  EXPECT_EQ(second->value().front().append_time, first->front().append_time);
}

TEST_F(LogTest, an_offset_is_found_by_time_also_after_a_restart) {
  for (int i = 0; i < 300; ++i)
    bed.append(clicks, test_batch("x", 2, Timestamp{1000 + i * 10})).value();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(bed.log->offset_for_time(clicks, {0}).value(), Offset{0});
    EXPECT_EQ(bed.log->offset_for_time(clicks, {1000 + 200 * 10}).value(), Offset{400});
    EXPECT_EQ(bed.log->offset_for_time(clicks, {1000 + 200 * 10 + 2}).value(), Offset{402});
    EXPECT_EQ(bed.log->offset_for_time(clicks, {9000}).value(), Offset{600});
    reopen();
  }
}

TEST_F(LogTest, a_clean_close_leaves_nothing_to_replay) {
  bed.append(clicks, test_batch("one")).value();
  ASSERT_TRUE(bed.log->close());
  EXPECT_EQ(bed.append(clicks, test_batch("two")).error().kind, ErrorKind::closed);
  EXPECT_EQ(bed.values(clicks), std::vector<std::string>{"one"});
  reopen();
  EXPECT_EQ(bed.values(clicks), std::vector<std::string>{"one"});
}

TEST_F(LogTest, closing_answers_everybody_who_waits) {
  std::vector<bool> answers;
  for (int i = 0; i < 3; ++i)
    bed.log->append({.batches = {}, .offsets = {{"g", clicks, Offset{i}}}},
                    [&](Appended done) { answers.push_back(done.has_value()); });
  ASSERT_TRUE(bed.log->close());
  bed.log.reset();
  bed.executor.run_until_idle();
  EXPECT_EQ(answers, (std::vector<bool>{true, true, true}));
}

TEST_F(LogTest, topics_are_made_once_and_keep_their_config) {
  TopicConfig config{.retention = Millis(5), .durability = Durability::relaxed};
  ASSERT_TRUE(bed.log->create_topic("other", 3, config));
  EXPECT_TRUE(bed.log->create_topic("other", 3, {}));
  EXPECT_EQ(bed.log->create_topic("other", 4, {}).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(bed.log->create_topic("no/slash", 1, {}).error().kind, ErrorKind::invalid);
  reopen();
  const auto topics = bed.log->topics();
  ASSERT_EQ(topics.size(), 2u);
  EXPECT_EQ(topics[1].name, "other");
  EXPECT_EQ(topics[1].partition_count, 3);
  EXPECT_EQ(topics[1].config.retention, Millis(5));
  EXPECT_EQ(topics[1].config.durability, Durability::relaxed);
  EXPECT_EQ(bed.log->partition("other", 3).error().kind, ErrorKind::not_found);
}

TEST_F(LogTest, a_deleted_topic_is_gone_and_one_made_anew_is_empty) {
  bed.append(clicks, test_batch("one")).value();
  bed.append({.batches = {}, .offsets = {{"g", clicks, Offset{1}}}}).value();
  ASSERT_TRUE(bed.log->delete_topic("clicks"));
  EXPECT_EQ(bed.append(clicks, test_batch("two")).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(bed.disk.list("data/topics")->empty());
  ASSERT_TRUE(bed.log->create_topic("clicks", 1, {}));
  clicks = bed.partition("clicks");
  EXPECT_EQ(bed.log->committed("g", clicks), Offset{-1});
  EXPECT_EQ(bed.append(clicks, test_batch("three"))->front().base, Offset{0});
  reopen();
  EXPECT_EQ(bed.values(clicks), std::vector<std::string>{"three"});
}

TEST_F(LogTest, write_ahead_files_are_recycled) {
  for (int i = 0; i < 100; ++i) bed.append(clicks, test_batch(std::string(20'000, 'x'))).value();
  EXPECT_LE(bed.disk.list("data/wal")->size(), 8u);
  EXPECT_GT(bed.metrics->counter("adbrook_log_checkpoints_total", "").value(), 10u);
  reopen();
  EXPECT_EQ(bed.log->ends(clicks).visible, Offset{100});
}

TEST_F(LogTest, relaxed_topics_are_acknowledged_without_a_sync_and_synced_soon) {
  ASSERT_TRUE(bed.log->create_topic("relaxed", 1, {.durability = Durability::relaxed}));
  const auto& syncs = bed.metrics->counter("adbrook_wal_syncs_total", "");
  const auto before = syncs.value();
  bed.append(bed.partition("relaxed"), test_batch("one")).value();
  EXPECT_EQ(syncs.value(), before);
  bed.executor.advance(Millis(200));
  bed.executor.run_until_idle();
  EXPECT_EQ(syncs.value(), before + 1);
  reopen();
  EXPECT_EQ(bed.values(bed.partition("relaxed")), std::vector<std::string>{"one"});
}

TEST_F(LogTest, a_topic_that_is_synced_is_synced_beside_a_relaxed_one) {
  ASSERT_TRUE(bed.log->create_topic("relaxed", 1, {.durability = Durability::relaxed}));
  Append what;
  what.batches.push_back({bed.partition("relaxed"), test_batch("one")});
  what.batches.push_back({clicks, test_batch("two")});
  bed.append(std::move(what)).value();
  reopen();
  EXPECT_EQ(bed.values(bed.partition("relaxed")), std::vector<std::string>{"one"});
}

}  // namespace log_test
}  // namespace adbrook::log
