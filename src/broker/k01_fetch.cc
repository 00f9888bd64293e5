// Fetch: whole batches from where they lie, after a wait for enough of them that holds no thread.
// Sessions are refused the legal way: every answer has session id 0 and all partitions.
#include "protocol/k01_fetch.h"

#include <algorithm>
#include <memory>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using FetchCall = Call<FetchRequest, FetchResponse>;

constexpr std::int16_t kFetchIdsSince = 13;
constexpr std::int8_t kFetchReadCommitted = 1;
// A client may ask for a longer wait; an empty answer after this is as good.
constexpr Millis kWaitMax{60'000};
// Even when too much is on its way already, a fetch gets this, or nobody would make progress.
constexpr std::int64_t kAnswerBytesMin = 64 << 10;
// Fewer bytes of a partition are read and copied faster than they are sent from its file.
constexpr std::size_t kInPlaceSizeMin = 32 << 10;
// Files that answers are sent from, of all clients and of one answer; beyond it they are read, so
// that slow clients do not use up the process's descriptors.
constexpr std::int64_t kFilesMax = 512;
constexpr std::int64_t kFilesPerAnswerMax = 32;

// Fetched batches; counted for as long as some answer refers to them.
struct HeldBatches {
  HeldBatches(log::ReadBatches read, std::shared_ptr<FetchedUnderWay> total)
      : batches(std::move(read)), under_way(std::move(total)) {
    under_way->bytes += static_cast<std::int64_t>(batches.bytes.size());
    under_way->files += batches.in_file ? 1 : 0;
  }
  HeldBatches(const HeldBatches&) = delete;
  HeldBatches& operator=(const HeldBatches&) = delete;
  ~HeldBatches() {
    under_way->bytes -= static_cast<std::int64_t>(batches.bytes.size());
    under_way->files -= batches.in_file ? 1 : 0;
  }
  std::size_t size() const {
    return batches.in_file ? batches.in_file->size : batches.bytes.size();
  }

  log::ReadBatches batches;
  std::shared_ptr<FetchedUnderWay> under_way;
};

// What one look at one partition gave.
struct Looked {
  ErrorCode error = ErrorCode::none;
  log::PartitionId partition;
  log::Ends ends{};
  std::shared_ptr<const HeldBatches> held;
  std::size_t size = 0;  // of the bytes that are sent
  bool cut = false;      // there is more than the limits let through
};

// One request until it is answered. Shared with the wait that it is in.
class Fetching : public std::enable_shared_from_this<Fetching> {
 public:
  Fetching(Broker& broker, FetchCall call) : broker_(broker), call_(std::move(call)) {
    const Millis wait = std::clamp(Millis(call_->max_wait_ms), Millis(0), kWaitMax);
    deadline_ = broker_.clock().monotonic() + wait;
  }

  void run() {
    if (call_->session_id != 0 && call_->session_epoch > 0) {
      FetchResponse response;
      response.error_code = ErrorCode::fetch_session_id_not_found;
      return call_.answer(response);
    }
    look();
    if (enough() || broker_.stopping()) return answer();
    std::vector<Arrivals::Place> places;
    for (const auto& topic : looked_)
      for (const Looked& looked : topic) places.push_back({looked.partition, looked.ends.visible});
    looked_.clear();
    broker_.arrivals().wait(places, deadline_, [self = shared_from_this()] { self->wake(); });
  }

 private:
  // The log's thread that tells of new records must not read and send them.
  void wake() {
    if (broker_.stopping()) return call_.hang_up("the broker is stopping");
    broker_.executor().post([self = shared_from_this()] { self->run(); });
  }

  bool enough() const {
    if (broker_.clock().monotonic() >= deadline_) return true;
    std::size_t size = 0;
    bool any = false;
    for (const auto& topic : looked_) {
      for (const Looked& looked : topic) {
        if (looked.error != ErrorCode::none || looked.cut) return true;
        size += looked.size;
        any = true;
      }
    }
    return !any || static_cast<std::int64_t>(size) >= call_->min_bytes;
  }

  void look() {
    const BrokerOptions& options = broker_.options();
    const std::int64_t room = std::max(
        options.answers_max.count - broker_.fetched_under_way()->bytes.load(), kAnswerBytesMin);
    left_ = std::min({std::int64_t{call_->max_bytes}, options.fetch_max.count, room});
    any_batch_ = false;
    file_count_ = 0;
    looked_.clear();
    for (const auto& topic : call_->topics) look_at_topic(topic);
  }

  void look_at_topic(const FetchRequest::Topic& asked) {
    const bool by_id = call_.version() >= kFetchIdsSince;
    const auto topic = find_topic(broker_.log(), asked.topic, asked.topic_id, by_id);
    auto& looked = looked_.emplace_back();
    for (const auto& partition : asked.partitions) {
      if (topic)
        looked.push_back(look_at(topic->name, partition));
      else
        looked.push_back({.error = unknown_topic_code(by_id)});
    }
  }

  Looked look_at(const std::string& topic, const FetchRequest::Partition& asked) {
    Looked looked;
    const auto partition = broker_.log().partition(topic, asked.partition);
    if (!partition) {
      looked.error = ErrorCode::unknown_topic_or_partition;
      return looked;
    }
    looked.partition = *partition;
    looked.error = check_leader_epoch(asked.current_leader_epoch);
    if (looked.error != ErrorCode::none) return looked;
    looked.ends = broker_.log().ends(*partition);
    const Offset from{asked.fetch_offset};
    if (from < looked.ends.start || from > looked.ends.visible)
      looked.error = ErrorCode::offset_out_of_range;
    else
      read(looked, from, asked.partition_max_bytes);
    return looked;
  }

  void read(Looked& looked, Offset from, std::int32_t partition_max) {
    const bool committed = call_->isolation_level == kFetchReadCommitted;
    const Offset end = committed ? looked.ends.stable : looked.ends.visible;
    if (from >= end) return;
    const std::int64_t size_max =
        std::max<std::int64_t>(0, std::min<std::int64_t>(left_, partition_max));
    if (size_max == 0 && any_batch_) {
      looked.cut = true;
      return;
    }
    auto batches =
        read_batches(looked.partition, from, static_cast<std::size_t>(size_max),
                     committed ? log::Isolation::committed : log::Isolation::uncommitted);
    if (!batches) {
      looked.error = batches.error().kind == ErrorKind::out_of_range
                         ? ErrorCode::offset_out_of_range
                         : ErrorCode::kafka_storage_error;
      return;
    }
    looked.size = size_within(*batches, size_max);
    const bool more_follows = !batches->batches.empty() && batches->next < end;
    left_ -= static_cast<std::int64_t>(looked.size);
    any_batch_ |= looked.size > 0;
    looked.held =
        std::make_shared<const HeldBatches>(std::move(*batches), broker_.fetched_under_way());
    looked.cut = looked.size < looked.held->size() || more_follows;
  }

  // Bytes stay in their files, for the kernel to send them from there.
  Result<log::ReadBatches> read_batches(log::PartitionId partition, Offset from,
                                        std::size_t size_max, log::Isolation isolation) {
    if (file_count_ >= kFilesPerAnswerMax || broker_.fetched_under_way()->files >= kFilesMax)
      return broker_.log().read(partition, from, size_max, isolation);
    auto batches =
        broker_.log().read_in_place(partition, from, size_max, kInPlaceSizeMin, isolation);
    if (batches && batches->in_file) ++file_count_;
    return batches;
  }

  // Whole batches up to the limit; the very first batch of an answer may be larger, or a reader
  // with small limits would never get past it (KIP-74).
  std::size_t size_within(const log::ReadBatches& read, std::int64_t size_max) const {
    std::size_t size = 0;
    for (const auto& batch : read.batches) {
      const std::size_t end = batch.index_begin + batch.size;
      const bool first = !any_batch_ && size == 0;
      if (!first && static_cast<std::int64_t>(end) > size_max) break;
      size = end;
    }
    return size;
  }

  void answer() {
    FetchResponse response;
    std::vector<std::shared_ptr<const void>> borrowed;
    std::vector<io::FileRange> files;
    for (std::size_t t = 0; t < looked_.size(); ++t) {
      const auto& asked = call_->topics[t];
      auto& topic = response.responses.emplace_back();
      topic.topic = asked.topic;
      topic.topic_id = asked.topic_id;
      for (std::size_t p = 0; p < looked_[t].size(); ++p) {
        const Looked& looked = looked_[t][p];
        topic.partitions.push_back(shown(asked.partitions[p].partition, looked));
        if (looked.held) borrowed.push_back(looked.held);
        if (topic.partitions.back().records.gap == 0) continue;
        files.push_back(*looked.held->batches.in_file);
        files.back().size = looked.size;
      }
    }
    call_.answer(response, std::move(borrowed), std::move(files));
  }

  FetchResponse::Partition shown(std::int32_t index, const Looked& looked) const {
    FetchResponse::Partition partition{.partition_index = index, .error_code = looked.error};
    if (looked.error != ErrorCode::none) return partition;
    partition.high_watermark = looked.ends.visible.value;
    partition.last_stable_offset = looked.ends.stable.value;
    partition.log_start_offset = looked.ends.start.value;
    if (!looked.held || looked.size == 0) return partition;
    if (looked.held->batches.in_file)
      partition.records.gap = looked.size;
    else
      partition.records.pieces.push_back(
          ByteView(looked.held->batches.bytes).subspan(0, looked.size));
    for (const auto& aborted : looked.held->batches.aborted)
      partition.aborted_transactions->push_back(
          {.producer_id = aborted.producer_id, .first_offset = aborted.first.value});
    return partition;
  }

  Broker& broker_;
  FetchCall call_;
  Nanos deadline_{0};
  std::int64_t left_ = 0;                    // of what this answer may hold
  bool any_batch_ = false;                   // it holds one already
  std::int64_t file_count_ = 0;              // it is sent from
  std::vector<std::vector<Looked>> looked_;  // as topics and partitions of the request
};

void answer_fetch(Broker& broker, FetchCall call) {
  std::make_shared<Fetching>(broker, std::move(call))->run();
}

}  // namespace

void register_fetch(ApiTable& table) { table.add(&answer_fetch); }

}  // namespace adbrook::broker
