// Records that a task writes to one topic: encoded straight into record batches, one batch per
// partition and commit until it reaches its size, and handed to the bus with the commit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "bus/bus.h"
#include "record/batch.h"

namespace adbrook::stream {

// A batch that has grown to this is closed and a new one begun.
inline constexpr std::size_t kOutputBatchSizeMax = std::size_t{1} << 20;

// Owned by one thread (the task's). Muted while steps are replayed after a restart: their records
// are in the topic already. Encoders of large values may ask muted() first.
class Sink {
 public:
  Sink(std::string topic, std::int32_t task_partition, std::int32_t partition_count);

  const std::string& topic() const { return topic_; }
  std::int32_t partition_count() const { return partition_count_; }
  bool muted() const { return muted_; }
  void mute(bool muted) { muted_ = muted; }

  // Adds to the partition with the task's own number: for records keyed as the task's inputs are.
  void add(Timestamp time, std::optional<ByteView> key, std::optional<ByteView> value,
           std::span<const record::Header> headers = {}) {
    add_to(task_partition_, time, key, value, headers);
  }
  // Adds to the partition that Kafka's default partitioner picks for this key.
  void add_by_key(Timestamp time, ByteView key, std::optional<ByteView> value,
                  std::span<const record::Header> headers = {}) {
    add_to(kafka_partition(key, partition_count_), time, key, value, headers);
  }
  void add_to(std::int32_t partition, Timestamp time, std::optional<ByteView> key,
              std::optional<ByteView> value, std::span<const record::Header> headers = {});
  // As add(); the caller writes exactly `value_size` bytes into the span before the next call here.
  // Not while muted.
  std::span<std::byte> add_in_place(Timestamp time, std::optional<ByteView> key,
                                    std::size_t value_size);

  // Bytes that wait for the next commit.
  std::size_t size() const;
  std::uint64_t record_count() const { return record_count_; }  // since the task's start
  // Moves the batches of this unit of work into the commit.
  void take(std::vector<bus::Commit::Output>& outputs);

 private:
  struct Partition {
    record::BatchBuilder open;
    std::vector<Buffer> closed;
    std::size_t closed_size = 0;
  };
  Partition& room_in(std::int32_t partition);

  std::string topic_;
  std::int32_t task_partition_;
  std::int32_t partition_count_;
  bool muted_ = false;
  std::uint64_t record_count_ = 0;
  std::vector<Partition> partitions_;
};

}  // namespace adbrook::stream
