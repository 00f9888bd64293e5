// SyncGroup: answered when the leader's assignment is durable.
#include "protocol/k14_sync_group.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using SyncCall = Call<SyncGroupRequest, SyncGroupResponse>;

void answer_sync_group(Broker& broker, SyncCall call) {
  SyncRequest request;
  request.claim = {.member_id = std::string(call->member_id), .generation = call->generation_id};
  if (call->group_instance_id) request.claim.instance_id = std::string(*call->group_instance_id);
  if (call->protocol_type) request.protocol_type = std::string(*call->protocol_type);
  if (call->protocol_name) request.protocol_name = std::string(*call->protocol_name);
  for (const auto& given : call->assignments)
    request.assignments.emplace_back(std::string(given.member_id),
                                     Buffer(given.assignment.begin(), given.assignment.end()));
  const std::string group(call->group_id);
  broker.groups().sync(group, std::move(request),
                       [call = std::move(call)](const SyncAnswer& answer) mutable {
                         SyncGroupResponse response{.error_code = answer.error};
                         if (answer.error == ErrorCode::none) {
                           response.protocol_type = answer.protocol_type;
                           response.protocol_name = answer.protocol_name;
                         }
                         response.assignment = answer.assignment;
                         call.answer(response);
                       });
}

}  // namespace

void register_sync_group(ApiTable& table) { table.add(&answer_sync_group); }

}  // namespace adbrook::broker
