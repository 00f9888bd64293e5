// Metadata: this broker, under the address by which the client can reach it, and its topics. Topics
// that are asked for by name are made when that is allowed.
#include "protocol/k03_metadata.h"

#include <algorithm>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topic_config.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using MetadataCall = Call<MetadataRequest, MetadataResponse>;

constexpr std::int16_t kMetadataIdsSince = 10;
constexpr std::int16_t kNullIsAllSince = 1;

// What is answered, owning its names until it is encoded.
struct Answer {
  std::vector<log::TopicDescription> found;
  struct Missing {
    std::string name;
    Uuid id;
    ErrorCode error;
  };
  std::vector<Missing> missing;
};

bool wants_all(const MetadataCall& call) {
  if (!call->topics) return true;
  return call.version() < kNullIsAllSince && call->topics->empty();
}

MetadataResponse::Topic shown(const log::TopicDescription& topic, std::int32_t node) {
  MetadataResponse::Topic shown{
      .name = topic.name, .topic_id = topic.id, .is_internal = is_internal_topic(topic.name)};
  shown.partitions.reserve(static_cast<std::size_t>(topic.partition_count));
  for (std::int32_t i = 0; i < topic.partition_count; ++i)
    shown.partitions.push_back({.partition_index = i,
                                .leader_id = node,
                                .leader_epoch = kLeaderEpoch,
                                .replica_nodes = {node},
                                .isr_nodes = {node}});
  return shown;
}

void answer_with(Broker& broker, MetadataCall call, const Answer& answer) {
  const Endpoint& endpoint = call.client().advertised;
  MetadataResponse response;
  response.brokers.push_back(
      {.node_id = broker.node_id(), .host = endpoint.host, .port = endpoint.port});
  response.cluster_id = broker.cluster_id();
  response.controller_id = broker.node_id();
  for (const auto& topic : answer.found) response.topics.push_back(shown(topic, broker.node_id()));
  for (const auto& missing : answer.missing) {
    auto& topic = response.topics.emplace_back();
    topic.error_code = missing.error;
    topic.topic_id = missing.id;
    if (missing.error != ErrorCode::unknown_topic_id) topic.name = missing.name;
  }
  call.answer(response);
}

// Makes those of `names` that may be made; the disk is waited for here.
void make_topics(Broker& broker, Answer& answer, std::vector<std::string> names) {
  for (std::string& name : names) {
    const auto config = make_topic_config({}, broker.options());
    const auto partitions = static_cast<std::int32_t>(broker.options().partitions);
    Result<void> made = broker.log().create_topic(name, partitions, *config);
    // Somebody else may have made it meanwhile, with another number of partitions.
    auto topic = broker.log().topic(name);
    if (topic)
      answer.found.push_back(std::move(*topic));
    else
      answer.missing.push_back({std::move(name), {}, ErrorCode::leader_not_available});
  }
}

void answer_metadata(Broker& broker, MetadataCall call) {
  Answer answer;
  if (wants_all(call)) {
    answer.found = broker.log().topics();
    return answer_with(broker, std::move(call), answer);
  }
  std::vector<std::string> to_make;
  for (const MetadataRequest::Topic& asked : *call->topics) {
    // Java's client sends an empty name with the id, others none.
    const bool by_id =
        call.version() >= kMetadataIdsSince && (!asked.name || asked.topic_id != Uuid{});
    const std::string_view name = asked.name.value_or("");
    auto topic = find_topic(broker.log(), name, asked.topic_id, by_id);
    if (topic)
      answer.found.push_back(std::move(*topic));
    else if (by_id)
      answer.missing.push_back({{}, asked.topic_id, ErrorCode::unknown_topic_id});
    else if (!topic_name_complaint(name).empty())
      answer.missing.push_back({std::string(name), {}, ErrorCode::invalid_topic_exception});
    else if (call->allow_auto_topic_creation && broker.options().auto_create)
      to_make.emplace_back(name);
    else
      answer.missing.push_back({std::string(name), {}, ErrorCode::unknown_topic_or_partition});
  }
  if (to_make.empty()) return answer_with(broker, std::move(call), answer);
  broker.slow_executor().post([&broker, call = std::move(call), answer = std::move(answer),
                               to_make = std::move(to_make)]() mutable {
    make_topics(broker, answer, std::move(to_make));
    answer_with(broker, std::move(call), answer);
  });
}

}  // namespace

void register_metadata(ApiTable& table) { table.add(&answer_metadata); }

}  // namespace adbrook::broker
