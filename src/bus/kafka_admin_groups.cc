// The part of KafkaAdmin that is about consumer groups.
#include <algorithm>

#include "base/text.h"
#include "bus/kafka_admin.h"
#include "bus/kafka_admin_call.h"

namespace adbrook::bus {
namespace {

using DeleteGroup =
    std::unique_ptr<rd_kafka_DeleteGroup_t, KafkaFree<rd_kafka_DeleteGroup_destroy>>;
using AskOffsets = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                   KafkaFree<rd_kafka_ListConsumerGroupOffsets_destroy>>;
using SetOffsets = std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t,
                                   KafkaFree<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

KafkaMember member_of(const rd_kafka_MemberDescription_t* from) {
  KafkaMember member{text_or_empty(rd_kafka_MemberDescription_consumer_id(from)),
                     text_or_empty(rd_kafka_MemberDescription_client_id(from)),
                     text_or_empty(rd_kafka_MemberDescription_host(from)),
                     text_or_empty(rd_kafka_MemberDescription_group_instance_id(from)),
                     {}};
  const auto* assignment = rd_kafka_MemberDescription_assignment(from);
  const auto* partitions =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  if (partitions != nullptr)
    for (const auto& position : kafka_positions(*partitions))
      member.assigned.push_back(position.partition);
  std::sort(member.assigned.begin(), member.assigned.end());
  return member;
}

KafkaGroup group_of(const rd_kafka_ConsumerGroupDescription_t* from) {
  KafkaGroup group;
  group.id = rd_kafka_ConsumerGroupDescription_group_id(from);
  group.state = rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(from));
  group.assignor = text_or_empty(rd_kafka_ConsumerGroupDescription_partition_assignor(from));
  if (const auto* node = rd_kafka_ConsumerGroupDescription_coordinator(from); node != nullptr)
    group.coordinator =
        text_or_empty(rd_kafka_Node_host(node)) + ":" + std::to_string(rd_kafka_Node_port(node));
  const auto count = rd_kafka_ConsumerGroupDescription_member_count(from);
  for (std::size_t i = 0; i < count; ++i)
    group.members.push_back(member_of(rd_kafka_ConsumerGroupDescription_member(from, i)));
  return group;
}

// The errors of the one group that was asked about, and of its partitions.
Result<void> check_groups(const KafkaHandle& handle, std::string_view what,
                          const rd_kafka_group_result_t* const* results, std::size_t count) {
  for (const auto* result : std::span(results, count)) {
    if (const auto* error = rd_kafka_group_result_error(result); error != nullptr)
      return pass(handle.error(what, error));
    const auto* partitions = rd_kafka_group_result_partitions(result);
    for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
      const auto& partition = partitions->elems[i];
      if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return pass(handle.error(std::string(what) + ", " + printable(partition.topic) + "-" +
                                     std::to_string(partition.partition),
                                 partition.err));
    }
  }
  return {};
}

Error no_such_group(const std::string& id) {
  return {ErrorKind::not_found,
          "there is no group '" + printable(id) + "'; see `adbrook groups list`"};
}

}  // namespace

Result<std::vector<KafkaGroupName>> KafkaAdmin::groups() {
  const auto event = ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, "list groups",
                               [&](const auto* options, auto* queue) {
                                 rd_kafka_ListConsumerGroups(handle_->get(), options, queue);
                               });
  if (!event) return pass(event.error());
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event->get());
  std::size_t count = 0;
  const auto* errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
  if (count > 0) return pass(handle_->error("list groups", errors[0]));
  const auto* listed = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  std::vector<KafkaGroupName> names;
  for (const auto* group : std::span(listed, count))
    names.push_back({rd_kafka_ConsumerGroupListing_group_id(group),
                     rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(group)),
                     rd_kafka_ConsumerGroupListing_is_simple_consumer_group(group) != 0});
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return names;
}

Result<KafkaGroup> KafkaAdmin::group(const std::string& id) {
  const std::string what = named("describe group", id);
  const char* pointer = id.c_str();
  const auto event =
      ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, what,
                [&](const auto* options, auto* queue) {
                  rd_kafka_DescribeConsumerGroups(handle_->get(), &pointer, 1, options, queue);
                });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event->get()), &count);
  if (count == 0) return pass(no_such_group(id));
  if (const auto* error = rd_kafka_ConsumerGroupDescription_error(groups[0]); error != nullptr)
    return pass(handle_->error(what, error));
  // A broker describes a group that it does not know as dead.
  if (rd_kafka_ConsumerGroupDescription_state(groups[0]) == RD_KAFKA_CONSUMER_GROUP_STATE_DEAD)
    return pass(no_such_group(id));
  return group_of(groups[0]);
}

Result<std::vector<Commit::Position>> KafkaAdmin::committed(const std::string& group) {
  const std::string what = named("read the offsets of group", group);
  const AskOffsets asked(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  auto* pointer = asked.get();
  const auto event =
      ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, what,
                [&](const auto* options, auto* queue) {
                  rd_kafka_ListConsumerGroupOffsets(handle_->get(), &pointer, 1, options, queue);
                });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event->get()), &count);
  if (auto checked = check_groups(*handle_, what, results, count); !checked)
    return pass(std::move(checked.error()));
  std::vector<Commit::Position> positions;
  for (const auto* result : std::span(results, count))
    if (const auto* partitions = rd_kafka_group_result_partitions(result); partitions != nullptr)
      for (auto& position : kafka_positions(*partitions))
        if (position.offset.value >= 0) positions.push_back(std::move(position));
  std::sort(positions.begin(), positions.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  return positions;
}

Result<void> KafkaAdmin::commit(const std::string& group,
                                std::span<const Commit::Position> positions) {
  const std::string what = named("set the offsets of group", group);
  const auto list = kafka_list(positions);
  const SetOffsets asked(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  auto* pointer = asked.get();
  const auto event =
      ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, what,
                [&](const auto* options, auto* queue) {
                  rd_kafka_AlterConsumerGroupOffsets(handle_->get(), &pointer, 1, options, queue);
                });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event->get()), &count);
  return check_groups(*handle_, what, results, count);
}

Result<void> KafkaAdmin::delete_group(const std::string& id) {
  const std::string what = named("delete group", id);
  const DeleteGroup gone(rd_kafka_DeleteGroup_new(id.c_str()));
  auto* pointer = gone.get();
  const auto event = ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_DELETEGROUPS, what,
                               [&](const auto* options, auto* queue) {
                                 rd_kafka_DeleteGroups(handle_->get(), &pointer, 1, options, queue);
                               });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* results =
      rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event->get()), &count);
  return check_groups(*handle_, what, results, count);
}

}  // namespace adbrook::bus
