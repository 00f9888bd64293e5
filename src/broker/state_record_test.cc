#include "broker/state_record.h"

#include <gtest/gtest.h>

namespace adbrook::broker {
namespace state_record_test {

Buffer bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

TEST(StateRecord, a_key_is_read_back) {
  const auto key = decode_key(encode_key(StateKind::transaction, "orders"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kind, StateKind::transaction);
  EXPECT_EQ(key->name, "orders");
}

TEST(StateRecord, a_group_is_read_back) {
  GroupSnapshot group{.protocol_type = "consumer",
                      .protocol_name = "range",
                      .leader = "a",
                      .generation = 7,
                      .empty_since = {12}};
  group.members.push_back({.member_id = "a",
                           .instance_id = "static",
                           .client_id = "app",
                           .client_host = "::1",
                           .session_timeout = Millis(10),
                           .rebalance_timeout = Millis(20),
                           .protocols = {{"range", bytes("x")}, {"sticky", {}}},
                           .assignment = bytes("y")});
  group.members.push_back({.member_id = "b"});
  const auto read = decode_group(encode_group(group));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->leader, "a");
  EXPECT_EQ(read->generation, 7);
  EXPECT_EQ(read->empty_since, Timestamp{12});
  ASSERT_EQ(read->members.size(), 2u);
  EXPECT_EQ(read->members[0].instance_id, "static");
  EXPECT_EQ(read->members[0].protocols, group.members[0].protocols);
  EXPECT_EQ(read->members[0].assignment, bytes("y"));
  EXPECT_EQ(read->members[0].rebalance_timeout, Millis(20));
  EXPECT_EQ(read->members[1].instance_id, std::nullopt);
}

TEST(StateRecord, a_consumer_group_and_its_members_are_read_back) {
  const auto key = decode_key(encode_key(StateKind::consumer_member, "g", "m"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kind, StateKind::consumer_member);
  EXPECT_EQ(key->name, "g");
  EXPECT_EQ(key->member, "m");
  const ConsumerGroupSnapshot group{.epoch = 7,
                                    .target_epoch = 6,
                                    .assignor = "uniform",
                                    .empty_since = {12},
                                    .topics = {{"t", {{1, 2}, 4}}, {"u", {{3, 4}, 0}}}};
  const auto read = decode_consumer_group(encode_consumer_group(group));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->epoch, 7);
  EXPECT_EQ(read->target_epoch, 6);
  EXPECT_EQ(read->assignor, "uniform");
  EXPECT_EQ(read->empty_since, Timestamp{12});
  EXPECT_EQ(read->topics, group.topics);
  const ConsumerMember member{.instance_id = "static",
                              .rack_id = "r",
                              .client_id = "app",
                              .client_host = "/::1",
                              .rebalance_timeout = Millis(20),
                              .topics = {"t", "u"},
                              .pattern = "x.*",
                              .assignor = "range",
                              .epoch = 6,
                              .previous_epoch = 5,
                              .state = ConsumerState::revoking,
                              .assigned = {{{1, 2}, {0, 3}}},
                              .revoking = {{{1, 2}, {1}}},
                              .target = {{{1, 2}, {0, 3}}, {{3, 4}, {9}}}};
  EXPECT_EQ(decode_consumer_member(encode_consumer_member(member)).value(), member);
  EXPECT_EQ(decode_consumer_member(encode_consumer_member({})).value(), ConsumerMember{});
  ConsumerMember strange = member;
  strange.state = static_cast<ConsumerState>(9);
  EXPECT_EQ(decode_consumer_member(encode_consumer_member(strange)).error().kind,
            ErrorKind::corrupt);
}

TEST(StateRecord, a_transaction_is_read_back) {
  TransactionSnapshot transaction{.producer = {5, 3},
                                  .previous = {4, 2},
                                  .timeout = Millis(60'000),
                                  .state = TransactionState::ongoing,
                                  .started = {1},
                                  .last_used = {2},
                                  .partitions = {{"t", 0}, {"u", 9}}};
  transaction.offsets["g"][{"in", 1}] = {42, 6, "note"};
  transaction.offsets["empty"];
  const auto read = decode_transaction(encode_transaction(transaction));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->producer, transaction.producer);
  EXPECT_EQ(read->previous, transaction.previous);
  EXPECT_EQ(read->state, TransactionState::ongoing);
  EXPECT_EQ(read->partitions, transaction.partitions);
  EXPECT_EQ(read->offsets, transaction.offsets);
}

TEST(StateRecord, newer_and_broken_records_are_told_apart) {
  Buffer record = encode_producer_ids(1'000);
  EXPECT_EQ(decode_producer_ids(record).value(), 1'000);
  EXPECT_EQ(decode_producer_ids(ByteView(record).first(5)).error().kind, ErrorKind::corrupt);
  record[1] = std::byte{9};
  EXPECT_EQ(decode_producer_ids(record).error().kind, ErrorKind::unsupported);
  EXPECT_EQ(decode_key(encode_key(static_cast<StateKind>(9), "x")).error().kind,
            ErrorKind::unsupported);
}

}  // namespace state_record_test
}  // namespace adbrook::broker
