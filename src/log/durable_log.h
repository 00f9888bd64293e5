// log::Log on files: puts the queue, the writer, the checkpointer and the readers' state together.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "log/answer_queue.h"
#include "log/append_queue.h"
#include "log/checkpointer.h"
#include "log/compactor.h"
#include "log/data_directory.h"
#include "log/gate.h"
#include "log/group_writer.h"
#include "log/health.h"
#include "log/log.h"
#include "log/log_state.h"
#include "log/recovery.h"
#include "log/wal.h"

namespace adbrook::log {

// Locks, in the order they are taken: the compactor's, the checkpointer's, writer_mutex_, then
// those of the queue, the state and the segments, which are held for moments and take no other.
class DurableLog final : public Log {
 public:
  DurableLog(io::FileSystem& files, io::Clock& clock, io::Executor& executor, Metrics& metrics,
             DataDirectory directory, LogOptions options);
  // Not from inside a step of this log.
  ~DurableLog() override;

  // Called once, before anything else.
  Result<void> start();

  Result<void> create_topic(std::string_view name, std::int32_t partition_count,
                            TopicConfig config) override;
  Result<void> delete_topic(std::string_view name) override;
  Result<void> create_partitions(std::string_view topic, std::int32_t count) override;
  Result<void> alter_config(std::string_view topic, TopicConfig config) override;
  std::vector<TopicDescription> topics() const override { return state_.topics(); }
  Result<TopicDescription> topic(std::string_view name) const override {
    return state_.topic(name);
  }
  Result<TopicDescription> topic(Uuid id) const override { return state_.topic(id); }
  Result<PartitionId> partition(std::string_view topic, std::int32_t number) const override {
    return state_.find(topic, number);
  }
  void append(Append what, AppendDone done) override;
  Ends ends(PartitionId partition) const override { return state_.ends(partition); }
  std::vector<Ends> ends(const std::vector<PartitionId>& partitions) const override {
    return state_.ends(partitions);
  }
  Result<ReadBatches> read(PartitionId partition, Offset from, std::size_t size_max,
                           Isolation isolation) const override {
    return read_from(partition, from, size_max, Segment::kCopied, isolation);
  }
  Result<ReadBatches> read_in_place(PartitionId partition, Offset from, std::size_t size_max,
                                    std::size_t size_min, Isolation isolation) const override {
    return read_from(partition, from, size_max, size_min, isolation);
  }
  Result<Offset> offset_for_time(PartitionId partition, Timestamp time) const override;
  void when_visible(PartitionId partition, Offset offset, io::Step step) override;
  void when_stable(PartitionId partition, Offset offset, io::Step step) override;
  std::vector<ProducerDescription> producers(PartitionId partition) const override;
  Offset committed(std::string_view group, PartitionId partition) const override {
    const auto found = state_.committed(group, partition);
    return found ? found->offset : Offset{-1};
  }
  std::optional<CommittedOffset> committed_offset(std::string_view group,
                                                  PartitionId partition) const override {
    return state_.committed(group, partition);
  }
  std::vector<GroupOffset> group_offsets(std::string_view group) const override {
    return state_.group_offsets(group);
  }
  std::vector<std::string> groups_with_offsets() const override {
    return state_.groups_with_offsets();
  }
  Result<Offset> delete_records(PartitionId partition, Offset before) override;
  Bytes size_on_disk(PartitionId partition) const override {
    return {static_cast<std::int64_t>(state_.size_on_disk(partition))};
  }
  Timestamp max_timestamp(PartitionId partition) const override {
    return state_.max_timestamp(partition);
  }
  void begin_upkeep() override;
  Result<void> apply_retention() override;
  Compactor& compactor() { return compactor_; }
  void hold(std::string_view holder, PartitionId partition, Offset offset) override {
    state_.hold(holder, partition, offset);
  }
  Result<void> close() override;
  std::string trouble() const override { return health_.trouble(); }
  bool disk_full() const override { return health_.disk_full(); }

 private:
  Result<ReadBatches> read_from(PartitionId partition, Offset from, std::size_t size_max,
                                std::size_t in_place_min, Isolation isolation) const;
  Result<void> recover_and_begin();
  static void give_uuids(Checkpoint& checkpoint);
  Result<void> make_directories(std::string_view topic, std::int32_t begin, std::int32_t end);
  std::expected<QueuedAppend, AppendRefusal> check(Append what) const;
  void post_write();
  void write_step();
  bool write_group(GroupOutcome& outcome);
  void after_group(GroupOutcome& outcome);
  void write_rest();
  void post_checkpoint();
  void checkpoint_step();
  void begin_retention();
  Millis compaction_check() const;
  void begin_compaction(Millis delay);
  void retention_step();
  void compaction_step();
  void relaxed_sync_step();
  void space_step();

  io::FileSystem& files_;
  io::Clock& clock_;
  io::Executor& executor_;
  DataDirectory directory_;
  const LogOptions options_;
  const std::size_t entry_size_max_;

  Health health_;
  LogState state_;
  AppendQueue queue_;
  std::shared_ptr<AnswerQueue> answers_;  // shared with steps that outlive this log
  mutable std::mutex writer_mutex_;  // a step writes; close() and the checkpointer come in between
  Wal wal_;
  GroupWriter writer_;
  Checkpointer checkpointer_;
  Compactor compactor_;
  std::mutex topics_mutex_;  // topics come and go one at a time
  std::atomic<bool> upkeep_begun_ = false;
  std::atomic<bool> checkpoint_posted_ = false;
  std::atomic<bool> relaxed_sync_posted_ = false;
  std::atomic<bool> space_step_posted_ = false;
  std::mutex close_mutex_;  // the second close() returns what the first one did
  std::unique_ptr<Result<void>> closed_;
  Gate gate_;  // last: nothing of this log runs after it is shut
};

}  // namespace adbrook::log
