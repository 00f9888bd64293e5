// Transactions over the log: what readers of committed records see, and what a crash leaves.
#include <gtest/gtest.h>

#include "broker/broker_test_bed.h"
#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"
#include "protocol/k02_list_offsets.h"
#include "protocol/k09_offset_fetch.h"
#include "protocol/k22_init_producer_id.h"
#include "protocol/k24_add_partitions_to_txn.h"
#include "protocol/k25_add_offsets_to_txn.h"
#include "protocol/k26_end_txn.h"
#include "protocol/k28_txn_offset_commit.h"
#include "protocol/k61_describe_producers.h"
#include "protocol/k65_describe_transactions.h"
#include "protocol/k66_list_transactions.h"

namespace adbrook::broker {
namespace transaction_api_test {

using namespace protocol;  // NOLINT: tests name many messages

class TransactionApiTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(bed.log.log->create_topic("t", 2, {})); }

  ProducerIdentity init(std::optional<std::string_view> id = "tx") {
    const auto answer = bed.ask<InitProducerIdResponse>(
        InitProducerIdRequest{.transactional_id = id, .transaction_timeout_ms = 60'000});
    EXPECT_EQ(answer->error_code, ErrorCode::none);
    sequence = 0;
    return {answer->producer_id, answer->producer_epoch};
  }
  ErrorCode add(ProducerIdentity who, std::int32_t partition = 0) {
    AddPartitionsToTxnRequest request{.v3_and_below_transactional_id = "tx",
                                      .v3_and_below_producer_id = who.id,
                                      .v3_and_below_producer_epoch = who.epoch};
    request.v3_and_below_topics.push_back({.name = "t", .partitions = {partition}});
    return bed.ask<AddPartitionsToTxnResponse>(request, 3)
        ->results_by_topic_v3_and_below.at(0)
        .results_by_partition.at(0)
        .partition_error_code;
  }
  ErrorCode produce(ProducerIdentity who, const std::string& value, std::int32_t partition = 0,
                    bool transactional = true, std::int16_t version = 9) {
    const Buffer batch = produced_batch({value}, {who.id, who.epoch, sequence, transactional});
    ProduceRequest request{.transactional_id = "tx", .acks = -1};
    request.topic_data.push_back({.name = "t"});
    request.topic_data[0].partition_data.push_back({.index = partition, .records = {{batch}}});
    const ErrorCode error = bed.ask<ProduceResponse>(request, version)
                                ->responses.at(0)
                                .partition_responses.at(0)
                                .error_code;
    if (error == ErrorCode::none && partition == 0) ++sequence;
    return error;
  }
  ErrorCode end(ProducerIdentity who, bool commit) {
    return bed
        .ask<EndTxnResponse>(EndTxnRequest{.transactional_id = "tx",
                                           .producer_id = who.id,
                                           .producer_epoch = who.epoch,
                                           .committed = commit},
                             4)
        ->error_code;
  }
  ErrorCode add_group(ProducerIdentity who) {
    return bed
        .ask<AddOffsetsToTxnResponse>(AddOffsetsToTxnRequest{.transactional_id = "tx",
                                                             .producer_id = who.id,
                                                             .producer_epoch = who.epoch,
                                                             .group_id = "g"})
        ->error_code;
  }
  // Under version 2 a batch announces its partition, and an end gives the next identity.
  ErrorCode produce_2(ProducerIdentity who, const std::string& value, std::int32_t partition = 0) {
    return produce(who, value, partition, true, 12);
  }
  ProducerIdentity end_2(ProducerIdentity who, bool commit, ErrorCode expected = ErrorCode::none) {
    const auto answer = bed.ask<EndTxnResponse>(EndTxnRequest{.transactional_id = "tx",
                                                              .producer_id = who.id,
                                                              .producer_epoch = who.epoch,
                                                              .committed = commit});
    EXPECT_EQ(answer->error_code, expected);
    if (expected == ErrorCode::none) sequence = 0;
    return {answer->producer_id, answer->producer_epoch};
  }
  ErrorCode add_offset(ProducerIdentity who, std::int64_t offset, std::int32_t generation = -1,
                       std::int16_t version = 3) {
    TxnOffsetCommitRequest request{.transactional_id = "tx",
                                   .group_id = "g",
                                   .producer_id = who.id,
                                   .producer_epoch = who.epoch,
                                   .generation_id = generation};
    request.topics.push_back({.name = "t"});
    request.topics[0].partitions.push_back({.partition_index = 1, .committed_offset = offset});
    return bed.ask<TxnOffsetCommitResponse>(request, version)
        ->topics.at(0)
        .partitions.at(0)
        .error_code;
  }
  OffsetFetchResponse::Partition committed_offset() {
    OffsetFetchRequest request{.require_stable = true};
    auto& asked = request.groups.emplace_back();
    asked.group_id = "g";
    asked.topics->push_back({.name = "t", .partition_indexes = {1}});
    return bed.ask<OffsetFetchResponse>(request, 9)->groups.at(0).topics.at(0).partitions.at(0);
  }
  // What a reader of committed records sees in partition 0, as a client filters it.
  std::vector<std::string> committed() {
    FetchRequest request{.isolation_level = 1};
    request.topics.push_back({.topic = "t"});
    request.topics[0].partitions.push_back({.partition_max_bytes = 1 << 20});
    const auto answer = bed.ask<FetchResponse>(request, 11);
    const auto& partition = answer->responses.at(0).partitions.at(0);
    std::vector<std::string> values;
    auto aborted = *partition.aborted_transactions;
    std::set<std::int64_t> open_aborts;
    ByteView rest = partition.records.pieces.empty() ? ByteView{} : partition.records.pieces[0];
    while (!rest.empty()) {
      const auto header = record::read_header(rest);
      while (!aborted.empty() && aborted.front().first_offset <= header->last_offset().value) {
        open_aborts.insert(aborted.front().producer_id);
        aborted.erase(aborted.begin());
      }
      if (header->control())
        open_aborts.erase(header->producer_id);
      else if (!header->transactional() || !open_aborts.contains(header->producer_id))
        add_values(rest.first(header->size()), values);
      rest = rest.subspan(header->size());
    }
    return values;
  }
  static void add_values(ByteView batch, std::vector<std::string>& values) {
    auto reader = record::BatchReader::open(batch, 1_MiB);
    record::RecordView record;
    while (reader->next(record).value_or(false)) values.emplace_back(as_text(*record.value));
  }

  BrokerBed bed;
  std::int32_t sequence = 0;
};

using Values = std::vector<std::string>;

TEST_F(TransactionApiTest, producer_ids_are_never_given_twice) {
  std::set<std::int64_t> seen;
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 300; ++j) EXPECT_TRUE(seen.insert(init(std::nullopt).id).second);
    bed.crash();
  }
}

TEST_F(TransactionApiTest, committed_records_are_seen_and_aborted_ones_never) {
  const auto me = init();
  ASSERT_EQ(add(me), ErrorCode::none);
  EXPECT_EQ(produce(me, "a"), ErrorCode::none);
  EXPECT_EQ(committed(), Values{}) << "it is open";
  EXPECT_EQ(end(me, true), ErrorCode::none);
  EXPECT_EQ(committed(), Values{"a"});
  add(me);
  produce(me, "b");
  EXPECT_EQ(end(me, false), ErrorCode::none);
  add(me);
  produce(me, "c");
  end(me, true);
  EXPECT_EQ(committed(), (Values{"a", "c"}));
  bed.crash();
  EXPECT_EQ(committed(), (Values{"a", "c"}));
}

TEST_F(TransactionApiTest, what_was_not_added_is_not_written) {
  const auto me = init();
  EXPECT_EQ(produce(me, "x"), ErrorCode::invalid_txn_state);
  add(me, 1);
  EXPECT_EQ(produce(me, "x"), ErrorCode::invalid_txn_state);
  EXPECT_EQ(produce({me.id, 7}, "x", 1), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(add(me, 9), ErrorCode::unknown_topic_or_partition);
}

TEST_F(TransactionApiTest, a_plain_batch_inside_a_transaction_is_refused) {
  const auto me = init();
  add(me);
  produce(me, "a");
  EXPECT_EQ(produce(me, "b", 0, false), ErrorCode::invalid_txn_state);
}

TEST_F(TransactionApiTest, the_heir_aborts_the_zombie_and_fences_it_everywhere) {
  const auto zombie = init();
  add(zombie);
  produce(zombie, "zombie");
  const auto heir = init();
  EXPECT_EQ(produce(zombie, "late"), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(end(zombie, true), ErrorCode::producer_fenced);
  sequence = 0;
  add(heir);
  EXPECT_EQ(produce(heir, "heir"), ErrorCode::none);
  EXPECT_EQ(end(heir, true), ErrorCode::none);
  EXPECT_EQ(committed(), Values{"heir"});
}

TEST_F(TransactionApiTest, an_open_transaction_goes_on_after_a_crash) {
  const auto me = init();
  add(me);
  produce(me, "a");
  bed.crash();
  EXPECT_EQ(committed(), Values{});
  EXPECT_EQ(produce(me, "b"), ErrorCode::none);
  EXPECT_EQ(end(me, true), ErrorCode::none);
  EXPECT_EQ(committed(), (Values{"a", "b"}));
}

TEST_F(TransactionApiTest, one_that_hangs_is_aborted_after_its_timeout) {
  const auto me = init();
  add(me);
  produce(me, "a");
  bed.crash();
  bed.advance(Millis(60'100));
  EXPECT_EQ(end(me, true), ErrorCode::producer_fenced);
  EXPECT_EQ(committed(), Values{});
  ListOffsetsRequest request{.isolation_level = 1};
  request.topics.push_back({.name = "t"});
  request.topics[0].partitions.push_back({.partition_index = 0, .timestamp = -1});
  EXPECT_EQ(bed.ask<ListOffsetsResponse>(request)->topics.at(0).partitions.at(0).offset, 2)
      << "nobody waits for it any more";
}

TEST_F(TransactionApiTest, offsets_count_with_the_commit_and_not_before) {
  const auto me = init();
  EXPECT_EQ(add_offset(me, 5), ErrorCode::invalid_txn_state);
  EXPECT_EQ(add_group(me), ErrorCode::none);
  EXPECT_EQ(add_offset(me, 5), ErrorCode::none);
  EXPECT_EQ(committed_offset().error_code, ErrorCode::unstable_offset_commit);
  bed.crash();
  EXPECT_EQ(end(me, true), ErrorCode::none);
  EXPECT_EQ(committed_offset().committed_offset, 5);
  add_group(me);
  add_offset(me, 9);
  EXPECT_EQ(end(me, false), ErrorCode::none);
  EXPECT_EQ(committed_offset().committed_offset, 5);
  EXPECT_EQ(add_offset(me, 9, 4), ErrorCode::unknown_member_id);
}

TEST_F(TransactionApiTest, timeouts_and_names_are_checked) {
  const auto code = [&](std::string_view id, std::int32_t timeout) {
    return bed
        .ask<InitProducerIdResponse>(
            InitProducerIdRequest{.transactional_id = id, .transaction_timeout_ms = timeout})
        ->error_code;
  };
  EXPECT_EQ(code("", 1'000), ErrorCode::invalid_request);
  EXPECT_EQ(code("tx", 900'001), ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(code("tx", 0), ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(end({1, 0}, true), ErrorCode::invalid_producer_id_mapping);
}

TEST_F(TransactionApiTest, a_topic_that_went_away_does_not_hold_the_end_up) {
  const auto me = init();
  add(me, 0);
  produce(me, "a");
  ASSERT_TRUE(bed.log.log->delete_topic("t"));
  EXPECT_EQ(end(me, true), ErrorCode::none);
}

TEST_F(TransactionApiTest, under_version_2_batches_announce_themselves) {
  auto me = init();
  EXPECT_EQ(produce_2(me, "a"), ErrorCode::none);
  EXPECT_EQ(produce_2(me, "b"), ErrorCode::none);
  EXPECT_EQ(committed(), Values{}) << "it is open";
  me = end_2(me, true);
  EXPECT_EQ(me.epoch, 1);
  EXPECT_EQ(committed(), (Values{"a", "b"}));
  EXPECT_EQ(produce_2(me, "c"), ErrorCode::none);
  me = end_2(me, false);
  EXPECT_EQ(produce_2(me, "d"), ErrorCode::none);
  me = end_2(me, true);
  EXPECT_EQ(committed(), (Values{"a", "b", "d"}));
  EXPECT_EQ(me.epoch, 3);
}

TEST_F(TransactionApiTest, under_version_2_what_comes_late_is_refused) {
  const auto first = init();
  produce_2(first, "a");
  const auto second = end_2(first, true);
  EXPECT_EQ(end_2(first, true), second) << "its answer was lost";
  sequence = 1;
  EXPECT_EQ(produce_2(first, "late"), ErrorCode::invalid_producer_epoch);
  sequence = 0;
  EXPECT_EQ(produce_2(second, "b"), ErrorCode::none);
  end_2(first, true, ErrorCode::producer_fenced);
  end_2(first, false, ErrorCode::producer_fenced);
  EXPECT_EQ(committed(), Values{"a"});
  end_2(second, true);
  EXPECT_EQ(committed(), (Values{"a", "b"}));
}

TEST_F(TransactionApiTest, under_version_2_a_transaction_and_its_epoch_survive_a_crash) {
  auto me = init();
  produce_2(me, "a");
  bed.crash();
  EXPECT_EQ(produce_2(me, "b"), ErrorCode::none);
  const auto next = end_2(me, true);
  bed.crash();
  EXPECT_EQ(end_2(me, true), next);
  EXPECT_EQ(committed(), (Values{"a", "b"}));
  EXPECT_EQ(produce_2(me, "late"), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(produce_2(next, "c"), ErrorCode::none);
}

TEST_F(TransactionApiTest, a_refused_batch_leaves_its_partition_out_and_the_next_one_joins) {
  const auto me = init();
  sequence = 4;
  EXPECT_EQ(produce_2(me, "gap"), ErrorCode::out_of_order_sequence_number);
  sequence = 0;
  EXPECT_EQ(produce_2(me, "a"), ErrorCode::none);
  bed.crash();
  end_2(me, true);
  EXPECT_EQ(committed(), Values{"a"});
}

// Both batches bring the state of the transaction into the log; the refused one waits for nothing
// there, the good one for the disk.
TEST_F(TransactionApiTest, a_good_and_a_refused_first_batch_in_one_request_are_both_answered) {
  for (int round = 0; round < 20; ++round) {
    const auto who = init();
    const Buffer good = produced_batch({"good"}, {who.id, who.epoch, 0, true});
    Buffer refused = produced_batch({"refused"}, {who.id, who.epoch, 0, true});
    record::set_log_append_time(refused, {1'700'000'000'000});
    ProduceRequest request{.transactional_id = "tx", .acks = -1};
    request.topic_data.push_back({.name = "t"});
    request.topic_data[0].partition_data.push_back({.index = 0, .records = {{good}}});
    request.topic_data[0].partition_data.push_back({.index = 1, .records = {{refused}}});
    const auto answer = bed.ask<ProduceResponse>(request, 12);
    const auto& partitions = answer->responses.at(0).partition_responses;
    EXPECT_EQ(partitions.at(0).error_code, ErrorCode::none);
    EXPECT_EQ(partitions.at(1).error_code, ErrorCode::invalid_timestamp);
    end_2(who, true);
    EXPECT_EQ(committed().size(), static_cast<std::size_t>(round + 1));
  }
}

TEST_F(TransactionApiTest, under_version_2_offsets_announce_their_group) {
  const auto me = init();
  EXPECT_EQ(add_offset(me, 5, -1, 4), ErrorCode::transaction_abortable);
  EXPECT_EQ(add_offset(me, 5, -1, 5), ErrorCode::none);
  EXPECT_EQ(committed_offset().error_code, ErrorCode::unstable_offset_commit);
  bed.crash();
  end_2(me, true);
  EXPECT_EQ(committed_offset().committed_offset, 5);
}

TEST_F(TransactionApiTest, partitions_of_many_transactions_are_added_and_asked_for_at_once) {
  const auto me = init();
  AddPartitionsToTxnRequest request;
  request.transactions.push_back(
      {.transactional_id = "tx", .producer_id = me.id, .producer_epoch = me.epoch});
  request.transactions[0].topics.push_back({.name = "t", .partitions = {0, 1}});
  request.transactions.push_back({.transactional_id = "absent", .producer_id = 1});
  request.transactions[1].topics.push_back({.name = "t", .partitions = {0}});
  const auto codes = [&](bool verify, std::int16_t version) {
    for (auto& transaction : request.transactions) transaction.verify_only = verify;
    const auto answer = bed.ask<AddPartitionsToTxnResponse>(request, version);
    std::vector<ErrorCode> all;
    for (const auto& transaction : answer->results_by_transaction)
      for (const auto& partition : transaction.topic_results.at(0).results_by_partition)
        all.push_back(partition.partition_error_code);
    return all;
  };
  using enum ErrorCode;
  EXPECT_EQ(codes(true, 4),
            (std::vector{invalid_txn_state, invalid_txn_state, invalid_producer_id_mapping}));
  EXPECT_EQ(codes(true, 5), (std::vector{transaction_abortable, transaction_abortable,
                                         invalid_producer_id_mapping}));
  EXPECT_EQ(codes(false, 5), (std::vector{none, none, invalid_producer_id_mapping}));
  EXPECT_EQ(codes(true, 5), (std::vector{none, none, invalid_producer_id_mapping}));
  request.transactions[0].topics[0].partitions = {1, 9};
  EXPECT_EQ(codes(false, 4), (std::vector{operation_not_attempted, unknown_topic_or_partition,
                                          invalid_producer_id_mapping}));
  ++request.transactions[0].producer_epoch;
  request.transactions[0].topics[0].partitions = {1};
  EXPECT_EQ(codes(true, 5), (std::vector{producer_fenced, invalid_producer_id_mapping}));
}

TEST_F(TransactionApiTest, the_older_version_goes_on_beside_the_newer_one) {
  const auto older = init();
  add(older);
  produce(older, "a");
  EXPECT_EQ(end(older, true), ErrorCode::none);
  const auto newer = init();
  EXPECT_EQ(newer.epoch, older.epoch + 1);
  produce_2(newer, "b");
  EXPECT_EQ(end(older, false), ErrorCode::producer_fenced);
  end_2(newer, true);
  const auto again = init();
  EXPECT_EQ(produce(again, "x"), ErrorCode::invalid_txn_state) << "nothing joins by itself here";
  add(again);
  EXPECT_EQ(produce(again, "c"), ErrorCode::none);
  EXPECT_EQ(end(again, true), ErrorCode::none);
  EXPECT_EQ(committed(), (Values{"a", "b", "c"}));
}

TEST_F(TransactionApiTest, tools_see_what_is_open) {
  const auto me = init();
  add(me);
  produce(me, "a");
  DescribeTransactionsRequest request;
  request.transactional_ids = {"tx", "absent"};
  const auto described = bed.ask<DescribeTransactionsResponse>(request);
  EXPECT_EQ(described->transaction_states.at(0).transaction_state, "Ongoing");
  EXPECT_EQ(described->transaction_states.at(0).topics.at(0).partitions,
            std::vector<std::int32_t>{0});
  EXPECT_EQ(described->transaction_states.at(1).error_code, ErrorCode::transactional_id_not_found);
  ListTransactionsRequest listing;
  listing.state_filters = {"Ongoing", "Nonsense"};
  const auto listed = bed.ask<ListTransactionsResponse>(listing, 1);
  EXPECT_EQ(listed->transaction_states.at(0).transactional_id, "tx");
  EXPECT_EQ(listed->unknown_state_filters, std::vector<std::string_view>{"Nonsense"});
  DescribeProducersRequest producers;
  producers.topics.push_back({.name = "t", .partition_indexes = {0}});
  const auto active = bed.ask<DescribeProducersResponse>(producers);
  const auto& producer = active->topics.at(0).partitions.at(0).active_producers.at(0);
  EXPECT_EQ(producer.producer_id, me.id);
  EXPECT_EQ(producer.current_txn_start_offset, 0);
  EXPECT_EQ(producer.last_sequence, 0);
}

TEST_F(TransactionApiTest, ids_that_nobody_uses_are_forgotten) {
  bed.options.transactional_id_expiration = Millis(1'000'000);
  bed.crash();
  init();
  bed.advance(Millis(1'900'000));
  EXPECT_FALSE(bed.broker->transactions().describe("tx"));
}

}  // namespace transaction_api_test
}  // namespace adbrook::broker
