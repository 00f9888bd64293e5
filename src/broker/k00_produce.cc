// Produce: each partition's batch is checked and appended by itself, so that one that is refused
// takes no other with it. The answer comes when the last of them is durable. From 12 on a batch of
// a transaction announces its partition by itself.
#include "protocol/k00_produce.h"

#include <atomic>
#include <memory>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"
#include "log/cleanup_policy.h"
#include "record/batch.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using ProduceCall = Call<ProduceRequest, ProduceResponse>;

constexpr std::int16_t kProduceIdsSince = 13;
constexpr std::int16_t kZstdSince = 7;
constexpr std::int16_t kProduceAbortableSince = 11;
constexpr std::int16_t kProduceJoinsSince = 12;
constexpr std::int16_t kAcksNone = 0;

struct Outcome {
  ErrorCode error = ErrorCode::none;
  std::int64_t base_offset = -1;
  bool log_times = false;  // the topic's records have the time of their append
  std::int64_t append_time = -1;
  std::int64_t log_start = -1;
  std::string message;
};

ErrorCode code_of(const log::AppendRefusal& refusal) {
  using log::AppendRule;
  switch (refusal.rule) {
    case AppendRule::unknown_partition: return ErrorCode::unknown_topic_or_partition;
    case AppendRule::corrupt_batch: return ErrorCode::corrupt_message;
    case AppendRule::invalid_record: return ErrorCode::invalid_record;
    case AppendRule::invalid_timestamp: return ErrorCode::invalid_timestamp;
    case AppendRule::too_large: return ErrorCode::message_too_large;
    case AppendRule::out_of_order_sequence: return ErrorCode::out_of_order_sequence_number;
    case AppendRule::invalid_producer_epoch: return ErrorCode::invalid_producer_epoch;
    case AppendRule::transaction_state: return ErrorCode::invalid_txn_state;
    case AppendRule::none: break;
  }
  switch (refusal.kind) {
    case ErrorKind::not_found: return ErrorCode::unknown_topic_or_partition;
    // Nothing was kept, and clients send it again.
    case ErrorKind::overloaded: return ErrorCode::request_timed_out;
    default: return ErrorCode::kafka_storage_error;
  }
}

// One request until all its partitions are answered. Shared by the appends under way.
class Producing : public std::enable_shared_from_this<Producing> {
 public:
  Producing(Broker& broker, ProduceCall call) : broker_(broker), call_(std::move(call)) {}

  void run() {
    for (const auto& topic : call_->topic_data) outcomes_.emplace_back(topic.partition_data.size());
    for (const auto& topic : outcomes_) open_ += topic.size();
    for (std::size_t t = 0; t < outcomes_.size(); ++t) produce_topic(t);
    close_one();
  }

 private:
  void produce_topic(std::size_t t) {
    const auto& asked = call_->topic_data[t];
    const bool by_id = call_.version() >= kProduceIdsSince;
    const auto topic = find_topic(broker_.log(), asked.name, asked.topic_id, by_id);
    for (std::size_t p = 0; p < asked.partition_data.size(); ++p) {
      if (topic)
        produce_partition(*topic, asked.partition_data[p], outcomes_[t][p]);
      else
        refuse(outcomes_[t][p], unknown_topic_code(by_id), "");
    }
  }

  void produce_partition(const log::TopicDescription& topic, const ProduceRequest::Partition& asked,
                         Outcome& outcome) {
    const std::int16_t acks = call_->acks;
    if (acks < -1 || acks > 1)
      return refuse(outcome, ErrorCode::invalid_required_acks, "acks must be -1, 0 or 1");
    if (broker_.is_read_only(topic.name))
      return refuse(outcome, ErrorCode::topic_authorization_failed,
                    "topic '" + topic.name + "' is written by the engine alone");
    const auto partition = broker_.log().partition(topic.name, asked.index);
    if (!partition) return refuse(outcome, ErrorCode::unknown_topic_or_partition, "");
    const ByteView bytes = asked.records.pieces.empty() ? ByteView{} : asked.records.pieces[0];
    if (static_cast<std::int64_t>(bytes.size()) > topic.config.message_bytes_max.count)
      return refuse(outcome, ErrorCode::message_too_large,
                    "the batch has " + std::to_string(bytes.size()) +
                        " bytes, max.message.bytes of the topic is " +
                        std::to_string(topic.config.message_bytes_max.count));
    const auto header = check(bytes);
    if (!header)
      return refuse(outcome,
                    header.error().kind == ErrorKind::corrupt ? ErrorCode::corrupt_message
                                                              : ErrorCode::invalid_record,
                    header.error().message);
    if (header->compression() == record::Compression::zstd && call_.version() < kZstdSince)
      return refuse(outcome, ErrorCode::unsupported_compression_type,
                    "zstd needs version 7 of Produce");
    if (log::cleanup_policy(topic.config).by_key && !every_record_has_a_key(bytes))
      return refuse(outcome, ErrorCode::invalid_record,
                    "a record has no key, and by cleanup.policy=compact the topic keeps records by "
                    "their keys; give each one a key");
    outcome.log_times = topic.config.timestamp_type == log::TimestampType::log_append_time;
    append(*header, {topic.name, asked.index}, *partition, bytes, outcome);
  }

  // Compaction would take one without a key for nothing.
  bool every_record_has_a_key(ByteView bytes) const {
    auto reader = record::BatchReader::open(bytes, broker_.options().decompressed_max);
    record::RecordView record;
    while (reader && reader->next(record).value_or(false))
      if (!record.key) return false;
    return reader.has_value();
  }

  Result<record::BatchHeader> check(ByteView bytes) const {
    const BrokerOptions& options = broker_.options();
    if (!options.check_compressed) {
      const auto header = record::check_batch(bytes);
      if (!header || header->compression() != record::Compression::none) return header;
    }
    return record::check_produced_batch(bytes, options.decompressed_max);
  }

  void append(const record::BatchHeader& header, const TopicPartition& place,
              log::PartitionId partition, ByteView bytes, Outcome& outcome) {
    log::Append what;
    what.batches.push_back({.partition = partition,
                            .bytes = batch_bytes(bytes),
                            .origin = log::BatchOrigin::client,
                            .is_checked = true});
    log::AppendDone done = [self = shared_from_this(), partition,
                            &outcome](const log::AppendResult& result) {
      self->appended(partition, outcome, result);
    };
    what.refused_at_once = !header.transactional();
    if (!header.transactional()) return broker_.log().append(std::move(what), std::move(done));
    const std::string id(call_->transactional_id.value_or(""));
    const TransactionCoordinator::Batch batch{
        .who = {header.producer_id, header.producer_epoch},
        .place = place,
        .sequence = header.base_sequence,
        .unannounced = call_.version() >= kProduceJoinsSince ? Transaction::Unannounced::joins
                                                             : Transaction::Unannounced::refused};
    ErrorCode error = broker_.transactions().append(id, batch, std::move(what), std::move(done));
    if (error == ErrorCode::none) return;
    if (error == ErrorCode::invalid_txn_state && call_.version() >= kProduceAbortableSince)
      error = ErrorCode::transaction_abortable;
    refuse(outcome, error, "the transaction does not allow this batch");
  }

  // The batch stays where it was received: of the frame's bytes only those of batches are written,
  // each by its own append.
  log::BatchBytes batch_bytes(ByteView bytes) {
    const auto& frame = call_.frame();
    const auto at = static_cast<std::size_t>(bytes.data() - frame->view().data());
    return {frame, frame->span().subspan(at, bytes.size())};
  }

  // Each outcome is written by the one append that it belongs to.
  void appended(log::PartitionId partition, Outcome& outcome, const log::AppendResult& result) {
    if (!result) return refuse(outcome, code_of(result.error()), result.error().message);
    outcome.base_offset = result->front().base.value;
    if (outcome.log_times) outcome.append_time = result->front().append_time.ms;
    outcome.log_start = broker_.log().ends(partition).start.value;
    close_one();
  }

  void refuse(Outcome& outcome, ErrorCode error, std::string message) {
    outcome.error = error;
    outcome.message = std::move(message);
    close_one();
  }

  void close_one() {
    if (open_.fetch_sub(1) != 1) return;
    if (call_->acks == kAcksNone) return answer_nothing();
    answer();
  }

  void answer() {
    ProduceResponse response;
    for (std::size_t t = 0; t < outcomes_.size(); ++t) {
      auto& topic = response.responses.emplace_back();
      topic.name = call_->topic_data[t].name;
      topic.topic_id = call_->topic_data[t].topic_id;
      for (std::size_t p = 0; p < outcomes_[t].size(); ++p)
        topic.partition_responses.push_back(
            shown(call_->topic_data[t].partition_data[p].index, outcomes_[t][p]));
    }
    call_.answer(response);
  }

  static ProduceResponse::Partition shown(std::int32_t index, const Outcome& outcome) {
    ProduceResponse::Partition partition{.index = index, .error_code = outcome.error};
    partition.base_offset = outcome.base_offset;
    partition.log_append_time_ms = outcome.append_time;
    partition.log_start_offset = outcome.log_start;
    if (!outcome.message.empty()) partition.error_message = outcome.message;
    return partition;
  }

  // Who wants no answer gets none; a mistake is heard only by closing the connection. Not before
  // the appends are done: until then the request counts as under way, so that who sends faster than
  // the disk takes is read more slowly.
  void answer_nothing() {
    for (const auto& topic : outcomes_)
      for (const Outcome& outcome : topic)
        if (outcome.error != ErrorCode::none)
          return call_.hang_up("Produce without acknowledgement was refused: " + outcome.message);
    call_.stay_silent();
  }

  Broker& broker_;
  ProduceCall call_;
  std::vector<std::vector<Outcome>> outcomes_;  // as topics and partitions of the request
  std::atomic<std::size_t> open_{1};            // one more than partitions, while they are begun
};

void answer_produce(Broker& broker, ProduceCall call) {
  std::make_shared<Producing>(broker, std::move(call))->run();
}

}  // namespace

void register_produce(ApiTable& table) { table.add(&answer_produce); }

}  // namespace adbrook::broker
