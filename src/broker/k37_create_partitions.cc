// CreatePartitions: grows topics; the engine's own keep their number, its tasks depend on it.
#include "protocol/k37_create_partitions.h"

#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;

struct Grown {
  ErrorCode error = ErrorCode::none;
  std::string message;
};

Grown grow(Broker& broker, const CreatePartitionsRequest::Topic& asked, bool validate_only) {
  const auto topic = broker.log().topic(asked.name);
  if (!topic) return {ErrorCode::unknown_topic_or_partition, topic.error().message};
  if (broker.is_protected(topic->name))
    return {ErrorCode::topic_authorization_failed,
            "topic '" + topic->name + "' belongs to the engine and keeps its partitions"};
  if (asked.count <= topic->partition_count || asked.count > kPartitionsMax)
    return {ErrorCode::invalid_partitions,
            "topic '" + topic->name + "' has " + std::to_string(topic->partition_count) +
                " partitions and cannot get " + std::to_string(asked.count) +
                "; ask for more than there are, at most 10,000"};
  if (asked.assignments) {
    const auto more = static_cast<std::size_t>(asked.count - topic->partition_count);
    if (asked.assignments->size() != more)
      return {ErrorCode::invalid_replica_assignment, "one assignment per new partition is needed"};
    for (const auto& assignment : *asked.assignments)
      if (assignment.broker_ids.size() != 1 || assignment.broker_ids[0] != broker.node_id())
        return {ErrorCode::invalid_replica_assignment,
                "the only broker is " + std::to_string(broker.node_id())};
  }
  if (validate_only) return {};
  const auto made = broker.log().create_partitions(topic->name, asked.count);
  if (!made) return {ErrorCode::kafka_storage_error, made.error().message};
  return {};
}

void answer_create_partitions(Broker& broker,
                              Call<CreatePartitionsRequest, CreatePartitionsResponse> made) {
  broker.slow_executor().post([&broker, call = std::move(made)]() mutable {
    std::list<Grown> all;
    CreatePartitionsResponse response;
    for (const auto& asked : call->topics) {
      const Grown& grown = all.emplace_back(grow(broker, asked, call->validate_only));
      auto& shown = response.results.emplace_back();
      shown.name = asked.name;
      shown.error_code = grown.error;
      if (grown.error != ErrorCode::none) shown.error_message = grown.message;
    }
    call.answer(response);
  });
}

}  // namespace

void register_create_partitions(ApiTable& table) { table.add(&answer_create_partitions); }

}  // namespace adbrook::broker
