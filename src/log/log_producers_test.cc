// Idempotent producers and transactions of partitions, as producers and readers of Kafka see them.
#include <limits>

#include "log/log_test_bed.h"
#include "record/transaction_marker.h"

namespace adbrook::log {
namespace log_producers_test {

using Values = std::vector<std::string>;

class LogProducers : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.log->create_topic("t", 2, {}));
    topic = bed.partition("t");
  }
  // With the write-ahead log replayed, or with everything in the checkpoint.
  void reopen(bool cleanly) {
    if (cleanly) ASSERT_TRUE(bed.log->close());
    bed.power_loss();
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().message;
    topic = bed.partition("t");
  }
  Appended send(std::int32_t sequence, std::string_view value = "x", int count = 1,
                std::int16_t epoch = 0, std::int64_t id = 7) {
    return bed.append(
        topic, producer_batch({.id = id, .epoch = epoch, .sequence = sequence}, value, count));
  }
  Appended send_in_transaction(std::int64_t id, std::int32_t sequence, std::string_view value,
                               std::int16_t epoch = 0) {
    return bed.append(
        topic, producer_batch(
                   {.id = id, .epoch = epoch, .sequence = sequence, .transactional = true}, value));
  }
  Appended end_transaction(std::int64_t id, record::TransactionEnd end, std::int16_t epoch = 0) {
    Append what;
    what.batches.push_back({topic,
                            record::build_transaction_marker(
                                {.producer_id = id, .producer_epoch = epoch, .end = end}, {1000}),
                            BatchOrigin::coordinator});
    return bed.append(std::move(what));
  }
  AppendRule rule(const Appended& result) {
    return result ? AppendRule::none : result.error().rule;
  }

  LogBed bed;
  PartitionId topic;
};

TEST_F(LogProducers, a_repeated_batch_is_answered_with_its_first_place) {
  for (int i = 0; i < 7; ++i) EXPECT_EQ(send(2 * i, "x", 2)->front().base, Offset{2 * i});
  for (const bool cleanly : {false, true, false}) {
    const auto again = send(4, "x", 2);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->front().base, Offset{4});
    EXPECT_EQ(again->front().last, Offset{5});
    EXPECT_EQ(bed.log->ends(topic).visible, Offset{14});
    // Older than the last five: it cannot be told from a gap.
    EXPECT_EQ(rule(send(2, "x", 2)), AppendRule::out_of_order_sequence);
    reopen(cleanly);
  }
}

TEST_F(LogProducers, a_repeated_batch_of_the_same_group_waits_for_the_sync) {
  std::vector<Offset> bases;
  for (int i = 0; i < 2; ++i) {
    Append what;
    what.batches.push_back({topic, producer_batch({.id = 7, .sequence = 0}, "x")});
    bed.log->append(std::move(what), [&](Appended done) {
      bases.push_back(done.value().front().base);
      EXPECT_EQ(bed.log->ends(topic).visible, Offset{1});
    });
  }
  bed.executor.run_until_idle();
  EXPECT_EQ(bases, (std::vector<Offset>{{0}, {0}}));
  EXPECT_EQ(bed.values(topic).size(), 1u);
}

TEST_F(LogProducers, a_gap_is_refused_and_sequences_wrap) {
  ASSERT_TRUE(send(std::numeric_limits<std::int32_t>::max() - 1, "x", 2));
  EXPECT_EQ(rule(send(1)), AppendRule::out_of_order_sequence);
  EXPECT_TRUE(send(0, "x", 3));
  EXPECT_TRUE(send(3));
  EXPECT_EQ(bed.log->producers(topic).front().last_sequence, 3);
}

TEST_F(LogProducers, a_batch_may_span_the_wrap) {
  const std::int32_t first = std::numeric_limits<std::int32_t>::max() - 1;
  ASSERT_TRUE(send(first, "x", 5));
  EXPECT_EQ(bed.log->producers(topic).front().last_sequence, 2);
  EXPECT_EQ(send(first, "x", 5)->front().last, Offset{4});
  EXPECT_TRUE(send(3));
}

TEST_F(LogProducers, a_new_epoch_begins_at_zero_and_fences_the_old_one) {
  ASSERT_TRUE(send(5));
  EXPECT_EQ(rule(send(6, "x", 1, 1)), AppendRule::out_of_order_sequence);
  EXPECT_TRUE(send(0, "x", 1, 1));
  for (const bool cleanly : {false, true}) {
    EXPECT_EQ(rule(send(6)), AppendRule::invalid_producer_epoch);
    reopen(cleanly);
  }
}

TEST_F(LogProducers, an_unknown_producer_may_begin_anywhere) {
  EXPECT_TRUE(send(1'000));
  EXPECT_TRUE(send(1'001));
}

TEST_F(LogProducers, a_silent_producer_is_forgotten) {
  ASSERT_TRUE(send(0));
  bed.executor.advance(Millis(86'400'001));
  EXPECT_TRUE(send(77));
  bed.executor.advance(Millis(86'400'001));
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_TRUE(bed.log->producers(topic).empty());
}

TEST_F(LogProducers, what_is_here_already_does_not_stop_what_is_appended_beside_it) {
  ASSERT_TRUE(send(0, "one"));
  Append what;
  what.batches.push_back({topic, producer_batch({.id = 7, .sequence = 0}, "one")});
  what.batches.push_back({bed.partition("t", 1), producer_batch({.id = 7, .sequence = 0}, "two")});
  const auto done = bed.append(std::move(what));
  ASSERT_TRUE(done);
  EXPECT_EQ((*done)[0].base, Offset{0});
  EXPECT_EQ(bed.values(topic), Values{"one"});
  EXPECT_EQ(bed.values(bed.partition("t", 1)), Values{"two"});
}

TEST_F(LogProducers, batches_that_break_a_rule_of_producers_are_invalid) {
  Append twice;
  for (int i = 0; i < 2; ++i)
    twice.batches.push_back({topic, producer_batch({.id = 7, .sequence = i}, "x")});
  EXPECT_EQ(rule(bed.append(std::move(twice))), AppendRule::invalid_record);
  EXPECT_EQ(rule(send(-1)), AppendRule::invalid_record);
  EXPECT_EQ(rule(send(0, "x", 1, -1)), AppendRule::invalid_record);
  EXPECT_EQ(rule(bed.append(topic, producer_batch({.transactional = true}, "x"))),
            AppendRule::invalid_record);
  // A marker that does not come from the coordinator.
  EXPECT_EQ(rule(bed.append(topic, record::build_transaction_marker({.producer_id = 7}, {}))),
            AppendRule::invalid_record);
  EXPECT_EQ(bed.log->ends(topic).visible, Offset{0});
}

// --- transactions ---

TEST_F(LogProducers, an_open_transaction_holds_the_stable_end) {
  bed.append(topic, test_batch("before")).value();
  ASSERT_TRUE(send_in_transaction(7, 0, "open"));
  bed.append(topic, test_batch("behind")).value();
  for (const bool cleanly : {false, true}) {
    EXPECT_EQ(bed.log->ends(topic).stable, Offset{1});
    EXPECT_EQ(bed.log->ends(topic).visible, Offset{3});
    const auto read = bed.log->read(topic, Offset{0}, 1 << 20, Isolation::committed);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->next, Offset{1});
    const auto waits = bed.log->read(topic, Offset{2}, 1 << 20, Isolation::committed);
    ASSERT_TRUE(waits);
    EXPECT_TRUE(waits->batches.empty());
    EXPECT_EQ(bed.log->producers(topic).front().transaction_start, Offset{1});
    reopen(cleanly);
  }
  ASSERT_TRUE(end_transaction(7, record::TransactionEnd::commit));
  EXPECT_EQ(bed.log->ends(topic).stable, Offset{4});
  EXPECT_EQ(bed.log->producers(topic).front().transaction_start, Offset{-1});
  EXPECT_TRUE(bed.log->read(topic, Offset{0}, 1 << 20, Isolation::committed)->aborted.empty());
}

TEST_F(LogProducers, aborted_transactions_are_told_to_readers_of_what_they_touch) {
  ASSERT_TRUE(send_in_transaction(1, 0, "a"));                      // 0
  ASSERT_TRUE(send_in_transaction(2, 0, "b"));                      // 1
  ASSERT_TRUE(end_transaction(2, record::TransactionEnd::abort));   // 2
  ASSERT_TRUE(end_transaction(1, record::TransactionEnd::abort));   // 3
  ASSERT_TRUE(send_in_transaction(1, 1, "c"));                      // 4
  ASSERT_TRUE(end_transaction(1, record::TransactionEnd::commit));  // 5
  ASSERT_TRUE(send_in_transaction(1, 2, "d"));                      // 6
  ASSERT_TRUE(end_transaction(1, record::TransactionEnd::abort));   // 7
  const auto firsts = [&](std::int64_t from, std::size_t size_max) {
    const auto read = bed.log->read(topic, Offset{from}, size_max, Isolation::committed);
    std::vector<std::int64_t> all;
    for (const AbortedTransaction& transaction : read.value().aborted)
      all.push_back(transaction.first.value);
    return all;
  };
  using Firsts = std::vector<std::int64_t>;
  for (const bool cleanly : {false, true}) {
    EXPECT_EQ(firsts(0, 1 << 20), (Firsts{0, 1, 6}));
    EXPECT_EQ(firsts(0, 1), Firsts{0});
    EXPECT_EQ(firsts(2, 1), (Firsts{0, 1}));
    EXPECT_EQ(firsts(3, 1), Firsts{0});
    EXPECT_EQ(firsts(4, 1), Firsts{});
    EXPECT_EQ(firsts(7, 1), Firsts{6});
    reopen(cleanly);
  }
  ASSERT_TRUE(bed.log->delete_records(topic, Offset{3}));
  EXPECT_EQ(firsts(3, 1 << 20), (Firsts{0, 6}));
  ASSERT_TRUE(bed.log->delete_records(topic, Offset{4}));
  EXPECT_EQ(firsts(4, 1 << 20), Firsts{6});
}

TEST_F(LogProducers, a_marker_wakes_who_waits_for_committed_records) {
  int woken = 0;
  bed.log->when_stable(topic, Offset{0}, [&] { ++woken; });
  ASSERT_TRUE(send_in_transaction(7, 0, "a"));
  EXPECT_EQ(woken, 0);
  ASSERT_TRUE(end_transaction(7, record::TransactionEnd::abort));
  EXPECT_EQ(woken, 1);
  bed.log->when_stable(topic, Offset{1}, [&] { ++woken; });
  bed.executor.run_until_idle();
  EXPECT_EQ(woken, 2);
}

TEST_F(LogProducers, an_open_transaction_takes_only_its_own_batches) {
  ASSERT_TRUE(send_in_transaction(7, 0, "a"));
  EXPECT_EQ(rule(send(1)), AppendRule::transaction_state);
  EXPECT_EQ(rule(send_in_transaction(7, 0, "b", 1)), AppendRule::transaction_state);
  EXPECT_TRUE(send_in_transaction(7, 1, "b"));
}

TEST_F(LogProducers, a_marker_of_a_newer_epoch_fences_the_zombie) {
  ASSERT_TRUE(send_in_transaction(7, 0, "zombie"));
  ASSERT_TRUE(end_transaction(7, record::TransactionEnd::abort, 1));
  for (const bool cleanly : {false, true}) {
    EXPECT_EQ(rule(send_in_transaction(7, 1, "zombie")), AppendRule::invalid_producer_epoch);
    EXPECT_EQ(rule(end_transaction(7, record::TransactionEnd::commit)),
              AppendRule::invalid_producer_epoch);
    reopen(cleanly);
  }
  EXPECT_TRUE(send_in_transaction(7, 0, "heir", 1));
}

TEST_F(LogProducers, an_open_transaction_never_expires) {
  ASSERT_TRUE(send_in_transaction(7, 0, "a"));
  bed.executor.advance(Millis(200'000'000));
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).stable, Offset{0});
  EXPECT_EQ(rule(send_in_transaction(7, 5, "b")), AppendRule::out_of_order_sequence);
}

TEST_F(LogProducers, markers_and_offsets_of_a_transaction_are_one_append) {
  ASSERT_TRUE(send_in_transaction(7, 0, "a"));
  Append what;
  what.batches.push_back(
      {topic,
       record::build_transaction_marker(
           {.producer_id = 7, .producer_epoch = 0, .end = record::TransactionEnd::commit}, {1000}),
       BatchOrigin::coordinator});
  what.offsets.push_back({.group = "g", .partition = topic, .offset = Offset{9}});
  ASSERT_TRUE(bed.append(std::move(what)));
  reopen(false);
  EXPECT_EQ(bed.log->ends(topic).stable, Offset{2});
  EXPECT_EQ(bed.log->committed("g", topic), Offset{9});
}

}  // namespace log_producers_test
}  // namespace adbrook::log
