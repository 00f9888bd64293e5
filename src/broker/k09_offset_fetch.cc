// OffsetFetch: positions of groups. A group that nobody knows has none, which is no error: clients
// take an error here for a broken group.
#include "protocol/k09_offset_fetch.h"

#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using OffsetFetchCall = Call<OffsetFetchRequest, OffsetFetchResponse>;
using OffsetFetchAskedTopics = std::optional<std::vector<OffsetFetchRequest::Topic>>;

constexpr std::int16_t kManyGroupsSince = 8;
constexpr std::int16_t kOffsetFetchIdsSince = 10;

// Builds the answer for groups, keeping the texts that it shows.
class OffsetFetchAnswering {
 public:
  OffsetFetchAnswering(Broker& broker, bool stable, bool by_id)
      : broker_(broker), stable_(stable), by_id_(by_id) {}

  std::vector<OffsetFetchResponse::Topic> topics(const std::string& group,
                                                 const OffsetFetchAskedTopics& asked) {
    return asked ? named(group, *asked) : all(group);
  }

 private:
  std::vector<OffsetFetchResponse::Topic> named(
      const std::string& group, const std::vector<OffsetFetchRequest::Topic>& asked) {
    std::vector<OffsetFetchResponse::Topic> shown;
    for (const auto& wanted : asked) {
      const auto topic = find_topic(broker_.log(), wanted.name, wanted.topic_id, by_id_);
      auto& answer = shown.emplace_back();
      answer.name = wanted.name;
      answer.topic_id = wanted.topic_id;
      for (const std::int32_t index : wanted.partition_indexes) {
        auto& partition = answer.partitions.emplace_back();
        partition.partition_index = index;
        if (!topic && by_id_) partition.error_code = ErrorCode::unknown_topic_id;
        const auto id = topic ? broker_.log().partition(topic->name, index)
                              : Result<log::PartitionId>(pass(topic.error()));
        if (id)
          fill(partition, group, {topic->name, index}, broker_.log().committed_offset(group, *id));
      }
    }
    return shown;
  }

  std::vector<OffsetFetchResponse::Topic> all(const std::string& group) {
    std::vector<OffsetFetchResponse::Topic> shown;
    for (const log::GroupOffset& offset : broker_.log().group_offsets(group)) {
      const std::string_view name = keep(offset.topic);
      if (shown.empty() || shown.back().name != name) {
        shown.emplace_back().name = name;
        if (const auto topic = broker_.log().topic(name)) shown.back().topic_id = topic->id;
      }
      auto& partition = shown.back().partitions.emplace_back();
      partition.partition_index = offset.partition;
      fill(partition, group, {offset.topic, offset.partition}, offset.committed);
    }
    return shown;
  }

  void fill(OffsetFetchResponse::Partition& partition, const std::string& group,
            const TopicPartition& place, const std::optional<log::CommittedOffset>& committed) {
    if (stable_ && broker_.transactions().has_pending_offset(group, place)) {
      partition.error_code = ErrorCode::unstable_offset_commit;
      return;
    }
    if (!committed) return;
    partition.committed_offset = committed->offset.value;
    partition.committed_leader_epoch = committed->leader_epoch;
    partition.metadata = keep(committed->metadata);
  }

  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  Broker& broker_;
  const bool stable_;
  const bool by_id_;
  std::list<std::string> texts_;  // stays where it is while it grows
};

void answer_offset_fetch(Broker& broker, OffsetFetchCall call) {
  OffsetFetchAnswering answering(broker, call->require_stable,
                                 call.version() >= kOffsetFetchIdsSince);
  OffsetFetchResponse response;
  if (call.version() < kManyGroupsSince) {
    response.topics = answering.topics(std::string(call->group_id), call->topics);
    return call.answer(response);
  }
  for (const auto& asked : call->groups) {
    auto& group = response.groups.emplace_back();
    group.group_id = asked.group_id;
    const MemberClaim claim{.member_id = std::string(asked.member_id.value_or("")),
                            .generation = asked.member_epoch};
    group.error_code = broker.groups().check_fetch(std::string(asked.group_id), claim);
    if (group.error_code != ErrorCode::none) continue;
    group.topics = answering.topics(std::string(asked.group_id), asked.topics);
  }
  call.answer(response);
}

}  // namespace

void register_offset_fetch(ApiTable& table) { table.add(&answer_offset_fetch); }

}  // namespace adbrook::broker
