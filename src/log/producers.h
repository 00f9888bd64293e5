// What one partition knows of its producers: which of their batches it has, so that a repeated one
// is not taken twice, and which transactions are open. Rules: Kafka's, per partition and id.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "log/log.h"
#include "record/transaction_marker.h"

namespace adbrook::log {

// A batch as its producer numbered it. No id: the batch follows no rule and is never checked.
struct ProducerStamp {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;
  bool transactional = false;
  std::optional<record::TransactionMarker> marker;
};

// Counts on from a sequence number; after 2^31-1 comes 0.
std::int32_t sequence_after(std::int32_t sequence, std::int32_t count);

struct ProducerBatch {
  std::int32_t first_sequence = 0;
  std::int32_t last_sequence = 0;
  Offset base;
  Timestamp append_time;
};

struct ProducerState {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t coordinator_epoch = -1;
  Timestamp last_used;
  Offset transaction_start{-1};
  std::vector<ProducerBatch> batches;  // the last few, oldest first
};

// Owned by the log's writer.
class Producers {
 public:
  // A retry may come after this many batches that were sent behind it.
  static constexpr std::size_t kBatchCountMax = 5;

  // Where the batch is when it is here already; nothing when it may come in now; else the rule that
  // it breaks. A producer that was not heard of for `expiration` is a new one.
  using Verdict = std::expected<std::optional<AppendedBatch>, AppendRefusal>;
  Verdict check(const ProducerStamp& stamp, Timestamp now, Millis expiration) const;

  // The batch stands at `base` now. Gives the transaction that it aborted. Asks no rule: recovery
  // does the same again with what was let in before.
  std::optional<AbortedTransaction> apply(const ProducerStamp& stamp, Offset base,
                                          Timestamp append_time);

  // The first offset of the earliest open transaction.
  std::optional<Offset> first_open() const;
  // Those not heard of since then go, unless their transaction is open.
  void expire(Timestamp before);

  void restore(std::vector<ProducerState> states);
  std::vector<ProducerState> describe() const;

 private:
  std::unordered_map<std::int64_t, ProducerState> states_;
  std::set<Offset> open_;  // first offsets of open transactions
};

}  // namespace adbrook::log
