// One partition: its segments, its ends, and what waits for or holds on to them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/executor.h"
#include "io/file_system.h"
#include "log/aborted_index.h"
#include "log/cleanup_policy.h"
#include "log/log.h"
#include "log/producers.h"
#include "log/segment.h"
#include "log/wal_entry.h"
#include "record/batch.h"

namespace adbrook::log {

struct CheckpointedPartition {
  Offset start;
  Offset next;
  Timestamp last_append_time = Timestamp::lowest();
  std::vector<SegmentExtent> segments;  // the last one is active
  Offset compacted_to;                  // everything below went through compaction
  std::vector<ProducerState> producers;
  std::vector<AbortedTransaction> aborted;
};

// What is asked of a batch before it may come in.
struct BatchFacts {
  std::int64_t offset_count = 0;
  Timestamp max_timestamp;
  ProducerStamp producer;
};
// invalid: a control batch that is not the end of a transaction.
Result<BatchFacts> batch_facts(ByteView batch, const record::BatchHeader& header);

// Two halves: `Readers` is guarded by the lock of the LogState that owns it, the rest is owned by
// the log's writer. Segments are shared: a reader and the checkpoint pin one while retention or
// the deletion of the topic lets it go.
class Partition {
 public:
  using ConfigPtr = std::shared_ptr<const TopicConfig>;  // shared by all partitions of a topic

  Partition(io::FileSystem& files, PartitionKey key, std::string directory, ConfigPtr config,
            const CheckpointedPartition& kept);

  struct Readers {
    std::vector<std::shared_ptr<Segment>> segments;
    Ends ends;
    AbortedIndex aborted;
    Offset compacted_to;
    std::multimap<Offset, io::Step> waiting;         // by the offset that must become visible
    std::multimap<Offset, io::Step> waiting_stable;  // by the one that must become stable
    std::map<std::string, Offset, std::less<>> holds;
    bool deleted = false;

    Offset hold_floor() const;
    // Everything below is gone; whole segments of it are moved out, never the active one.
    void advance_start(Offset start, std::vector<std::shared_ptr<Segment>>& dropped);
    std::uint64_t size_on_disk() const;
  };
  Readers readers;

  PartitionKey key() const { return key_; }
  // Changes between two groups and under the state's lock, so either of them keeps it.
  const ConfigPtr& config() const { return config_; }
  void set_config(ConfigPtr config) {
    config_ = std::move(config);
    cleanup_ = cleanup_policy(*config_);
  }
  const CleanupPolicy& cleanup() const { return cleanup_; }
  const std::string& directory() const { return directory_; }

  // Makes sure that the segment files have room for one append's batches, in a new segment if it is
  // time for one. On an error nothing that counts has changed.
  struct Needed {
    std::size_t size = 0;
    std::size_t batch_count = 0;
    std::int64_t offset_count = 0;
  };
  Result<void> make_room(const Needed& needed, Timestamp now);
  // What take() will say of a batch that comes now.
  Timestamp append_time(Timestamp now) const { return std::max(last_append_time_, now); }
  // Gives the batch its offset and append time and stages it. The bytes must stay until
  // write_staged() has returned.
  SegmentRow take(std::span<std::byte> batch, const BatchFacts& facts, Timestamp now);
  Result<void> write_staged(GatheredBytes& scratch);
  // Under the state's lock: what was staged and written is visible; steps that waited are moved
  // out.
  void publish(std::vector<io::Step>& woken);
  Offset next() const { return next_; }
  const Producers& producers() const { return producers_; }
  void expire_producers(Timestamp before) { producers_.expire(before); }

  // Under the state's lock, between groups.
  CheckpointedPartition describe() const;
  struct Unsynced {
    std::vector<std::shared_ptr<Segment>> sealed;  // may be closed when they are synced
    std::vector<std::shared_ptr<Segment>> open;
    bool directory = false;  // files were made in it
  };
  // What must be synced for the present extents; it is the caller's from now on.
  Unsynced take_unsynced();

 private:
  bool is_full(const Needed& needed, Timestamp now) const;
  Result<void> roll();
  void move_ends();

  io::FileSystem& files_;
  const PartitionKey key_;
  const std::string directory_;
  ConfigPtr config_;
  CleanupPolicy cleanup_;  // of config_

  Offset next_;
  Timestamp last_append_time_;
  Producers producers_;
  std::vector<AbortedTransaction> ended_;  // aborted, not yet published
  std::shared_ptr<Segment> active_;
  Offset active_base_;
  Timestamp active_since_;                         // its first batch; when there is one
  std::vector<std::shared_ptr<Segment>> fresh_;    // made, not yet published
  std::vector<std::shared_ptr<Segment>> writing_;  // with staged batches
  std::vector<std::shared_ptr<Segment>> sealing_;  // full, to be sealed after this group
  std::vector<std::shared_ptr<Segment>> sealed_unsynced_;
  bool active_unsynced_ = false;
  bool directory_unsynced_ = false;
};

}  // namespace adbrook::log
