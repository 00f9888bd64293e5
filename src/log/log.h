// The durable log: topics, partitions, one write-ahead log for all of them, and atomic append.
// Formats: docs/formats/wal.md, docs/formats/segment.md, docs/formats/data-directory.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/file_system.h"
#include "io/kernel_file.h"
#include "log/append.h"
#include "log/log_options.h"

namespace adbrook::log {

// last stable <= visible <= durable <= written holds after each change. `start` is the first kept.
struct Ends {
  Offset start;
  Offset stable;   // below every open transaction
  Offset visible;  // what readers may see
  Offset durable;
  Offset written;
};

enum class Isolation {
  uncommitted,  // up to the visible end, whatever becomes of open transactions
  committed,    // up to the stable end, and with the aborted transactions told
};

// Everything of this producer in [first, last] does not count; `last` is the marker that ended it.
struct AbortedTransaction {
  std::int64_t producer_id;
  Offset first;
  Offset last;
};

// Whole batches as they lie on the disk, in offset order, and when the log took each.
struct ReadBatches {
  struct Batch {
    std::size_t index_begin;  // into `bytes`, or into the range of the file
    std::size_t size;
    Timestamp append_time;
  };
  Buffer bytes;
  std::optional<io::FileRange> in_file;  // instead of `bytes`
  std::vector<Batch> batches;
  Offset first;  // of the first batch
  // Where to read on: behind the last batch, and further when nothing is there.
  Offset next;
  // With Isolation::committed: all that touch what was read, by their first offset.
  std::vector<AbortedTransaction> aborted;
};

// A producer as one partition knows it.
struct ProducerDescription {
  std::int64_t producer_id;
  std::int16_t producer_epoch;
  std::int32_t last_sequence;      // -1: none of this epoch
  Timestamp last_used;             // by the log's clock
  std::int32_t coordinator_epoch;  // -1: no transaction ended here
  Offset transaction_start;        // -1: none is open
};

struct TopicDescription {
  std::string name;
  std::int32_t partition_count;
  TopicConfig config;
  Uuid id;  // random; a topic that is made anew gets another one
};

struct CommittedOffset {
  Offset offset;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  Timestamp commit_time;
};

struct GroupOffset {
  std::string topic;
  std::int32_t partition;
  CommittedOffset committed;
};

// Thread-safe.
class Log {
 public:
  // Opens or creates the data directory: takes its lock, checks its format version, recovers to the
  // last whole write-ahead entry. busy: locked by another process (says by which); unsupported:
  // foreign or newer directory; corrupt: damage that recovery must not hide (says where).
  // The objects passed in must outlive the log.
  static Result<std::unique_ptr<Log>> open(io::FileSystem& files, io::Clock& clock,
                                           io::Executor& executor, Metrics& metrics,
                                           std::string directory, LogOptions options);
  virtual ~Log() = default;

  // already_exists when it exists with another partition count; fine (and the config is kept as it
  // is) when it exists with the same. Returns when durable.
  virtual Result<void> create_topic(std::string_view name, std::int32_t partition_count,
                                    TopicConfig config) = 0;
  virtual Result<void> delete_topic(std::string_view name) = 0;
  // Grows the topic to this many partitions; fine when it has them, invalid when it has more.
  // Returns when durable. Keys that were placed by the old number stay where they are.
  virtual Result<void> create_partitions(std::string_view topic, std::int32_t count) = 0;
  // Takes effect at once for what comes from now on. Returns when durable; on an error the old
  // config holds.
  virtual Result<void> alter_config(std::string_view topic, TopicConfig config) = 0;
  virtual std::vector<TopicDescription> topics() const = 0;
  virtual Result<TopicDescription> topic(std::string_view name) const = 0;
  virtual Result<TopicDescription> topic(Uuid id) const = 0;
  virtual Result<PartitionId> partition(std::string_view topic, std::int32_t number) const = 0;

  // The one primitive: all batches and offsets become durable and visible together or not at all.
  // Takes ownership of the bytes; checks length, magic, checksum and counts of each batch.
  // `done` runs once, on an executor thread, and must not wait for another append: after fdatasync
  // (and when readers can see it), or with invalid or not_found (a batch breaks a rule, its topic
  // is gone), disk_full or overloaded (nothing was kept; try again later), or io_failed/closed (the
  // log is down; it is unknown whether a restart will find it). Appends that one caller makes one
  // after the other keep their order, and so do all answers, those of refused appends among them
  // unless these are wanted at once.
  virtual void append(Append what, AppendDone done) = 0;

  virtual Ends ends(PartitionId partition) const = 0;
  // One consistent look: no atomic append is seen in part.
  virtual std::vector<Ends> ends(const std::vector<PartitionId>& partitions) const = 0;

  // Batches from the one that holds `from` on (or the first one behind it, where compaction left a
  // hole), whole ones, about `size_max` bytes but at least one batch; empty at the end that the
  // isolation sets. out_of_range below the start or above the visible end; corrupt when a stored
  // batch fails its checksum.
  virtual Result<ReadBatches> read(PartitionId partition, Offset from, std::size_t size_max,
                                   Isolation isolation = Isolation::uncommitted) const = 0;
  // The same for who only passes the bytes on: `size_min` bytes or more stay in their file, which
  // lives on whatever becomes of its segment meanwhile. No checksum is compared then, only the
  // headers at both ends.
  virtual Result<ReadBatches> read_in_place(PartitionId partition, Offset from,
                                            std::size_t size_max, std::size_t size_min,
                                            Isolation isolation) const = 0;

  // The first offset whose batch's largest timestamp is at or after `time`; the visible end if
  // none.
  virtual Result<Offset> offset_for_time(PartitionId partition, Timestamp time) const = 0;

  // Runs `step` once on the executor as soon as the visible end is above `offset` (at once if it
  // is).
  virtual void when_visible(PartitionId partition, Offset offset, io::Step step) = 0;
  // The same for the stable end: for readers of committed records.
  virtual void when_stable(PartitionId partition, Offset offset, io::Step step) = 0;

  // All producers that the partition remembers, by id. Waits for the group that is being written.
  virtual std::vector<ProducerDescription> producers(PartitionId partition) const = 0;

  // -1 when this group never committed here.
  virtual Offset committed(std::string_view group, PartitionId partition) const = 0;
  virtual std::optional<CommittedOffset> committed_offset(std::string_view group,
                                                          PartitionId partition) const = 0;
  // All positions of a group, by topic and partition; empty when it has none.
  virtual std::vector<GroupOffset> group_offsets(std::string_view group) const = 0;
  // Every group that has a position, in byte order.
  virtual std::vector<std::string> groups_with_offsets() const = 0;

  // Moves the log start up to `before`: what is below is gone for readers, and whole segments of it
  // from the disk. Returns the new start (the old one when it is above) when it is durable.
  // out_of_range above the visible end; busy when hold() keeps records below. On an error all of it
  // is still there, unless the log is down: then only a restart can tell.
  virtual Result<Offset> delete_records(PartitionId partition, Offset before) = 0;
  // Bytes of its segment files, without what is reserved ahead.
  virtual Bytes size_on_disk(PartitionId partition) const = 0;
  // The largest timestamp in a kept batch; Timestamp::lowest() when there is none.
  virtual Timestamp max_timestamp(PartitionId partition) const = 0;

  // From now on retention and compaction run by themselves. Not before who may need what is old has
  // called hold(): a log that was just opened knows of no holder.
  virtual void begin_upkeep() = 0;
  // Applies retention now: whole segments whose last append time is too
  // old or whose partition is over its bytes go, oldest first, never the active one and never
  // beyond a floor set by hold().
  virtual Result<void> apply_retention() = 0;

  // Keeps everything at and above `offset` in this partition for `holder`, until moved on; a holder
  // that never called holds nothing. Not durable: tasks call it after every commit and at start.
  virtual void hold(std::string_view holder, PartitionId partition, Offset offset) = 0;

  // Syncs everything and writes a checkpoint; afterwards opening needs no replay. The log takes no
  // more appends (closed). Called by the destructor when it was not called.
  virtual Result<void> close() = 0;

  // Empty while healthy; else why it takes no more appends (for /readyz).
  virtual std::string trouble() const = 0;
  // True while appends fail for want of space.
  virtual bool disk_full() const = 0;
};

}  // namespace adbrook::log
