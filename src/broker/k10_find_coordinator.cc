// FindCoordinator: it is always this broker.
#include "protocol/k10_find_coordinator.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;

constexpr std::int16_t kManyKeysSince = 4;
constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;

void answer_find_coordinator(Broker& broker,
                             Call<FindCoordinatorRequest, FindCoordinatorResponse> call) {
  const bool known = call->key_type == kGroup || call->key_type == kTransaction;
  const auto error_of = [&](std::string_view key) {
    if (!known || (call->key_type == kTransaction && key.empty()))
      return ErrorCode::invalid_request;
    return ErrorCode::none;
  };
  const Endpoint& endpoint = call.client().advertised;
  FindCoordinatorResponse response;
  if (call.version() < kManyKeysSince) {
    response.error_code = error_of(call->key);
    if (response.error_code == ErrorCode::none) {
      response.node_id = broker.node_id();
      response.host = endpoint.host;
      response.port = endpoint.port;
    }
    return call.answer(response);
  }
  for (const std::string_view key : call->coordinator_keys) {
    auto& coordinator = response.coordinators.emplace_back();
    coordinator.key = key;
    coordinator.error_code = error_of(key);
    if (coordinator.error_code != ErrorCode::none) continue;
    coordinator.node_id = broker.node_id();
    coordinator.host = endpoint.host;
    coordinator.port = endpoint.port;
  }
  call.answer(response);
}

}  // namespace

void register_find_coordinator(ApiTable& table) { table.add(&answer_find_coordinator); }

}  // namespace adbrook::broker
