// AddPartitionsToTxn: all of a transaction's partitions, or none when one of them does not exist.
// From 4 on for many transactions at once, each by itself, and also only to ask whether they are
// in.
#include "protocol/k24_add_partitions_to_txn.h"

#include <atomic>
#include <memory>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using AddPartitionsToTxnCall = Call<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>;
using AddPartitionsToTxnAskedTopics = std::vector<AddPartitionsToTxnRequest::Topic>;
using ShownTopics = std::vector<AddPartitionsToTxnResponse::Topic>;

constexpr std::int16_t kAddPartitionsToTxnFencedSince = 2;
constexpr std::int16_t kAddPartitionsToTxnManySince = 4;
constexpr std::int16_t kAddPartitionsToTxnAbortableSince = 5;
// Of one request; each may wait for the disk by itself.
constexpr std::size_t kTransactionsMax = 1'000;

// The codes that can be said without the transaction: operation_not_attempted for all others when
// one of them has such a code.
ShownTopics look_at(Broker& broker, const AddPartitionsToTxnAskedTopics& asked,
                    std::vector<TopicPartition>& known) {
  ShownTopics shown;
  bool all_known = true;
  for (const auto& topic : asked) {
    auto& answer = shown.emplace_back();
    answer.name = topic.name;
    const std::string name(topic.name);
    for (const std::int32_t index : topic.partitions) {
      ErrorCode code = ErrorCode::none;
      if (!broker.log().partition(name, index))
        code = ErrorCode::unknown_topic_or_partition;
      else if (broker.is_read_only(name))
        code = ErrorCode::topic_authorization_failed;
      all_known &= code == ErrorCode::none;
      answer.results_by_partition.push_back({index, code});
      known.push_back({name, index});
    }
  }
  if (all_known) return shown;
  known.clear();
  for (auto& topic : shown)
    for (auto& partition : topic.results_by_partition)
      if (partition.partition_error_code == ErrorCode::none)
        partition.partition_error_code = ErrorCode::operation_not_attempted;
  return shown;
}

void set_all(ShownTopics& topics, ErrorCode code) {
  for (auto& topic : topics)
    for (auto& partition : topic.results_by_partition) partition.partition_error_code = code;
}

// One request until all its transactions are answered. Shared by the writes under way.
class Adding : public std::enable_shared_from_this<Adding> {
 public:
  Adding(Broker& broker, AddPartitionsToTxnCall call) : broker_(broker), call_(std::move(call)) {}

  void run_one() {
    const std::string id(call_->v3_and_below_transactional_id);
    add(id, {call_->v3_and_below_producer_id, call_->v3_and_below_producer_epoch},
        call_->v3_and_below_topics, response_.results_by_topic_v3_and_below);
    close_one();
  }

  void run_many() {
    for (const auto& asked : call_->transactions)
      response_.results_by_transaction.push_back({.transactional_id = asked.transactional_id});
    for (std::size_t i = 0; i < call_->transactions.size(); ++i) {
      const auto& asked = call_->transactions[i];
      const std::string id(asked.transactional_id);
      const ProducerIdentity who{asked.producer_id, asked.producer_epoch};
      auto& shown = response_.results_by_transaction[i].topic_results;
      if (asked.verify_only)
        verify(id, who, asked.topics, shown);
      else
        add(id, who, asked.topics, shown);
    }
    close_one();
  }

 private:
  void add(const std::string& id, ProducerIdentity who, const AddPartitionsToTxnAskedTopics& asked,
           ShownTopics& shown) {
    std::vector<TopicPartition> partitions;
    shown = look_at(broker_, asked, partitions);
    if (partitions.empty()) return;
    ++open_;
    broker_.transactions().add_partitions(
        id, who, partitions, [self = shared_from_this(), &shown](ErrorCode error) {
          if (error == ErrorCode::producer_fenced &&
              self->call_.version() < kAddPartitionsToTxnFencedSince)
            error = ErrorCode::invalid_producer_epoch;
          set_all(shown, error);
          self->close_one();
        });
  }

  void verify(const std::string& id, ProducerIdentity who,
              const AddPartitionsToTxnAskedTopics& asked, ShownTopics& shown) {
    std::vector<TopicPartition> partitions;
    shown = look_at(broker_, asked, partitions);
    if (partitions.empty()) return;
    for (auto& topic : shown)
      for (auto& partition : topic.results_by_partition) {
        const TopicPartition place{std::string(topic.name), partition.partition_index};
        ErrorCode error = broker_.transactions().verify(id, who, place);
        if (error == ErrorCode::invalid_producer_epoch) error = ErrorCode::producer_fenced;
        if (error == ErrorCode::invalid_txn_state &&
            call_.version() >= kAddPartitionsToTxnAbortableSince)
          error = ErrorCode::transaction_abortable;
        partition.partition_error_code = error;
      }
  }

  void close_one() {
    if (open_.fetch_sub(1) == 1) call_.answer(response_);
  }

  Broker& broker_;
  AddPartitionsToTxnCall call_;
  AddPartitionsToTxnResponse response_;
  std::atomic<std::size_t> open_{1};  // one more than transactions, while they are begun
};

void answer_add_partitions(Broker& broker, AddPartitionsToTxnCall call) {
  const bool many = call.version() >= kAddPartitionsToTxnManySince;
  if (call->transactions.size() > kTransactionsMax) {
    AddPartitionsToTxnResponse refusal;
    refusal.error_code = ErrorCode::invalid_request;
    return call.answer(refusal);
  }
  const auto adding = std::make_shared<Adding>(broker, std::move(call));
  if (many)
    adding->run_many();
  else
    adding->run_one();
}

}  // namespace

void register_add_partitions_to_txn(ApiTable& table) { table.add(&answer_add_partitions); }

}  // namespace adbrook::broker
