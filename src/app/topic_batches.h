// Sorts records of one topic into one record batch per partition, as Kafka's own producers place
// them, ready for one atomic append.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/log.h"
#include "record/batch.h"

namespace adbrook::app {

// The partitions of one topic, in their order. Immutable.
class TopicPartitions {
 public:
  // not_found when the topic does not exist.
  static Result<TopicPartitions> find(const log::Log& log, std::string_view topic);

  std::int32_t count() const { return static_cast<std::int32_t>(ids_.size()); }
  log::PartitionId operator[](std::size_t number) const { return ids_[number]; }

 private:
  std::vector<log::PartitionId> ids_;
};

// Owned by one thread, reusable. A batch that reaches this size is closed and another one begun, so
// that no batch passes a topic's `max.message.bytes`.
class TopicBatches {
 public:
  static constexpr std::size_t kBatchSizeMax = 4 << 20;

  explicit TopicBatches(const TopicPartitions& partitions)
      : partitions_(partitions), builders_(static_cast<std::size_t>(partitions.count())) {}

  // Keyed by the 36 characters of the id, which also pick the partition.
  void add(Uuid id, Timestamp timestamp, ByteView value);
  std::size_t count() const { return count_; }
  // What was added since the last call.
  std::vector<log::BatchToAppend> take();

 private:
  void close(std::size_t partition);

  const TopicPartitions& partitions_;
  std::vector<record::BatchBuilder> builders_;
  std::vector<log::BatchToAppend> closed_;
  std::size_t count_ = 0;
};

}  // namespace adbrook::app
