// Records that a task writes to one topic: encoded straight into record batches, one batch per
// partition and commit until it reaches its size, and handed to the bus with the commit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "bus/bus.h"
#include "record/batch.h"

namespace adbrook::stream {

// A batch that has grown to this is closed and a new one begun.
inline constexpr std::size_t kOutputBatchSizeMax = std::size_t{1} << 20;
// The largest batch, and so about the largest record, that a task writes: all that an uncompressed
// batch of a client may hold by default, and what is added on its way through an internal topic.
// Part of what a step does, so it is no setting: a replay must decide the same.
inline constexpr std::size_t kOutputRecordMax = std::size_t{9} << 20;
inline constexpr std::string_view kTooLong = "too_long";

// Owned by one thread (the task's). Muted while steps are replayed after a restart: their records
// are in the topic already. Encoders of large values may ask muted() first.
class Sink {
 public:
  Sink(std::string topic, std::int32_t task_partition, std::int32_t partition_count);

  const std::string& topic() const { return topic_; }
  std::int32_t partition_count() const { return partition_count_; }
  bool muted() const { return muted_; }
  void mute(bool muted) { muted_ = muted; }

  // Whether such a record can be written at all, to any topic. Bytes of its encoding are counted
  // from above.
  static bool fits(std::optional<ByteView> key, std::optional<ByteView> value,
                   std::span<const record::Header> headers = {}) {
    return encoded_size(key, value, headers) <= kOutputRecordMax;
  }
  // One sentence for people about a record that does not fit.
  std::string why_too_large(std::optional<ByteView> key, std::optional<ByteView> value) const;

  // The calls that add want a record that fits; the log may refuse a larger one, and the task
  // stops. Adds to the partition with the task's own number: for records keyed as the task's inputs
  // are.
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
  static std::size_t encoded_size(std::optional<ByteView> key, std::optional<ByteView> value,
                                  std::span<const record::Header> headers);
  Partition& room_in(std::int32_t partition, std::size_t size);

  std::string topic_;
  std::int32_t task_partition_;
  std::int32_t partition_count_;
  bool muted_ = false;
  std::uint64_t record_count_ = 0;
  std::vector<Partition> partitions_;
};

}  // namespace adbrook::stream
