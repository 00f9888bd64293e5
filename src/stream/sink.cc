#include "stream/sink.h"

#include <utility>

#include "base/assert.h"

namespace adbrook::stream {

Sink::Sink(std::string topic, std::int32_t task_partition, std::int32_t partition_count)
    : topic_(std::move(topic)),
      task_partition_(task_partition),
      partition_count_(partition_count),
      partitions_(static_cast<std::size_t>(partition_count)) {
  ADBROOK_ASSERT(task_partition < partition_count, "an output topic has a partition per task");
}

// An upper bound: lengths and counts are varints of at most five bytes, the time's of ten.
std::size_t Sink::encoded_size(std::optional<ByteView> key, std::optional<ByteView> value,
                               std::span<const record::Header> headers) {
  constexpr std::size_t kNumbers = 1 + 5 * 5 + 10;
  std::size_t size = kNumbers + key.value_or(ByteView{}).size() + value.value_or(ByteView{}).size();
  for (const record::Header& header : headers)
    size += 10 + header.key.size() + header.value.value_or(ByteView{}).size();
  return size;
}

std::string Sink::why_too_large(std::optional<ByteView> key, std::optional<ByteView> value) const {
  return "a record of " + std::to_string(encoded_size(key, value, {})) +
         " bytes cannot be written to " + topic_ + "; the largest has " +
         std::to_string(kOutputRecordMax >> 20) + " MiB: write less at once";
}

// Looks at the size before it adds: a batch passes kOutputBatchSizeMax by one record at most, and
// only a record that is alone may come near kOutputRecordMax.
Sink::Partition& Sink::room_in(std::int32_t partition, std::size_t size) {
  Partition& to = partitions_[static_cast<std::size_t>(partition)];
  const bool fits_in = to.open.size() + size <= kOutputRecordMax;
  if (to.open.size() >= kOutputBatchSizeMax || (!to.open.empty() && !fits_in)) {
    to.closed.push_back(to.open.finish());
    to.closed_size += to.closed.back().size();
  }
  ++record_count_;
  return to;
}

void Sink::add_to(std::int32_t partition, Timestamp time, std::optional<ByteView> key,
                  std::optional<ByteView> value, std::span<const record::Header> headers) {
  if (muted_) return;
  room_in(partition, encoded_size(key, value, headers)).open.add(time, key, value, headers);
}

std::span<std::byte> Sink::add_in_place(Timestamp time, std::optional<ByteView> key,
                                        std::size_t value_size) {
  ADBROOK_ASSERT(!muted_, "a muted sink takes nothing in place");
  const std::size_t size = encoded_size(key, std::nullopt, {}) + value_size;
  return room_in(task_partition_, size).open.add_in_place(time, key, value_size);
}

std::size_t Sink::size() const {
  std::size_t size = 0;
  for (const Partition& partition : partitions_)
    size += partition.closed_size + (partition.open.empty() ? 0 : partition.open.size());
  return size;
}

// The builders keep the size of their last batch, so the next unit allocates once.
void Sink::take(std::vector<bus::Commit::Output>& outputs) {
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    Partition& from = partitions_[i];
    if (!from.open.empty()) from.closed.push_back(from.open.finish());
    for (Buffer& batch : from.closed)
      outputs.push_back({{topic_, static_cast<std::int32_t>(i)}, std::move(batch)});
    from.closed.clear();
    from.closed_size = 0;
  }
}

}  // namespace adbrook::stream
