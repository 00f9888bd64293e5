// ConsumerGroupHeartbeat: a member of a group of the newer protocol joins, tells what it owns,
// hears what it is to own, and leaves. In version 0 it may ask for a member id by naming none.
#include "protocol/k68_consumer_group_heartbeat.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;
using HeartbeatCall = Call<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>;

constexpr std::int16_t kOwnIdSince = 1;

std::optional<std::string> text_of(const std::optional<std::string_view>& view) {
  return view ? std::optional<std::string>(*view) : std::nullopt;
}

// What is more than any member may have is refused before it takes memory.
constexpr std::size_t kNamesMax = std::size_t{1} << 18;
constexpr std::size_t kOwnedMax = std::size_t{1} << 20;

std::optional<std::string> too_much(const HeartbeatCall& call) {
  const auto more = [](std::size_t most, const char* what) {
    return "More than " + std::to_string(most) + what;
  };
  if (const auto& names = call->subscribed_topic_names; names && names->size() > kNamesMax)
    return more(kNamesMax, " topics are named. Subscribe by a pattern.");
  std::size_t owned = 0;
  if (const auto& topics = call->topic_partitions)
    for (const auto& topic : *topics) owned += topic.partitions.size();
  if (owned > kOwnedMax) return more(kOwnedMax, " partitions are owned.");
  return std::nullopt;
}

ConsumerHeartbeat request_of(const HeartbeatCall& call) {
  ConsumerHeartbeat request{.member_id = std::string(call->member_id),
                            .wants_id = call.version() < kOwnIdSince,
                            .epoch = call->member_epoch,
                            .instance_id = text_of(call->instance_id),
                            .rack_id = text_of(call->rack_id),
                            .client_id = std::string(call.client_id()),
                            .client_host = "/" + call.client().host,
                            .pattern = text_of(call->subscribed_topic_regex),
                            .assignor = text_of(call->server_assignor)};
  if (call->rebalance_timeout_ms >= 0)
    request.rebalance_timeout = Millis(call->rebalance_timeout_ms);
  if (const auto& names = call->subscribed_topic_names)
    request.topics = std::vector<std::string>(names->begin(), names->end());
  if (const auto& owned = call->topic_partitions) {
    request.owned.emplace();
    for (const auto& topic : *owned)
      if (!topic.partitions.empty())
        (*request.owned)[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return request;
}

void send(HeartbeatCall& call, const ConsumerHeartbeatAnswer& told, Millis interval) {
  ConsumerGroupHeartbeatResponse response{.error_code = told.error};
  if (told.error != ErrorCode::none) {
    response.error_message = told.message;
    return call.answer(response);
  }
  response.member_id = told.member_id;
  response.member_epoch = told.epoch;
  response.heartbeat_interval_ms = static_cast<std::int32_t>(interval.count());
  if (told.assignment) {
    response.assignment.emplace();
    for (const auto& [topic, partitions] : *told.assignment)
      response.assignment->topic_partitions.push_back(
          {topic, {partitions.begin(), partitions.end()}});
  }
  call.answer(response);
}

void answer_member_heartbeat(Broker& broker, HeartbeatCall call) {
  if (const auto why = too_much(call))
    return call.answer({.error_code = ErrorCode::invalid_request, .error_message = *why});
  const std::string group(call->group_id);
  ConsumerHeartbeat request = request_of(call);
  const Millis interval = broker.group_options().consumer_heartbeat_interval;
  broker.groups().consumer_heartbeat(
      group, std::move(request),
      [call = std::move(call), interval](const ConsumerHeartbeatAnswer& told) mutable {
        send(call, told, interval);
      });
}

}  // namespace

void register_consumer_group_heartbeat(ApiTable& table) { table.add(&answer_member_heartbeat); }

}  // namespace adbrook::broker
