// Reads one partition of one topic batch by batch and keeps the bytes of the current step alive.
#pragma once

#include <span>
#include <vector>

#include "bus/bus.h"
#include "stream/operator.h"

namespace adbrook::stream {

inline constexpr std::size_t kFetchSize = std::size_t{256} << 10;
// A step takes whole batches until it has this many records.
inline constexpr std::int64_t kRecordsPerStep = 1024;

// Owned by one thread (the task's).
class InputReader {
 public:
  InputReader(bus::Bus& bus, bus::Partition partition)
      : bus_(bus), partition_(std::move(partition)) {}

  const bus::Partition& partition() const { return partition_; }
  // Everything below went through a step.
  Offset position() const { return position_; }
  // As position(), but behind what is nothing for readers and therefore in no step. What waits or
  // compares with an end goes by this.
  Offset reached() const;
  // Offsets below position() that hold no record for readers: markers and aborted records of
  // transactions, what compaction or a deletion took. position() = records taken + passed_over().
  std::int64_t passed_over() const { return passed_over_; }
  // Forgets what was fetched.
  void seek(Offset position, std::int64_t passed_over);

  // True when a step can be taken; fetches when nothing is left of the last fetch.
  Result<bool> has_more();
  // Of the records of the next batch, as their producer wrote them; only after has_more() was true.
  struct Times {
    Timestamp first, last;
  };
  Times next_times() const;

  struct Taken {
    std::span<StepBatch> batches;
    Offset first, end;
    std::int64_t record_count;
  };
  // Whole batches for one step, after has_more(); but for the first none that reaches to `before`.
  // Their bytes live until the next call.
  Result<Taken> take(Timestamp before = Timestamp::highest());
  // Exactly the batches of [position(), end): a step of the past.
  Result<Taken> take_until(Offset end);

 private:
  Result<void> fetch();
  Result<std::int64_t> open_next();
  void begin_step();
  static Timestamp first_time(const record::BatchHeader& header, ByteView batch);

  bus::Bus& bus_;
  bus::Partition partition_;
  Offset position_;
  std::int64_t passed_over_ = 0;
  Offset next_fetch_;                 // from position_ on
  std::vector<bus::Fetched> chunks_;  // the last one is being read, older ones belong to the step
  std::size_t next_batch_ = 0;        // in the last chunk
  std::vector<StepBatch> batches_;
  // What next_times() last said, and of which batch.
  mutable Times times_;
  mutable Offset times_of_{-1};
};

}  // namespace adbrook::stream
