// AddPartitionsToTxn: all of the partitions, or none when one of them does not exist.
#include "protocol/k24_add_partitions_to_txn.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using AddCall = Call<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>;

constexpr std::int16_t kFencedSince = 2;

void send(AddCall& call, const std::vector<std::vector<ErrorCode>>& codes) {
  AddPartitionsToTxnResponse response;
  for (std::size_t t = 0; t < codes.size(); ++t) {
    const auto& asked = call->v3_and_below_topics[t];
    auto& topic = response.results_by_topic_v3_and_below.emplace_back();
    topic.name = asked.name;
    for (std::size_t p = 0; p < codes[t].size(); ++p)
      topic.results_by_partition.push_back({asked.partitions[p], codes[t][p]});
  }
  call.answer(response);
}

void answer_add_partitions(Broker& broker, AddCall call) {
  std::vector<TopicPartition> partitions;
  std::vector<std::vector<ErrorCode>> codes;
  bool all_known = true;
  for (const auto& topic : call->v3_and_below_topics) {
    auto& of_topic = codes.emplace_back();
    for (const std::int32_t index : topic.partitions) {
      const std::string name(topic.name);
      const bool known = broker.log().partition(name, index).has_value();
      ErrorCode code = known ? ErrorCode::none : ErrorCode::unknown_topic_or_partition;
      if (known && broker.is_read_only(name)) code = ErrorCode::topic_authorization_failed;
      all_known &= code == ErrorCode::none;
      of_topic.push_back(code);
      partitions.push_back({name, index});
    }
  }
  if (!all_known) {
    for (auto& of_topic : codes)
      for (ErrorCode& code : of_topic)
        if (code == ErrorCode::none) code = ErrorCode::operation_not_attempted;
    return send(call, codes);
  }
  const std::string id(call->v3_and_below_transactional_id);
  const ProducerIdentity who{call->v3_and_below_producer_id, call->v3_and_below_producer_epoch};
  broker.transactions().add_partitions(
      id, who, partitions,
      [call = std::move(call), codes = std::move(codes)](ErrorCode error) mutable {
        if (error == ErrorCode::producer_fenced && call.version() < kFencedSince)
          error = ErrorCode::invalid_producer_epoch;
        for (auto& of_topic : codes)
          for (ErrorCode& code : of_topic) code = error;
        send(call, codes);
      });
}

}  // namespace

void register_add_partitions_to_txn(ApiTable& table) { table.add(&answer_add_partitions); }

}  // namespace adbrook::broker
