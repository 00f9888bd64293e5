// DeleteRecords: moves the start of partitions forward, durably.
#include "protocol/k21_delete_records.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using DeleteRecordsCall = Call<DeleteRecordsRequest, DeleteRecordsResponse>;

constexpr std::int64_t kUpToTheEnd = -1;

DeleteRecordsResponse::Partition delete_records(Broker& broker, std::string_view topic,
                                                const DeleteRecordsRequest::Partition& asked) {
  DeleteRecordsResponse::Partition answer{.partition_index = asked.partition_index};
  const auto partition = broker.log().partition(topic, asked.partition_index);
  if (!partition) {
    answer.error_code = ErrorCode::unknown_topic_or_partition;
    return answer;
  }
  if (is_internal_topic(topic)) {
    answer.error_code = ErrorCode::topic_authorization_failed;
    return answer;
  }
  const Offset before =
      asked.offset == kUpToTheEnd ? broker.log().ends(*partition).visible : Offset{asked.offset};
  const auto start = broker.log().delete_records(*partition, before);
  if (start) {
    answer.low_watermark = start->value;
  } else {
    switch (start.error().kind) {
      case ErrorKind::out_of_range: answer.error_code = ErrorCode::offset_out_of_range; break;
      // A task of the engine has not read them yet.
      case ErrorKind::busy: answer.error_code = ErrorCode::policy_violation; break;
      default: answer.error_code = ErrorCode::kafka_storage_error;
    }
  }
  return answer;
}

void answer_delete_records(Broker& broker, DeleteRecordsCall made) {
  broker.slow_executor().post([&broker, call = std::move(made)]() mutable {
    DeleteRecordsResponse response;
    for (const auto& asked : call->topics) {
      auto& topic = response.topics.emplace_back();
      topic.name = asked.name;
      for (const auto& partition : asked.partitions)
        topic.partitions.push_back(delete_records(broker, asked.name, partition));
    }
    call.answer(response);
  });
}

}  // namespace

void register_delete_records(ApiTable& table) { table.add(&answer_delete_records); }

}  // namespace adbrook::broker
