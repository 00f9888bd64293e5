// ConsumerGroupDescribe: groups of the newer protocol. Others are told as absent, so that admin
// clients ask DescribeGroups for them.
#include "protocol/k69_consumer_group_describe.h"

#include <list>
#include <map>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::ConsumerGroupDescribeRequest;
using protocol::ConsumerGroupDescribeResponse;

constexpr std::int8_t kConsumerMember = 1;

// What one group's answer points into.
struct Shown {
  GroupCoordinator::ConsumerDescribed group;
  std::map<Uuid, std::string> topic_names;
};

ConsumerGroupDescribeResponse::Assignment assignment_of(const PartitionSet& set,
                                                        const Shown& shown) {
  ConsumerGroupDescribeResponse::Assignment assignment;
  for (const auto& [topic, partitions] : set) {
    const auto name = shown.topic_names.find(topic);
    if (name == shown.topic_names.end()) continue;  // deleted since
    assignment.topic_partitions.push_back(
        {topic, name->second, {partitions.begin(), partitions.end()}});
  }
  return assignment;
}

void fill(ConsumerGroupDescribeResponse::Group& answer, const Shown& shown) {
  const ConsumerGroupSnapshot& group = shown.group.snapshot;
  answer.group_state = shown.group.state;
  answer.group_epoch = group.epoch;
  answer.assignment_epoch = group.target_epoch;
  answer.assignor_name = group.assignor;
  for (const ConsumerMember& member : group.members) {
    auto& entry = answer.members.emplace_back();
    entry.member_id = member.member_id;
    entry.instance_id = member.instance_id;
    entry.rack_id = member.rack_id;
    entry.member_epoch = member.epoch;
    entry.client_id = member.client_id;
    entry.client_host = member.client_host;
    entry.subscribed_topic_names = {member.topics.begin(), member.topics.end()};
    if (!member.pattern.empty()) entry.subscribed_topic_regex = member.pattern;
    entry.assignment = assignment_of(member.assigned, shown);
    entry.target_assignment = assignment_of(member.target, shown);
    entry.member_type = kConsumerMember;
  }
}

void answer_member_describe(
    Broker& broker, Call<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse> call) {
  std::list<Shown> shown;
  ConsumerGroupDescribeResponse response;
  for (const std::string_view id : call->group_ids) {
    auto& answer = response.groups.emplace_back();
    answer.group_id = id;
    auto group = broker.groups().describe_consumer(std::string(id));
    if (!group) {
      answer.error_code = ErrorCode::group_id_not_found;
      answer.error_message = "there is no consumer group of the newer protocol by this name";
      continue;
    }
    Shown& kept = shown.emplace_back(std::move(*group));
    for (const auto& [name, shape] : kept.group.snapshot.topics) kept.topic_names[shape.id] = name;
    fill(answer, kept);
  }
  call.answer(response);
}

}  // namespace

void register_consumer_group_describe(ApiTable& table) { table.add(&answer_member_describe); }

}  // namespace adbrook::broker
