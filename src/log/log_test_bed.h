// What the log's tests share: a log on a simulated disk and executor, and batches to put into it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/simulated_executor.h"
#include "io/simulated_file_system.h"
#include "log/durable_log.h"
#include "record/batch.h"

namespace adbrook::log {

using Appended = AppendResult;

inline Buffer test_batch(std::string_view value, int record_count = 1, Timestamp time = {1000}) {
  record::BatchBuilder builder;
  for (int i = 0; i < record_count; ++i)
    builder.add(time + Millis(i), std::nullopt, as_bytes(value));
  return builder.finish();
}
// All of one key; without a value they delete it.
inline Buffer keyed_batch(std::string_view key, std::string_view value, int record_count) {
  record::BatchBuilder builder;
  std::optional<ByteView> bytes;
  if (!value.empty()) bytes = as_bytes(value);
  for (int i = 0; i < record_count; ++i) builder.add({1000 + i}, as_bytes(key), bytes);
  return builder.finish();
}

// The settings of a topic that is compacted, as an administrator gives them.
inline std::map<std::string, std::string> compacted(Millis delete_retention, double dirty_ratio_min,
                                                    bool also_deleted = false) {
  return {{"cleanup.policy", also_deleted ? "compact,delete" : "compact"},
          {"delete.retention.ms", std::to_string(delete_retention.count())},
          {"min.cleanable.dirty.ratio", std::to_string(dirty_ratio_min)}};
}

struct TestProducer {
  std::int64_t id = -1;
  std::int16_t epoch = 0;
  std::int32_t sequence = -1;
  bool transactional = false;
};
inline Buffer as_produced(const TestProducer& producer, Buffer batch) {
  record::stamp_producer(batch,
                         {.attributes = static_cast<std::int16_t>(producer.transactional ? 16 : 0),
                          .producer_id = producer.id,
                          .producer_epoch = producer.epoch,
                          .base_sequence = producer.sequence});
  return batch;
}
inline Buffer producer_batch(const TestProducer& producer, std::string_view value,
                             int record_count = 1) {
  return as_produced(producer, test_batch(value, record_count));
}

// The value of a batch's first record.
inline std::string value_of(ByteView batch) {
  auto reader = record::BatchReader::open(batch, 1_MiB);
  record::RecordView record;
  if (!reader || !reader->next(record).value_or(false)) return "(does not parse)";
  return std::string(as_text(record.value.value_or(ByteView{})));
}

// Owned by one thread.
class LogBed {
 public:
  explicit LogBed(std::uint64_t seed = 1) : disk(seed), executor(seed) {}
  ~LogBed() {
    die();
    killed_.clear();
  }

  Result<void> open() {
    metrics = std::make_unique<Metrics>();
    auto opened = Log::open(disk, executor.clock(), executor, *metrics, "data", options);
    if (!opened) return pass(std::move(opened.error()));
    log = std::move(*opened);
    log->begin_upkeep();
    compactor().set_limits(compaction_limits);
    return {};
  }
  // The process is gone together with the disk; disk.crash() decides what is kept.
  void die() {
    disk.crash_at_step(disk.steps());
    executor.drop_all();
    log.reset();
    executor.drop_all();
  }
  void power_loss() {
    die();
    disk.crash();
  }

  // The process is gone and the kernel lives. The log of a dead process runs nothing, not even its
  // destructor, until the disk is dead too.
  void kill() {
    executor.drop_all();
    disk.kill_process();
    killed_.emplace_back(std::move(metrics), std::move(log));
  }

  // Everything that is due.
  Result<void> compact() { return compactor().run(); }
  Compactor& compactor() { return static_cast<DurableLog&>(*log).compactor(); }

  PartitionId partition(std::string_view topic, std::int32_t number = 0) {
    return log->partition(topic, number).value();
  }
  Appended append(Append what) {
    std::optional<Appended> result;
    log->append(std::move(what), [&](Appended done) { result = std::move(done); });
    executor.run_until_idle();
    return result.value();
  }
  Appended append(PartitionId partition, Buffer batch) {
    Append what;
    what.batches.push_back({partition, std::move(batch)});
    return append(std::move(what));
  }
  // All values that are visible, one per batch.
  std::vector<std::string> values(PartitionId partition, std::size_t size_max = 1 << 20) {
    std::vector<std::string> all;
    const Ends ends = log->ends(partition);
    for (Offset from = ends.start; from < ends.visible;) {
      const auto read = log->read(partition, from, size_max);
      if (!read) return all.push_back(read.error().message), all;
      for (const auto& batch : read->batches) {
        const auto bytes = ByteView(read->bytes).subspan(batch.index_begin, batch.size);
        all.push_back(value_of(bytes));
        from = record::read_header(bytes)->last_offset() + 1;
      }
    }
    return all;
  }

  io::SimulatedFileSystem disk;
  io::SimulatedExecutor executor;
  std::unique_ptr<Metrics> metrics;
  LogOptions options{.wal_file_bytes = {64 << 10}, .append_queue_bytes = 1_MiB};
  CompactionLimits compaction_limits;
  std::unique_ptr<Log> log;

 private:
  std::vector<std::pair<std::unique_ptr<Metrics>, std::unique_ptr<Log>>> killed_;
};

}  // namespace adbrook::log
