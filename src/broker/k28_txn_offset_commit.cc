// TxnOffsetCommit: offsets that count when the transaction is committed. From version 3 on a member
// that was thrown out of its group is told so. From 5 on the group needs no announcement.
#include "protocol/k28_txn_offset_commit.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;
using TxnOffsetCommitCall = Call<TxnOffsetCommitRequest, TxnOffsetCommitResponse>;

constexpr std::int16_t kTxnOffsetCommitAbortableSince = 4;
constexpr std::int16_t kTxnOffsetCommitJoinsSince = 5;

struct TxnOffsetCommitCommitting {
  explicit TxnOffsetCommitCommitting(TxnOffsetCommitCall made) : call(std::move(made)) {}

  void finish(ErrorCode error) {
    // Its clients know no other word for it here.
    if (error == ErrorCode::producer_fenced) error = ErrorCode::invalid_producer_epoch;
    if (error == ErrorCode::invalid_txn_state && call.version() >= kTxnOffsetCommitAbortableSince)
      error = ErrorCode::transaction_abortable;
    for (auto& topic : response.topics)
      for (auto& partition : topic.partitions)
        if (partition.error_code == ErrorCode::none) partition.error_code = error;
    call.answer(response);
  }

  TxnOffsetCommitCall call;
  TxnOffsetCommitResponse response;
};

MemberClaim claim_of(const TxnOffsetCommitCall& call) {
  MemberClaim claim{.member_id = std::string(call->member_id), .generation = call->generation_id};
  if (call->group_instance_id) claim.instance_id = std::string(*call->group_instance_id);
  return claim;
}

void answer_txn_offset_commit(Broker& broker, TxnOffsetCommitCall made) {
  auto work = std::make_unique<TxnOffsetCommitCommitting>(std::move(made));
  const TxnOffsetCommitCall& call = work->call;
  Transaction::Offsets offsets;
  for (const auto& asked : call->topics) {
    auto& topic = work->response.topics.emplace_back();
    topic.name = asked.name;
    for (const auto& position : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = position.partition_index;
      const std::string_view metadata = position.committed_metadata.value_or("");
      if (!broker.log().partition(asked.name, position.partition_index))
        answer.error_code = ErrorCode::unknown_topic_or_partition;
      else if (static_cast<std::int64_t>(metadata.size()) >
               broker.group_options().offset_metadata_max.count)
        answer.error_code = ErrorCode::offset_metadata_too_large;
      else
        offsets.emplace_back(TopicPartition{std::string(asked.name), position.partition_index},
                             PendingOffset{position.committed_offset,
                                           position.committed_leader_epoch, std::string(metadata)});
    }
  }
  const std::string group(call->group_id);
  const ErrorCode error = broker.groups().check_transactional_commit(group, claim_of(call));
  if (error != ErrorCode::none) return work->finish(error);
  const std::string id(call->transactional_id);
  const ProducerIdentity who{call->producer_id, call->producer_epoch};
  const auto unannounced = call.version() >= kTxnOffsetCommitJoinsSince
                               ? Transaction::Unannounced::joins
                               : Transaction::Unannounced::refused;
  broker.transactions().add_offsets(
      id, who, group, offsets, unannounced,
      [work = std::move(work)](ErrorCode result) { work->finish(result); });
}

}  // namespace

void register_txn_offset_commit(ApiTable& table) { table.add(&answer_txn_offset_commit); }

}  // namespace adbrook::broker
