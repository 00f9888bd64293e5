#include "broker/transaction.h"

#include <gtest/gtest.h>

#include <memory>

#include "io/test_seed.h"

namespace adbrook::broker {
namespace transaction_test {

const TopicPartition kIn{"in", 0};
const TopicPartition kOut{"out", 3};

// One transactional id whose writes succeed, fail or wait as the test says.
class TransactionTest : public testing::Test {
 protected:
  struct Answer {
    std::optional<ErrorCode> error;
    ProducerIdentity identity;
  };

  std::shared_ptr<Answer> start_init(ProducerIdentity expected = {}) {
    auto answer = std::make_shared<Answer>();
    const std::int64_t fresh = transaction->needs_fresh_id() ? next_id++ : -1;
    transaction->init(
        {timeout, expected}, fresh, wall,
        [answer](ErrorCode error, ProducerIdentity identity) { *answer = {error, identity}; });
    settle();
    return answer;
  }
  ProducerIdentity init(ProducerIdentity expected = {}) {
    const auto answer = start_init(expected);
    EXPECT_EQ(answer->error, ErrorCode::none);
    return answer->identity;
  }
  Transaction::Done done(const std::shared_ptr<Answer>& answer) {
    return [answer](ErrorCode error) { answer->error = error; };
  }
  std::shared_ptr<Answer> start_add(ProducerIdentity who, std::vector<TopicPartition> partitions) {
    auto answer = std::make_shared<Answer>();
    transaction->add_partitions(who, partitions, wall, now, done(answer));
    settle();
    return answer;
  }
  ErrorCode add(ProducerIdentity who, std::vector<TopicPartition> partitions) {
    return start_add(who, std::move(partitions))->error.value();
  }
  ErrorCode add_offset(ProducerIdentity who, std::int64_t offset,
                       Transaction::Unannounced unannounced = Transaction::Unannounced::refused) {
    auto answer = std::make_shared<Answer>();
    transaction->add_offsets(who, "group", {{kIn, {offset, -1, ""}}}, unannounced, wall, now,
                             done(answer));
    settle();
    return answer->error.value();
  }
  ErrorCode add_group(ProducerIdentity who) {
    auto answer = std::make_shared<Answer>();
    transaction->add_group(who, "group", wall, now, done(answer));
    settle();
    return answer->error.value();
  }
  std::shared_ptr<Answer> start_end(ProducerIdentity who, Transaction::Ending ending,
                                    bool raises_epoch = false) {
    auto answer = std::make_shared<Answer>();
    const bool needs = raises_epoch && transaction->needs_fresh_id();
    transaction->end(
        {who, ending, raises_epoch}, needs ? next_id++ : -1, wall,
        [answer](ErrorCode error, ProducerIdentity identity) { *answer = {error, identity}; });
    settle();
    return answer;
  }
  // Version 2: the identity for the next transaction.
  ProducerIdentity commit_2(ProducerIdentity who) {
    const auto answer = start_end(who, Transaction::Ending::commit, true);
    EXPECT_EQ(answer->error, ErrorCode::none);
    return answer->identity;
  }
  ProducerIdentity abort_2(ProducerIdentity who) {
    const auto answer = start_end(who, Transaction::Ending::abort, true);
    EXPECT_EQ(answer->error, ErrorCode::none);
    return answer->identity;
  }
  ErrorCode commit_2_code(ProducerIdentity who) {
    return start_end(who, Transaction::Ending::commit, true)->error.value();
  }
  ErrorCode abort_2_code(ProducerIdentity who) {
    return start_end(who, Transaction::Ending::abort, true)->error.value();
  }
  // A batch that announces its partition by itself.
  ErrorCode join(ProducerIdentity who, const TopicPartition& partition = kIn) {
    const ErrorCode error = transaction->join_write(who, partition, 0, wall, now);
    settle();
    return error;
  }
  ErrorCode commit(ProducerIdentity who) {
    return start_end(who, Transaction::Ending::commit)->error.value();
  }
  ErrorCode abort(ProducerIdentity who) {
    return start_end(who, Transaction::Ending::abort)->error.value();
  }
  void settle() {
    for (bool more = true; more;) {
      auto answers = transaction->take_answers();
      more = !answers.empty();
      for (auto& answer : answers) answer();
      if (hold_writes) continue;
      if (auto write = transaction->take_write()) {
        if (write_error == ErrorCode::none) {
          saved = write->snapshot;
          if (write->end) ends.push_back(*write->end);
        }
        transaction->written(write->token, write_error, wall, now);
        more = true;
      }
    }
  }
  void advance(Millis by) {
    now += by;
    transaction->tick(now, wall);
    settle();
  }
  void restart() { transaction = std::make_unique<Transaction>("tx", saved, now); }

  Timestamp wall{1'700'000'000'000};
  Nanos now{0};
  Millis timeout{60'000};
  std::int64_t next_id = 1'000;
  bool hold_writes = false;
  ErrorCode write_error = ErrorCode::none;
  TransactionSnapshot saved;
  std::vector<Transaction::Write::End> ends;
  std::unique_ptr<Transaction> transaction = std::make_unique<Transaction>("tx", wall);
};

TEST_F(TransactionTest, a_new_id_begins_with_epoch_0_whatever_its_producer_claims) {
  EXPECT_EQ(init({77, 5}), (ProducerIdentity{1'000, 0}));
}

TEST_F(TransactionTest, every_init_fences_the_one_before) {
  const auto first = init();
  const auto second = init();
  EXPECT_EQ(second, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(add(first, {kIn}), ErrorCode::producer_fenced);
  EXPECT_EQ(add({999, 1}, {kIn}), ErrorCode::invalid_producer_id_mapping);
  EXPECT_EQ(add(second, {kIn}), ErrorCode::none);
}

TEST_F(TransactionTest, an_end_writes_markers_everywhere_and_the_offsets_at_once) {
  const auto me = init();
  ASSERT_EQ(add(me, {kIn}), ErrorCode::none);
  ASSERT_EQ(add(me, {kOut}), ErrorCode::none);
  ASSERT_EQ(add_group(me), ErrorCode::none);
  ASSERT_EQ(add_offset(me, 7), ErrorCode::none);
  EXPECT_TRUE(transaction->has_pending_offset("group", kIn));
  ASSERT_EQ(commit(me), ErrorCode::none);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].ending, Transaction::Ending::commit);
  EXPECT_EQ(ends[0].producer, me);
  EXPECT_EQ(ends[0].partitions, (std::set<TopicPartition>{kIn, kOut}));
  EXPECT_EQ(ends[0].offsets.at("group").at(kIn).offset, 7);
  EXPECT_EQ(saved.state, TransactionState::complete_commit);
  EXPECT_TRUE(saved.partitions.empty());
  EXPECT_FALSE(transaction->has_pending_offset("group", kIn));
}

TEST_F(TransactionTest, an_end_may_be_repeated_but_not_turned_round) {
  const auto me = init();
  EXPECT_EQ(commit(me), ErrorCode::invalid_txn_state);
  EXPECT_EQ(abort(me), ErrorCode::invalid_txn_state);
  add(me, {kIn});
  EXPECT_EQ(commit(me), ErrorCode::none);
  EXPECT_EQ(commit(me), ErrorCode::none);
  EXPECT_EQ(abort(me), ErrorCode::invalid_txn_state);
  add(me, {kIn});
  EXPECT_EQ(abort(me), ErrorCode::none);
  EXPECT_EQ(abort(me), ErrorCode::none);
  EXPECT_EQ(commit(me), ErrorCode::invalid_txn_state);
  EXPECT_EQ(ends.size(), 2u);
}

TEST_F(TransactionTest, while_it_ends_everything_else_is_concurrent) {
  const auto me = init();
  add(me, {kIn});
  hold_writes = true;
  const auto ending = start_end(me, Transaction::Ending::commit);
  EXPECT_FALSE(ending->error);
  EXPECT_EQ(add(me, {kOut}), ErrorCode::concurrent_transactions);
  EXPECT_EQ(start_end(me, Transaction::Ending::commit)->error, ErrorCode::concurrent_transactions);
  EXPECT_EQ(start_end(me, Transaction::Ending::abort)->error, ErrorCode::invalid_txn_state);
  EXPECT_EQ(start_init()->error, ErrorCode::concurrent_transactions);
  EXPECT_EQ(transaction->check_write(me, kIn), ErrorCode::invalid_txn_state);
  hold_writes = false;
  settle();
  EXPECT_EQ(ending->error, ErrorCode::none);
}

TEST_F(TransactionTest, the_heir_aborts_what_the_zombie_left_open) {
  const auto zombie = init();
  add(zombie, {kIn});
  const auto heir = init();
  EXPECT_EQ(heir, (ProducerIdentity{1'000, 2}));
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].ending, Transaction::Ending::abort);
  EXPECT_EQ(ends[0].producer, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(commit(zombie), ErrorCode::producer_fenced);
  EXPECT_EQ(transaction->check_write(zombie, kIn), ErrorCode::invalid_producer_epoch);
}

TEST_F(TransactionTest, data_belongs_to_an_open_transaction_and_an_added_partition) {
  const auto me = init();
  EXPECT_EQ(transaction->check_write(me, kIn), ErrorCode::invalid_txn_state);
  add(me, {kIn});
  EXPECT_EQ(transaction->check_write(me, kIn), ErrorCode::none);
  EXPECT_EQ(transaction->check_write(me, kOut), ErrorCode::invalid_txn_state);
  commit(me);
  EXPECT_EQ(transaction->check_write(me, kIn), ErrorCode::invalid_txn_state);
}

TEST_F(TransactionTest, offsets_need_their_group_announced) {
  const auto me = init();
  EXPECT_EQ(add_offset(me, 1), ErrorCode::invalid_txn_state);
  add(me, {kIn});
  EXPECT_EQ(add_offset(me, 1), ErrorCode::invalid_txn_state);
  add_group(me);
  EXPECT_EQ(add_offset(me, 1), ErrorCode::none);
}

TEST_F(TransactionTest, an_aborted_transaction_keeps_no_offsets) {
  const auto me = init();
  add_group(me);
  add_offset(me, 7);
  abort(me);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].ending, Transaction::Ending::abort);
  add_group(me);
  EXPECT_FALSE(transaction->has_pending_offset("group", kIn));
}

TEST_F(TransactionTest, one_that_is_open_for_too_long_is_aborted_and_its_producer_fenced) {
  const auto me = init();
  add(me, {kIn});
  advance(timeout - Millis(1));
  EXPECT_TRUE(ends.empty());
  advance(Millis(1));
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].producer, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(commit(me), ErrorCode::producer_fenced);
  EXPECT_EQ(init(), (ProducerIdentity{1'000, 2}));
}

TEST_F(TransactionTest, a_producer_bumps_its_own_epoch_and_may_repeat_that) {
  const auto me = init();
  const auto next = init(me);
  EXPECT_EQ(next, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(init(me), next);
  EXPECT_EQ(init(next), (ProducerIdentity{1'000, 2}));
  EXPECT_EQ(start_init(me)->error, ErrorCode::producer_fenced);
  EXPECT_EQ(start_init({5, 0})->error, ErrorCode::producer_fenced);
}

TEST_F(TransactionTest, when_the_epochs_are_used_up_a_fresh_id_follows) {
  init();
  saved.producer.epoch = kProducerEpochMax;
  restart();
  const ProducerIdentity last{1'000, kProducerEpochMax};
  const auto fresh = init(last);
  EXPECT_EQ(fresh, (ProducerIdentity{1'001, 0}));
  EXPECT_EQ(init(last), fresh);
}

TEST_F(TransactionTest, the_last_epoch_of_all_fences_and_then_a_fresh_id_follows) {
  init();
  saved.producer.epoch = kProducerEpochMax;
  restart();
  add({1'000, kProducerEpochMax}, {kIn});
  EXPECT_EQ(init(), (ProducerIdentity{1'001, 0}));
  EXPECT_EQ(ends.at(0).producer, (ProducerIdentity{1'000, INT16_MAX}));
}

TEST_F(TransactionTest, an_open_transaction_survives_a_restart) {
  const auto me = init();
  add(me, {kIn});
  add_group(me);
  add_offset(me, 7);
  restart();
  EXPECT_EQ(transaction->check_write(me, kIn), ErrorCode::none);
  EXPECT_EQ(commit(me), ErrorCode::none);
  EXPECT_EQ(ends.at(0).offsets.at("group").at(kIn).offset, 7);
  add(me, {kIn});
  restart();
  advance(timeout);
  EXPECT_EQ(ends.size(), 2u);
}

TEST_F(TransactionTest, an_end_that_could_not_be_written_leaves_it_open) {
  const auto me = init();
  add(me, {kIn});
  write_error = ErrorCode::coordinator_not_available;
  EXPECT_EQ(commit(me), ErrorCode::coordinator_not_available);
  EXPECT_EQ(transaction->check_write(me, kIn), ErrorCode::none);
  write_error = ErrorCode::none;
  EXPECT_EQ(commit(me), ErrorCode::none);
}

TEST_F(TransactionTest, an_addition_that_could_not_be_written_is_written_again) {
  const auto me = init();
  write_error = ErrorCode::coordinator_not_available;
  EXPECT_EQ(add(me, {kIn}), ErrorCode::coordinator_not_available);
  EXPECT_FALSE(saved.partitions.contains(kIn));
  write_error = ErrorCode::none;
  EXPECT_EQ(add(me, {kIn}), ErrorCode::none);
  EXPECT_TRUE(saved.partitions.contains(kIn));
}

TEST_F(TransactionTest, a_fence_that_could_not_be_written_is_tried_again) {
  const auto me = init();
  add(me, {kIn});
  write_error = ErrorCode::coordinator_not_available;
  EXPECT_EQ(start_init()->error, ErrorCode::coordinator_not_available);
  EXPECT_EQ(commit(me), ErrorCode::producer_fenced);
  write_error = ErrorCode::none;
  advance(Millis(1'000));
  EXPECT_EQ(ends.size(), 1u);
}

TEST_F(TransactionTest, under_version_2_a_batch_opens_the_transaction_and_joins_it) {
  const auto me = init();
  EXPECT_EQ(join(me), ErrorCode::none);
  EXPECT_EQ(saved.state, TransactionState::ongoing);
  EXPECT_EQ(join(me, kOut), ErrorCode::none);
  EXPECT_EQ(transaction->join_write(me, kOut, 7, wall, now), ErrorCode::none) << "it is in";
  EXPECT_EQ(transaction->join_write(me, {"late", 0}, 7, wall, now),
            ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(join({me.id, 9}), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(join({999, me.epoch}), ErrorCode::invalid_producer_id_mapping);
  commit_2(me);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].partitions, (std::set<TopicPartition>{kIn, kOut}));
}

TEST_F(TransactionTest, a_partition_is_written_with_each_batch_until_it_is_durable) {
  const auto me = init();
  hold_writes = true;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(transaction->join_write(me, kIn, 0, wall, now), ErrorCode::none);
    const auto write = transaction->take_write();
    ASSERT_TRUE(write);
    EXPECT_TRUE(write->snapshot.partitions.contains(kIn));
  }
  transaction->written(2, ErrorCode::coordinator_not_available, wall, now);
  transaction->written(3, ErrorCode::none, wall, now);
  EXPECT_EQ(transaction->join_write(me, kIn, 0, wall, now), ErrorCode::none);
  EXPECT_FALSE(transaction->take_write()) << "it is durable now";
}

TEST_F(TransactionTest, under_version_2_every_end_raises_the_epoch) {
  auto me = init();
  join(me);
  const auto second = commit_2(me);
  EXPECT_EQ(second, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(ends.at(0).producer, second) << "the partitions refuse what is late from now on";
  EXPECT_EQ(saved.producer, second);
  EXPECT_EQ(join(me), ErrorCode::invalid_producer_epoch);
  join(second);
  EXPECT_EQ(abort_2(second), (ProducerIdentity{1'000, 2}));
}

TEST_F(TransactionTest, a_late_end_touches_no_later_transaction) {
  const auto first = init();
  join(first);
  const auto second = commit_2(first);
  EXPECT_EQ(commit_2(first), second) << "it may be repeated until the next one begins";
  EXPECT_EQ(abort_2_code(first), ErrorCode::invalid_txn_state);
  restart();
  EXPECT_EQ(commit_2(first), second);
  join(second);
  EXPECT_EQ(commit_2_code(first), ErrorCode::producer_fenced);
  EXPECT_EQ(abort_2_code(first), ErrorCode::producer_fenced);
  EXPECT_EQ(transaction->snapshot().state, TransactionState::ongoing);
  EXPECT_EQ(ends.size(), 1u);
  const auto third = abort_2(second);
  EXPECT_EQ(abort_2(second), third);
  EXPECT_EQ(commit_2_code(second), ErrorCode::producer_fenced);
  EXPECT_EQ(ends.size(), 2u);
}

TEST_F(TransactionTest, under_version_2_an_end_under_way_is_concurrent_and_never_done) {
  const auto me = init();
  join(me);
  hold_writes = true;
  const auto ending = start_end(me, Transaction::Ending::commit, true);
  EXPECT_FALSE(ending->error);
  EXPECT_EQ(commit_2_code(me), ErrorCode::concurrent_transactions);
  EXPECT_EQ(abort_2_code(me), ErrorCode::invalid_txn_state);
  EXPECT_EQ(join(me), ErrorCode::concurrent_transactions);
  EXPECT_EQ(start_init()->error, ErrorCode::concurrent_transactions);
  hold_writes = false;
  settle();
  EXPECT_EQ(ending->error, ErrorCode::none);
  EXPECT_EQ(ending->identity, (ProducerIdentity{1'000, 1}));
}

TEST_F(TransactionTest, a_transaction_that_holds_nothing_may_be_aborted_and_not_committed) {
  const auto me = init();
  EXPECT_EQ(commit_2_code(me), ErrorCode::invalid_txn_state);
  const auto second = abort_2(me);
  EXPECT_EQ(second, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(abort_2(me), second);
  EXPECT_EQ(commit_2_code(second), ErrorCode::invalid_txn_state);
  EXPECT_EQ(abort_2(second), (ProducerIdentity{1'000, 2}));
}

TEST_F(TransactionTest, an_abort_of_nothing_that_could_not_be_written_opens_nothing) {
  const auto me = init();
  write_error = ErrorCode::coordinator_not_available;
  EXPECT_EQ(abort_2_code(me), ErrorCode::coordinator_not_available);
  EXPECT_EQ(transaction->snapshot().state, TransactionState::empty);
  EXPECT_FALSE(transaction->next_deadline());
  write_error = ErrorCode::none;
  EXPECT_EQ(abort_2(me), (ProducerIdentity{1'000, 1}));
}

TEST_F(TransactionTest, an_end_of_the_last_epoch_hands_out_a_fresh_id) {
  init();
  saved.producer.epoch = kProducerEpochMax;
  restart();
  const ProducerIdentity last{1'000, kProducerEpochMax};
  join(last);
  const auto fresh = commit_2(last);
  EXPECT_EQ(fresh, (ProducerIdentity{1'001, 0}));
  EXPECT_EQ(ends.at(0).producer, (ProducerIdentity{1'000, INT16_MAX}));
  restart();
  EXPECT_EQ(commit_2(last), fresh);
  EXPECT_EQ(join(last), ErrorCode::invalid_producer_id_mapping);
  EXPECT_EQ(join(fresh), ErrorCode::none);
  EXPECT_EQ(commit_2_code(last), ErrorCode::invalid_producer_id_mapping);
}

TEST_F(TransactionTest, whom_time_has_aborted_goes_on_once_it_knows) {
  const auto me = init();
  join(me);
  advance(timeout);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(commit_2_code(me), ErrorCode::producer_fenced) << "it was not committed";
  const auto next = abort_2(me);
  EXPECT_EQ(next, (ProducerIdentity{1'000, 1}));
  EXPECT_EQ(join(next), ErrorCode::none);
  EXPECT_EQ(abort_2_code(me), ErrorCode::producer_fenced);
}

TEST_F(TransactionTest, whom_an_heir_has_fenced_learns_nothing_by_an_abort) {
  const auto zombie = init();
  join(zombie);
  hold_writes = true;
  const auto heir = start_init();
  EXPECT_EQ(abort_2_code(zombie), ErrorCode::producer_fenced);
  hold_writes = false;
  settle();
  EXPECT_EQ(heir->identity, (ProducerIdentity{1'000, 2}));
  EXPECT_EQ(abort_2_code(zombie), ErrorCode::producer_fenced);
  EXPECT_EQ(commit_2_code(zombie), ErrorCode::producer_fenced);
}

TEST_F(TransactionTest, an_epoch_that_was_raised_by_an_end_is_found_again_by_an_init) {
  const auto me = init();
  join(me);
  const auto second = commit_2(me);
  EXPECT_EQ(init(me), second) << "the answer of the end was lost";
  join(second);
  EXPECT_EQ(start_init(me)->error, ErrorCode::producer_fenced) << "it was not";
}

TEST_F(TransactionTest, under_version_2_offsets_announce_their_group) {
  const auto me = init();
  EXPECT_EQ(add_offset(me, 7, Transaction::Unannounced::joins), ErrorCode::none);
  EXPECT_TRUE(transaction->has_pending_offset("group", kIn));
  commit_2(me);
  EXPECT_EQ(ends.at(0).offsets.at("group").at(kIn).offset, 7);
}

TEST_F(TransactionTest, both_versions_take_turns_on_one_id) {
  const auto older = init();
  add(older, {kIn});
  EXPECT_EQ(commit(older), ErrorCode::none);
  EXPECT_EQ(commit(older), ErrorCode::none);
  const auto newer = init();
  join(newer);
  const auto next = commit_2(newer);
  EXPECT_EQ(commit(newer), ErrorCode::producer_fenced);
  const auto again = init();
  EXPECT_EQ(again.epoch, next.epoch + 1);
  add(again, {kOut});
  EXPECT_EQ(abort(again), ErrorCode::none);
  EXPECT_EQ(transaction->snapshot().producer, again);
}

// Producers of one transactional id that come, work, lose answers and are replaced at random, with
// restarts between: what each was told about its transaction must be what was written.
TEST_F(TransactionTest, whatever_happens_an_answer_is_what_was_written) {
  for (const std::uint64_t seed : io::test_seeds(300)) {
    SCOPED_TRACE(io::seed_note(seed));
    io::SeededRandom random(seed);
    transaction = std::make_unique<Transaction>("tx", wall);
    saved = {};
    ends.clear();
    std::vector<ProducerIdentity> producers{init()};
    for (int i = 0; i < 400; ++i) {
      const bool newest = random.below(4) != 0;
      const ProducerIdentity who =
          newest ? producers.back() : producers[random.below(producers.size())];
      const bool current = who == transaction->snapshot().producer;
      const bool open = transaction->snapshot().state == TransactionState::ongoing;
      const std::size_t ended = ends.size();
      switch (random.below(8)) {
        case 0: producers.push_back(init()); break;
        case 1:
        case 2:
        case 3: EXPECT_EQ(add(who, {kIn, kOut}) == ErrorCode::none, current); break;
        case 4: advance(Millis(static_cast<std::int64_t>(random.below(70'000)))); break;
        case 5: restart(); break;
        default: {
          const auto ending =
              random.below(2) == 0 ? Transaction::Ending::commit : Transaction::Ending::abort;
          const ErrorCode error = start_end(who, ending)->error.value();
          if (error != ErrorCode::none) {
            EXPECT_EQ(ends.size(), ended);
          } else {
            ASSERT_FALSE(ends.empty());
            EXPECT_EQ(ends.back().ending, ending);
            EXPECT_EQ(ends.back().producer, who);
            EXPECT_EQ(ends.size(), ended + (open ? 1 : 0));
          }
        }
      }
    }
  }
}

}  // namespace transaction_test
}  // namespace adbrook::broker
