// What an append holds and how it is answered: batches for any number of partitions, committed
// offsets and their deletion, and the rule that refused it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/batch_bytes.h"

namespace adbrook::log {

// A partition of an open log. Valid as long as the log is open and the topic is not deleted.
struct PartitionId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(PartitionId, PartitionId) = default;
};

enum class BatchOrigin : std::uint8_t {
  engine,       // our own code
  client,       // a producer outside
  coordinator,  // may be a control batch: the end of a transaction
};

// One record batch v2 for one partition. The base offset and leader epoch are patched by the log.
// One with a producer id obeys Kafka's rules for producers: one that is here already is not taken
// again but answered with the place it has; one that leaves a gap is refused. An append holds at
// most one batch of a producer for a partition. A batch with the transactional bit opens its
// producer's transaction here; a marker of the coordinator ends it.
struct BatchToAppend {
  PartitionId partition;
  BatchBytes bytes;
  BatchOrigin origin = BatchOrigin::engine;
  bool is_checked = false;  // whoever appends it has compared its checksum
};

// A consumer group's (or a task's) position: everything below `offset` is done with. The log adds
// the time of the commit.
struct OffsetCommit {
  std::string group;
  PartitionId partition;
  Offset offset;
  std::int32_t leader_epoch = -1;  // of the record before it, as its consumer saw it; -1: not told
  std::string metadata;            // the consumer's own words, given back as they are
};

// The group has no position here any more; fine when it has none.
struct OffsetDeletion {
  std::string group;
  PartitionId partition;
};

struct Append {
  std::vector<BatchToAppend> batches;
  std::vector<OffsetCommit> offsets;
  std::vector<OffsetDeletion> deletions;  // after `offsets`
  // For who does not count on the order of answers: a refusal is told at once, also when what came
  // before waits for a disk that stands still.
  bool refused_at_once = false;
};

struct AppendedBatch {
  Offset base;
  Offset last;
  Timestamp append_time;
};

// Which rule a batch broke, for answers that have a code for each.
enum class AppendRule : std::uint8_t {
  none,                    // it is not about a batch: the error's kind says all
  unknown_partition,       // never was, or its topic is deleted
  corrupt_batch,           // cut off, or its checksum does not hold
  invalid_record,          // its header cannot be
  invalid_timestamp,       // message.timestamp.before/after.max.ms, or it claims to be the log's
  too_large,               // max.message.bytes, or more than an append may have
  out_of_order_sequence,   // a batch of its producer before it is missing
  invalid_producer_epoch,  // another instance of the producer took over
  transaction_state,       // the producer's open transaction does not allow it
};

// An Error, so that whoever needs no rule takes it as one.
struct AppendRefusal : Error {
  AppendRefusal(Error error, AppendRule why = AppendRule::none)
      : Error(std::move(error)), rule(why) {}
  AppendRule rule;
};

// In the order of `Append::batches`.
using AppendResult = std::expected<std::vector<AppendedBatch>, AppendRefusal>;
using AppendDone = std::move_only_function<void(AppendResult)>;

}  // namespace adbrook::log
