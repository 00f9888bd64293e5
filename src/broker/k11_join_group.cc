// JoinGroup: answered when the group's round is over. Version 0 knows no rebalance timeout; the
// session timeout stands in. From version 4 on a new member is first told its id.
#include "protocol/k11_join_group.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using JoinCall = Call<JoinGroupRequest, JoinGroupResponse>;

constexpr std::int16_t kRebalanceTimeoutSince = 1;
constexpr std::int16_t kMemberIdFirstSince = 4;
constexpr std::int16_t kProtocolTypeSince = 7;
constexpr std::int16_t kSkipAssignmentSince = 9;

JoinRequest request_of(const JoinCall& call) {
  JoinRequest request{.member_id = std::string(call->member_id),
                      .client_id = std::string(call.client_id()),
                      .client_host = "/" + call.client().host,
                      .protocol_type = std::string(call->protocol_type),
                      .session_timeout = Millis(call->session_timeout_ms)};
  if (call->group_instance_id) request.instance_id = std::string(*call->group_instance_id);
  for (const auto& offered : call->protocols)
    request.protocols.push_back(
        {std::string(offered.name), Buffer(offered.metadata.begin(), offered.metadata.end())});
  request.rebalance_timeout =
      call.version() >= kRebalanceTimeoutSince && call->rebalance_timeout_ms > 0
          ? Millis(call->rebalance_timeout_ms)
          : request.session_timeout;
  request.must_know_its_id = call.version() >= kMemberIdFirstSince;
  request.may_skip_assignment = call.version() >= kSkipAssignmentSince;
  return request;
}

void send(JoinCall& call, const JoinAnswer& answer) {
  JoinGroupResponse response{.error_code = answer.error,
                             .generation_id = answer.generation,
                             .leader = answer.leader,
                             .skip_assignment = answer.skip_assignment,
                             .member_id = answer.member_id};
  if (answer.error == ErrorCode::none) {
    response.protocol_type = answer.protocol_type;
    response.protocol_name = answer.protocol_name;
  } else if (call.version() < kProtocolTypeSince) {
    response.protocol_name = "";
  }
  for (const JoinAnswer::Member& member : answer.members) {
    auto& shown = response.members.emplace_back();
    shown.member_id = member.member_id;
    shown.group_instance_id = member.instance_id;
    shown.metadata = member.metadata;
  }
  call.answer(response);
}

void answer_join_group(Broker& broker, JoinCall call) {
  JoinRequest request = request_of(call);
  const std::string group(call->group_id);
  broker.groups().join(
      group, std::move(request),
      [call = std::move(call)](const JoinAnswer& answer) mutable { send(call, answer); });
}

}  // namespace

void register_join_group(ApiTable& table) { table.add(&answer_join_group); }

}  // namespace adbrook::broker
