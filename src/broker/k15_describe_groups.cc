// DescribeGroups: a group that nobody knows is "Dead", without an error until version 5.
#include "protocol/k15_describe_groups.h"

#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;

constexpr std::int16_t kNotFoundSince = 6;

void show(DescribeGroupsResponse::Group& shown, const GroupCoordinator::Described& group) {
  shown.group_state = group.state;
  shown.protocol_type = group.snapshot.protocol_type;
  const bool stable = group.state == "Stable";
  if (stable) shown.protocol_data = group.snapshot.protocol_name;
  for (const GroupSnapshot::Member& member : group.snapshot.members) {
    auto& entry = shown.members.emplace_back();
    entry.member_id = member.member_id;
    entry.group_instance_id = member.instance_id;
    entry.client_id = member.client_id;
    entry.client_host = member.client_host;
    if (!stable) continue;
    entry.member_assignment = member.assignment;
    for (const GroupProtocol& offered : member.protocols)
      if (offered.name == group.snapshot.protocol_name) entry.member_metadata = offered.metadata;
  }
}

void answer_describe_groups(Broker& broker,
                            Call<DescribeGroupsRequest, DescribeGroupsResponse> call) {
  std::list<GroupCoordinator::Described> described;
  DescribeGroupsResponse response;
  for (const std::string_view id : call->groups) {
    auto& shown = response.groups.emplace_back();
    shown.group_id = id;
    auto group = broker.groups().describe(std::string(id));
    if (group) {
      show(shown, described.emplace_back(std::move(*group)));
    } else {
      shown.group_state = "Dead";
      if (call.version() >= kNotFoundSince) {
        shown.error_code = ErrorCode::group_id_not_found;
        shown.error_message = "there is no such group";
      }
    }
  }
  call.answer(response);
}

}  // namespace

void register_describe_groups(ApiTable& table) { table.add(&answer_describe_groups); }

}  // namespace adbrook::broker
