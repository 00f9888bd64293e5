// ListOffsets: the ends of a partition, or the first record at or after a time. The record is
// looked for inside its batch, compressed or not, as clients seek to exactly it.
#include "protocol/k02_list_offsets.h"

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"
#include "record/batch.h"

namespace adbrook::broker {
namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using ListOffsetsCall = Call<ListOffsetsRequest, ListOffsetsResponse>;

constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int64_t kEarliestPendingTiered = -6;
constexpr std::int8_t kListOffsetsReadCommitted = 1;
// A batch's header may promise a time that none of its records has; so many are looked into.
constexpr int kBatchesLookedIntoMax = 100;

struct Found {
  Offset offset{-1};
  Timestamp time{-1};
};

// The first record of this batch at or after `from` and `time`.
std::optional<Found> find_in_batch(ByteView batch, Offset from, Timestamp time, Bytes size_max) {
  auto reader = record::BatchReader::open(batch, size_max);
  if (!reader) return std::nullopt;
  record::RecordView record;
  const bool one_time = reader->header().log_append_time();
  while (reader->next(record).value_or(false)) {
    const Timestamp at = one_time ? reader->header().max_timestamp : record.timestamp;
    if (record.offset >= from && at >= time) return Found{record.offset, at};
  }
  return std::nullopt;
}

Result<Found> find_by_time(Broker& broker, log::PartitionId partition, Timestamp time, Offset end) {
  auto at = broker.log().offset_for_time(partition, time);
  if (!at) return pass(std::move(at.error()));
  const Offset start = broker.log().ends(partition).start;
  for (int i = 0; i < kBatchesLookedIntoMax && *at < end; ++i) {
    const auto read = broker.log().read(partition, std::max(*at, start), 1);
    if (!read) return pass(read.error());
    if (read->batches.empty()) break;
    const ByteView batch = ByteView(read->bytes).first(read->batches[0].size);
    const auto header = record::read_header(batch);
    if (!header) return pass(header.error());
    if (!header->control()) {
      const auto found = find_in_batch(batch, start, time, broker.options().decompressed_max);
      if (found) return found->offset < end ? *found : Found{};
    }
    at = header->last_offset() + 1;
  }
  return Found{};
}

Result<Found> find(Broker& broker, log::PartitionId partition, std::int64_t asked, Offset end) {
  switch (asked) {
    case kLatest: return Found{.offset = end};
    case kEarliest:
    case kEarliestLocal: return Found{.offset = broker.log().ends(partition).start};
    case kLatestTiered:
    case kEarliestPendingTiered: return Found{};
    case kMaxTimestamp: {
      const Timestamp newest = broker.log().max_timestamp(partition);
      return find_by_time(broker, partition, newest, end);
    }
    default: return find_by_time(broker, partition, {asked}, end);
  }
}

ListOffsetsResponse::Partition answer_partition(Broker& broker, std::string_view topic,
                                                const ListOffsetsRequest::Partition& asked,
                                                bool committed) {
  ListOffsetsResponse::Partition answer{.partition_index = asked.partition_index};
  const auto partition = broker.log().partition(topic, asked.partition_index);
  answer.error_code = partition ? check_leader_epoch(asked.current_leader_epoch)
                                : ErrorCode::unknown_topic_or_partition;
  if (asked.timestamp < kEarliestPendingTiered) answer.error_code = ErrorCode::invalid_request;
  if (answer.error_code != ErrorCode::none) return answer;
  const log::Ends ends = broker.log().ends(*partition);
  const auto found =
      find(broker, *partition, asked.timestamp, committed ? ends.stable : ends.visible);
  if (!found) {
    answer.error_code = ErrorCode::kafka_storage_error;
    return answer;
  }
  answer.offset = found->offset.value;
  answer.timestamp = found->time.ms;
  if (found->offset.value >= 0) answer.leader_epoch = kLeaderEpoch;
  return answer;
}

void answer_list_offsets(Broker& broker, ListOffsetsCall call) {
  ListOffsetsResponse response;
  for (const auto& asked : call->topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (const auto& partition : asked.partitions)
      topic.partitions.push_back(answer_partition(
          broker, asked.name, partition, call->isolation_level == kListOffsetsReadCommitted));
  }
  call.answer(response);
}

}  // namespace

void register_list_offsets(ApiTable& table) { table.add(&answer_list_offsets); }

}  // namespace adbrook::broker
