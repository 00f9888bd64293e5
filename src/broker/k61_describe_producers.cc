// DescribeProducers: who wrote to a partition, and what is open there.
#include "protocol/k61_describe_producers.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;

DescribeProducersResponse::Partition answer_partition(Broker& broker, std::string_view topic,
                                                      std::int32_t index) {
  DescribeProducersResponse::Partition answer{.partition_index = index};
  const auto partition = broker.log().partition(topic, index);
  if (!partition) {
    answer.error_code = ErrorCode::unknown_topic_or_partition;
    return answer;
  }
  for (const log::ProducerDescription& producer : broker.log().producers(*partition))
    answer.active_producers.push_back(
        {.producer_id = producer.producer_id,
         .producer_epoch = producer.producer_epoch,
         .last_sequence = producer.last_sequence,
         .last_timestamp = producer.last_used.ms,
         .coordinator_epoch = producer.coordinator_epoch,
         .current_txn_start_offset = producer.transaction_start.value});
  return answer;
}

void answer_describe_producers(Broker& broker,
                               Call<DescribeProducersRequest, DescribeProducersResponse> call) {
  DescribeProducersResponse response;
  for (const auto& asked : call->topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (const std::int32_t index : asked.partition_indexes)
      topic.partitions.push_back(answer_partition(broker, asked.name, index));
  }
  call.answer(response);
}

}  // namespace

void register_describe_producers(ApiTable& table) { table.add(&answer_describe_producers); }

}  // namespace adbrook::broker
