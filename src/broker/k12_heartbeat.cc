// Heartbeat: a member is alive, and learns that a rebalance began.
#include "protocol/k12_heartbeat.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;

void answer_heartbeat(Broker& broker, Call<HeartbeatRequest, HeartbeatResponse> call) {
  MemberClaim claim{.member_id = std::string(call->member_id), .generation = call->generation_id};
  if (call->group_instance_id) claim.instance_id = std::string(*call->group_instance_id);
  call.answer({.error_code = broker.groups().heartbeat(std::string(call->group_id), claim)});
}

}  // namespace

void register_heartbeat(ApiTable& table) { table.add(&answer_heartbeat); }

}  // namespace adbrook::broker
