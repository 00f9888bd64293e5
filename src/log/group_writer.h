// Takes a group of appends through the disk: room, offsets, one write and one sync of the
// write-ahead log, segments, and then all of it visible at once.
#pragma once

#include <optional>
#include <vector>

#include "base/metrics.h"
#include "io/clock.h"
#include "log/answer_queue.h"
#include "log/append_queue.h"
#include "log/health.h"
#include "log/log_state.h"
#include "log/wal.h"

namespace adbrook::log {

struct GroupOutcome {
  std::vector<FinishedAppend> finished;  // in the order of the group, refused ones among them
  std::vector<io::Step> woken;
  bool unsynced = false;  // relaxed appends were acknowledged before they are on the disk
};

// Owned by one thread at a time.
class GroupWriter {
 public:
  GroupWriter(LogState& state, Wal& wal, Health& health, io::Clock& clock, Metrics& metrics,
              Millis producer_expiration);

  // Everything in it is finished when it returns. After a failed write or sync nothing is tried
  // again: the health says so and every append fails.
  void write(std::vector<QueuedAppend> group, GroupOutcome& outcome);
  // Syncs what relaxed appends left.
  void sync();

 private:
  struct Accepted {
    QueuedAppend append;
    std::vector<AppendedBatch> batches;
    std::size_t place;  // in the order of answers
  };
  using Done = std::expected<void, AppendRefusal>;

  Done accept(QueuedAppend& append, std::size_t place, GroupOutcome& outcome);
  Done find_partitions(const QueuedAppend& append);
  Done find_known(const QueuedAppend& append);
  bool adds_nothing(const QueuedAppend& append) const;
  Done make_room(const QueuedAppend& append);
  std::vector<AppendedBatch> take(QueuedAppend& append);
  void take_offsets(const Append& what);
  void flush(GroupOutcome& outcome);
  Result<void> put_on_disk();
  void finish_accepted(GroupOutcome& outcome);
  void add_changes(Append& what, std::vector<LogState::OffsetChange>& changes);
  void refuse(std::size_t place, AppendRefusal refusal, GroupOutcome& outcome);
  bool needs_sync(const QueuedAppend& append) const;

  LogState& state_;
  Wal& wal_;
  Health& health_;
  io::Clock& clock_;
  const Millis producer_expiration_;

  // Of the group that is written; kept to reuse their memory.
  std::vector<Accepted> accepted_;
  std::vector<LogState::PartitionPtr> partitions_;   // of the append that is looked at
  std::vector<std::optional<AppendedBatch>> known_;  // of its batches: where it is already
  std::vector<LogState::PartitionPtr> touched_;
  WalAppend entry_;
  GatheredBytes scratch_;
  Timestamp now_;  // of the group
  bool sync_ = false;

  Counter& append_count_;
  Counter& append_bytes_;
  Counter& failure_count_;
  Counter& duplicate_count_;
};

}  // namespace adbrook::log
