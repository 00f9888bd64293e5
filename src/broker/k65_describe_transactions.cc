// DescribeTransactions: state, age and partitions of transactional ids.
#include "protocol/k65_describe_transactions.h"

#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;

void show(DescribeTransactionsResponse::Transaction& shown, const TransactionSnapshot& snapshot) {
  shown.transaction_state = to_string(snapshot.state);
  shown.transaction_timeout_ms = static_cast<std::int32_t>(snapshot.timeout.count());
  shown.producer_id = snapshot.producer.id;
  shown.producer_epoch = snapshot.producer.epoch;
  if (snapshot.state == TransactionState::ongoing)
    shown.transaction_start_time_ms = snapshot.started.ms;
  for (const TopicPartition& partition : snapshot.partitions) {
    if (shown.topics.empty() || shown.topics.back().topic != partition.topic)
      shown.topics.emplace_back().topic = partition.topic;
    shown.topics.back().partitions.push_back(partition.partition);
  }
}

void answer_describe_transactions(
    Broker& broker, Call<DescribeTransactionsRequest, DescribeTransactionsResponse> call) {
  std::list<TransactionSnapshot> described;
  DescribeTransactionsResponse response;
  for (const std::string_view id : call->transactional_ids) {
    auto& shown = response.transaction_states.emplace_back();
    shown.transactional_id = id;
    auto snapshot = broker.transactions().describe(std::string(id));
    if (snapshot)
      show(shown, described.emplace_back(std::move(*snapshot)));
    else
      shown.error_code = ErrorCode::transactional_id_not_found;
  }
  call.answer(response);
}

}  // namespace

void register_describe_transactions(ApiTable& table) { table.add(&answer_describe_transactions); }

}  // namespace adbrook::broker
