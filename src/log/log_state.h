// What readers see: topics, partitions with their ends, committed offsets, holds and waiters, all
// under one lock, so that an atomic append is never seen in part.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "log/checkpoint.h"
#include "log/compaction_plan.h"
#include "log/log.h"
#include "log/partition.h"

namespace adbrook::log {

std::string partition_directory_name(std::string_view topic, std::int32_t number);

// Thread-safe. Partitions are shared with readers and the writer, who may still be at work on one
// while its topic is deleted.
class LogState {
 public:
  using PartitionPtr = std::shared_ptr<Partition>;
  struct OffsetChange {
    PartitionKey partition;
    std::string group;
    std::optional<CommittedOffset> committed;  // none: deleted
  };
  // A partition and the config that a batch for it must obey.
  struct Destination {
    PartitionPtr partition;
    Partition::ConfigPtr config;
  };

  LogState(io::FileSystem& files, std::string topics_directory)
      : files_(files), topics_directory_(std::move(topics_directory)) {}

  // Called once, before anything else, with what was kept.
  void restore(const Checkpoint& checkpoint);

  std::vector<TopicDescription> topics() const;
  Result<TopicDescription> topic(std::string_view name) const;
  Result<TopicDescription> topic(Uuid id) const;
  Result<PartitionId> find(std::string_view topic, std::int32_t number) const;
  // Null: never was, or its topic is deleted.
  PartitionPtr partition(PartitionId id) const;
  PartitionPtr partition(PartitionKey key) const;
  std::optional<Destination> destination(PartitionId id) const;

  Ends ends(PartitionId id) const;
  std::vector<Ends> ends(const std::vector<PartitionId>& ids) const;
  // Where a read goes on, in one look.
  struct ReadPlace {
    std::shared_ptr<Segment> segment;  // null: `from` is at the end
    Offset segment_end;                // nothing of it is at or above
    Offset end;                        // nothing at or above may be read
    std::vector<AbortedTransaction> aborted;
  };
  // out_of_range: below the start or above the visible end.
  Result<ReadPlace> place(PartitionId id, Offset from, Isolation isolation) const;
  std::vector<std::shared_ptr<Segment>> segments(PartitionId id) const;
  bool has_segment(PartitionId id, const Segment& segment) const;
  std::uint64_t size_on_disk(PartitionId id) const;
  Timestamp max_timestamp(PartitionId id) const;
  std::optional<CommittedOffset> committed(std::string_view group, PartitionId id) const;
  std::vector<GroupOffset> group_offsets(std::string_view group) const;
  std::vector<std::string> groups_with_offsets() const;
  // Keeps the step until the end for this isolation is above `offset`; gives it back when it is
  // already.
  io::Step wait(PartitionId id, Offset offset, Isolation isolation, io::Step step);
  void hold(std::string_view holder, PartitionId id, Offset offset);

  // What one group wrote becomes visible at once. Steps that waited for it are moved out.
  void publish(const std::vector<PartitionPtr>& written, std::vector<OffsetChange> offsets,
               std::vector<io::Step>& woken);

  // The rest is for whoever writes checkpoints.

  // Everything but the write-ahead place.
  Checkpoint describe() const;
  std::vector<PartitionPtr> partitions() const;
  // A topic that the checkpoint on the disk names already.
  void add_topic(const CheckpointedTopic& topic);
  void add_partitions(std::string_view topic, std::int32_t count);
  // Between two groups.
  void set_config(std::string_view topic, const TopicConfig& config);
  // Takes no more appends and is left out of describe(), until restored or erased.
  Result<void> begin_deleting(std::string_view topic);
  void end_deleting(std::string_view topic, bool deleted);
  // Lets whole old segments go, per retention.ms and retention.bytes; their files stay.
  std::vector<std::shared_ptr<Segment>> drop_expired(Timestamp now);
  bool anything_expired(Timestamp now) const;
  // The partition with the largest share of records that compaction has not seen, among those where
  // it is due; `skipped` are left out.
  std::optional<CompactionPlan> plan_compaction(Timestamp now,
                                                const std::set<PartitionKey>& skipped) const;
  // Between two groups. False, and nothing changed: the segments are not the partition's any more.
  bool replace(const CompactedRun& run);
  // Why the start may not move there; then the new start and the segments that go with it.
  Result<void> check_deletion(PartitionId id, Offset before) const;
  Offset advance_start(PartitionId id, Offset before,
                       std::vector<std::shared_ptr<Segment>>& dropped);

 private:
  struct Topic {
    std::uint32_t id = 0;
    Uuid uuid;
    Partition::ConfigPtr config;
    std::vector<PartitionId> partitions;
    bool deleting = false;
  };

  const Partition* find_locked(PartitionId id) const;
  Partition* find_locked(PartitionId id);
  void add_locked(const CheckpointedTopic& topic);
  void add_partition_locked(std::string_view name, Topic& topic, const CheckpointedPartition& kept);
  static TopicDescription describe_topic(const std::string& name, const Topic& topic);
  void forget_offset_locked(std::string_view group, PartitionKey key);
  static std::size_t expired_count(const Partition& partition, Timestamp now);

  io::FileSystem& files_;
  const std::string topics_directory_;

  mutable std::mutex mutex_;  // one for all, for the sake of one consistent look; held for moments
  std::map<std::string, Topic, std::less<>> topics_;
  std::vector<PartitionPtr> partitions_;  // by PartitionId; null when the topic was deleted
  std::map<PartitionKey, PartitionId> ids_;
  std::map<std::string, std::map<PartitionKey, CommittedOffset>, std::less<>>
      offsets_;  // by group; never an empty one
  std::uint32_t next_topic_id_ = 1;
};

}  // namespace adbrook::log
