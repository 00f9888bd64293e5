// OffsetForLeaderEpoch: where an epoch ended. Readers only ever see what is durable, so no tail
// that they know is lost in a crash, and the first epoch never ends.
#include "protocol/k23_offset_for_leader_epoch.h"

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

OffsetForLeaderEpochResponse::Partition answer_partition(
    Broker& broker, std::string_view topic, const OffsetForLeaderEpochRequest::Partition& asked) {
  OffsetForLeaderEpochResponse::Partition answer{.partition = asked.partition};
  const auto partition = broker.log().partition(topic, asked.partition);
  answer.error_code = partition ? check_leader_epoch(asked.current_leader_epoch)
                                : ErrorCode::unknown_topic_or_partition;
  if (answer.error_code != ErrorCode::none || asked.leader_epoch < kLeaderEpoch) return answer;
  // An epoch that is yet to come is answered by "not known": -1 and no error.
  if (asked.leader_epoch > kLeaderEpoch) return answer;
  answer.leader_epoch = kLeaderEpoch;
  answer.end_offset = broker.log().ends(*partition).visible.value;
  return answer;
}

void answer_offset_for_leader_epoch(
    Broker& broker, Call<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> call) {
  OffsetForLeaderEpochResponse response;
  for (const auto& asked : call->topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic = asked.topic;
    for (const auto& partition : asked.partitions)
      topic.partitions.push_back(answer_partition(broker, asked.topic, partition));
  }
  call.answer(response);
}

}  // namespace

void register_offset_for_leader_epoch(ApiTable& table) {
  table.add(&answer_offset_for_leader_epoch);
}

}  // namespace adbrook::broker
