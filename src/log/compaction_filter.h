// What compaction keeps of a partition: the last record of each key, deletions and the ends of
// transactions for a while. Rules: Kafka's, in docs/formats/compaction.md. Pure; no files.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/key_offsets.h"
#include "log/log.h"
#include "record/batch.h"

namespace adbrook::log {

// A compressed batch that would become more than this is not looked into, and its partition not
// compacted.
inline constexpr Bytes kCompactedBatchMax = 128_MiB;

// Aborted transactions by their producers.
class AbortedSpans {
 public:
  explicit AbortedSpans(const std::vector<AbortedTransaction>& aborted);
  // Whether the batch belongs to an aborted transaction, or ends one.
  bool hold(const record::BatchHeader& header) const;

 private:
  struct Span {
    Offset first, last;
  };
  std::unordered_map<std::int64_t, std::vector<Span>> spans_;  // by producer, in offset order
};

// Remembers the last offset of each key of one batch. Records below `from` were seen before; those
// of aborted transactions and without a key do not count.
// Returns the first offset that had no room, or the one behind the batch.
Result<Offset> map_keys(ByteView batch, Offset from, const AbortedSpans& aborted, KeyOffsets& last);

struct CompactionScope {
  Offset dirty_begin;  // everything below was compacted before
  Offset dirty_end;    // nothing at or above is in the map, so it stays
  Timestamp now;
  Millis delete_retention;
};

// Given every batch of the partition from its first one on, in order. Owned by one thread.
class CompactionFilter {
 public:
  // `last` and `aborted` must outlive it.
  CompactionFilter(const KeyOffsets& last, const AbortedSpans& aborted,
                   const CompactionScope& scope)
      : last_(last), aborted_(aborted), scope_(scope) {}

  struct Kept {
    bool any = true;
    std::optional<Buffer> rewritten;  // none: as it was
    std::int32_t removed_count = 0;   // records
  };
  // corrupt or overloaded: the batch does not parse or becomes too large.
  Result<Kept> look(ByteView batch);

  // The ends of aborted transactions that were left out since the last call.
  std::vector<Offset> take_removed_ends() { return std::exchange(removed_ends_, {}); }

 private:
  Result<Kept> look_at_marker(ByteView batch, const record::BatchHeader& header);
  Result<Kept> look_at_records(ByteView batch, const record::BatchHeader& header);
  // None: not compacted before, so its horizon is not ours.
  std::optional<Timestamp> horizon(const record::BatchHeader& header) const;

  const KeyOffsets& last_;
  const AbortedSpans& aborted_;
  const CompactionScope scope_;
  std::unordered_set<std::int64_t> with_records_;  // producers whose transaction still has some
  std::vector<Offset> removed_ends_;
};

}  // namespace adbrook::log
