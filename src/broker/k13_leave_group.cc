// LeaveGroup: one member until version 2, a list with an error for each from 3 on.
#include "protocol/k13_leave_group.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;

constexpr std::int16_t kLeaveGroupManySince = 3;

void answer_leave_group(Broker& broker, Call<LeaveGroupRequest, LeaveGroupResponse> call) {
  const bool many = call.version() >= kLeaveGroupManySince;
  std::vector<MemberClaim> claims;
  if (!many) claims.push_back({.member_id = std::string(call->member_id)});
  for (const auto& member : call->members) {
    MemberClaim& claim = claims.emplace_back();
    claim.member_id = member.member_id;
    if (member.group_instance_id) claim.instance_id = std::string(*member.group_instance_id);
  }
  LeaveGroupResponse response;
  if (call->group_id.empty()) {
    response.error_code = ErrorCode::invalid_group_id;
    return call.answer(response);
  }
  const auto codes = broker.groups().leave(std::string(call->group_id), claims);
  if (!many) response.error_code = codes[0];
  for (std::size_t i = 0; many && i < codes.size(); ++i)
    response.members.push_back({.member_id = call->members[i].member_id,
                                .group_instance_id = call->members[i].group_instance_id,
                                .error_code = codes[i]});
  call.answer(response);
}

}  // namespace

void register_leave_group(ApiTable& table) { table.add(&answer_leave_group); }

}  // namespace adbrook::broker
