// OffsetCommit: positions of a group, durable when they are answered. A negative one is kept as it
// is: kafkajs resets a group by committing -2 and reads it as "from the start".
#include "protocol/k08_offset_commit.h"

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using OffsetCommitCall = Call<OffsetCommitRequest, OffsetCommitResponse>;

constexpr std::int16_t kMemberEpochSince = 9;
constexpr std::int16_t kOffsetCommitIdsSince = 10;

// The answer, and which of its partitions wait for the append.
struct OffsetCommitCommitting {
  explicit OffsetCommitCommitting(OffsetCommitCall made) : call(std::move(made)) {}

  void finish(ErrorCode error) {
    for (auto& topic : response.topics)
      for (auto& partition : topic.partitions)
        if (partition.error_code == ErrorCode::none) partition.error_code = error;
    call.answer(response);
  }

  OffsetCommitCall call;
  OffsetCommitResponse response;
};

void answer_offset_commit(Broker& broker, OffsetCommitCall made) {
  auto work = std::make_unique<OffsetCommitCommitting>(std::move(made));
  const OffsetCommitCall& call = work->call;
  const std::string group(call->group_id);
  std::vector<log::OffsetCommit> offsets;
  for (const auto& asked : call->topics) {
    const bool by_id = call.version() >= kOffsetCommitIdsSince;
    const auto topic = find_topic(broker.log(), asked.name, asked.topic_id, by_id);
    auto& shown = work->response.topics.emplace_back();
    shown.name = asked.name;
    shown.topic_id = asked.topic_id;
    for (const auto& position : asked.partitions) {
      auto& answer = shown.partitions.emplace_back();
      answer.partition_index = position.partition_index;
      const std::string_view metadata = position.committed_metadata.value_or("");
      const auto partition = topic ? broker.log().partition(topic->name, position.partition_index)
                                   : Result<log::PartitionId>(pass(topic.error()));
      if (!partition)
        answer.error_code = unknown_topic_code(by_id && !topic);
      else if (static_cast<std::int64_t>(metadata.size()) >
               broker.group_options().offset_metadata_max.count)
        answer.error_code = ErrorCode::offset_metadata_too_large;
      else
        offsets.push_back({group, *partition, Offset{position.committed_offset},
                           position.committed_leader_epoch, std::string(metadata)});
    }
  }
  const MemberClaim claim{
      std::string(call->member_id),
      call->group_instance_id ? std::optional<std::string>(*call->group_instance_id) : std::nullopt,
      call->generation_id_or_member_epoch};
  const auto request = call.version() >= kMemberEpochSince ? ConsumerGroup::Request::with_epoch
                                                           : ConsumerGroup::Request::older;
  broker.groups().commit(group, claim, request, std::move(offsets),
                         [work = std::move(work)](ErrorCode error) { work->finish(error); });
}

}  // namespace

void register_offset_commit(ApiTable& table) { table.add(&answer_offset_commit); }

}  // namespace adbrook::broker
