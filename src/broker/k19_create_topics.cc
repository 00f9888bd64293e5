// CreateTopics: each topic is made, or refused with a reason of its own.
#include "protocol/k19_create_topics.h"

#include <algorithm>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topic_config.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;
using CreateCall = Call<CreateTopicsRequest, CreateTopicsResponse>;

constexpr std::size_t kTopicsPerRequestMax = 1'000;

// One topic's fate, owning what the answer shows.
struct Made {
  ErrorCode error = ErrorCode::none;
  std::string message;
  std::int32_t partition_count = -1;
  Uuid id;
  std::vector<ShownConfig> configs;
};

Made refused(ErrorCode error, std::string message) {
  return {.error = error, .message = std::move(message)};
}

// The number of partitions that is asked for, or why not.
Made check_layout(const BrokerOptions& options, const CreateTopicsRequest::Topic& topic) {
  std::int32_t count = topic.num_partitions;
  if (!topic.assignments.empty()) {
    if (topic.num_partitions != -1 || topic.replication_factor != -1)
      return refused(ErrorCode::invalid_request,
                     "give either a number of partitions and replicas or an assignment");
    std::vector<std::int32_t> indexes;
    for (const auto& assignment : topic.assignments) {
      indexes.push_back(assignment.partition_index);
      if (assignment.broker_ids.size() != 1 || assignment.broker_ids[0] != options.node_id)
        return refused(ErrorCode::invalid_replica_assignment,
                       "the only broker is " + std::to_string(options.node_id));
    }
    std::ranges::sort(indexes);
    for (std::size_t i = 0; i < indexes.size(); ++i)
      if (indexes[i] != static_cast<std::int32_t>(i))
        return refused(ErrorCode::invalid_replica_assignment,
                       "partitions are numbered from 0 on without gaps");
    count = static_cast<std::int32_t>(indexes.size());
  } else if (count == -1) {
    count = static_cast<std::int32_t>(options.partitions);
  }
  if (count < 1 || count > kPartitionsMax)
    return refused(ErrorCode::invalid_partitions,
                   "a topic has 1 to 10,000 partitions, not " + std::to_string(count));
  const bool fits = topic.replication_factor == -1 || topic.replication_factor == 1 ||
                    (topic.replication_factor > 1 && options.clamp_replication);
  if (!fits)
    return refused(ErrorCode::invalid_replication_factor,
                   "there is one broker, so the replication factor is 1 or -1, not " +
                       std::to_string(topic.replication_factor) +
                       "; kafka.compat.replication.clamp takes more as 1");
  return {.partition_count = count};
}

Made make(Broker& broker, const CreateTopicsRequest::Topic& topic, bool validate_only) {
  if (std::string complaint = topic_name_complaint(topic.name); !complaint.empty())
    return refused(ErrorCode::invalid_topic_exception, std::move(complaint));
  if (broker.log().topic(topic.name))
    return refused(ErrorCode::topic_already_exists,
                   "topic '" + std::string(topic.name) + "' already exists");
  if (collides(topic.name, broker.log().topics()))
    return refused(ErrorCode::invalid_topic_exception,
                   "another topic has this name but for '.' and '_', which metrics cannot tell "
                   "apart");
  Made made = check_layout(broker.options(), topic);
  if (made.error != ErrorCode::none) return made;
  GivenConfig given;
  for (const auto& config : topic.configs) {
    if (!config.value)
      return refused(ErrorCode::invalid_config,
                     "configuration " + std::string(config.name) + " has no value");
    given[std::string(config.name)] = *config.value;
  }
  const auto config = make_topic_config(given, broker.options());
  if (!config) return refused(ErrorCode::invalid_config, config.error().message);
  made.configs = show_topic_config(*config, broker.options());
  if (validate_only) return made;
  const auto created = broker.log().create_topic(topic.name, made.partition_count, *config);
  if (!created)
    return refused(created.error().kind == ErrorKind::already_exists
                       ? ErrorCode::topic_already_exists
                       : ErrorCode::kafka_storage_error,
                   created.error().message);
  if (const auto description = broker.log().topic(topic.name)) made.id = description->id;
  return made;
}

void show(CreateTopicsResponse& response, std::string_view name, const Made& made) {
  auto& topic = response.topics.emplace_back();
  topic.name = name;
  topic.error_code = made.error;
  if (made.error != ErrorCode::none) {
    topic.error_message = made.message;
    return;
  }
  topic.topic_id = made.id;
  topic.num_partitions = made.partition_count;
  topic.replication_factor = 1;
  for (const ShownConfig& config : made.configs)
    topic.configs->push_back({.name = config.name,
                              .value = config.value,
                              .config_source = static_cast<std::int8_t>(config.given ? 1 : 5)});
}

void create_topics(Broker& broker, CreateCall call) {
  std::vector<Made> all;
  std::size_t index = 0;
  for (const auto& topic : call->topics) {
    const bool repeated =
        std::ranges::count(call->topics, topic.name, &CreateTopicsRequest::Topic::name) > 1;
    if (repeated)
      all.push_back(refused(ErrorCode::invalid_request, "the request names this topic twice"));
    else if (index++ >= kTopicsPerRequestMax)
      all.push_back(refused(ErrorCode::policy_violation, "a request makes at most 1,000 topics"));
    else
      all.push_back(make(broker, topic, call->validate_only));
  }
  CreateTopicsResponse response;
  for (std::size_t i = 0; i < all.size(); ++i) show(response, call->topics[i].name, all[i]);
  call.answer(response);
}

void answer_create_topics(Broker& broker, CreateCall call) {
  broker.slow_executor().post(
      [&broker, call = std::move(call)]() mutable { create_topics(broker, std::move(call)); });
}

}  // namespace

void register_create_topics(ApiTable& table) { table.add(&answer_create_topics); }

}  // namespace adbrook::broker
