// What compaction is to do in a partition, and what it did.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "log/partition.h"

namespace adbrook::log {

struct CompactionPlan {
  std::shared_ptr<const Partition> partition;
  Bytes segment_bytes;
  CleanupPolicy cleanup;
  // From the first one on, full ones, below every open transaction and every hold.
  std::vector<std::shared_ptr<Segment>> segments;
  std::vector<Offset> segment_ends;         // of each; they may be larger than their last batch's
  Offset dirty_begin;                       // everything below was compacted before
  double dirty_ratio = 0;                   // the share of bytes above it
  std::vector<AbortedTransaction> aborted;  // all that the partition knows

  Offset end() const { return segment_ends.back(); }
};

// Several segments that follow each other became one, or none.
struct CompactedRun {
  PartitionKey partition;
  std::vector<std::shared_ptr<Segment>> sources;
  std::shared_ptr<Segment> compacted;  // null: nothing is left of them
  std::vector<Offset> removed_ends;    // of aborted transactions, sorted
  std::optional<Offset> compacted_to;  // with the last run of a pass
};

// None: nothing of it is due. Called under the lock that guards the partition's readers.
std::optional<CompactionPlan> plan_compaction(const std::shared_ptr<Partition>& partition,
                                              Timestamp now);

}  // namespace adbrook::log
