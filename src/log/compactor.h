// Compaction by key: a pass reads what is new of a partition into a map of keys, then writes the
// partition's full segments anew without what the map makes superfluous, a run of segments at a
// time, each swapped in by a checkpoint. Rules and order: docs/formats/compaction.md.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "log/checkpointer.h"
#include "log/compaction_filter.h"
#include "log/health.h"
#include "log/log_state.h"

namespace adbrook::log {

struct CompactionLimits {
  // Memory for the keys of one pass, while it runs; with less, a large part takes several passes.
  Bytes map = 32_MiB;
  // How fast it reads; the rest of the disk is for others.
  Bytes bytes_per_second = 32_MiB;
};

// Thread-safe: one pass at a time. Takes the checkpointer's locks, never the other way round. What
// goes wrong ends the pass and is counted; the log and its readers do not notice.
class Compactor {
 public:
  Compactor(io::FileSystem& files, LogState& state, Checkpointer& checkpointer, Health& health,
            io::Clock& clock, Metrics& metrics);

  // From the next pass on.
  void set_limits(const CompactionLimits& limits);
  // A piece of work of some milliseconds, when there is some. How long to wait before the next one;
  // none: nothing is due.
  std::optional<Millis> step();
  // All that is due, at once. An error is the first one; other partitions are done all the same.
  Result<void> run();
  // No more passes; the one under way is given up.
  void stop();

 private:
  // One run of segments that are written as one.
  struct Output {
    CompactedRun run;
    std::shared_ptr<Segment> segment;  // made with its first batch
  };
  struct Pass {
    Pass(CompactionPlan what, Timestamp begin, Bytes map_bytes, std::uint64_t seed)
        : plan(std::move(what)), begun(begin), aborted(plan.aborted), last(map_bytes, seed) {}

    CompactionPlan plan;
    Timestamp begun;
    AbortedSpans aborted;
    KeyOffsets last;
    std::size_t index = 0;            // of the segment that is read
    Offset from;                      // in it
    std::optional<Offset> dirty_end;  // known when all that fits is in the map
    std::unique_ptr<CompactionFilter> filter;
    std::unique_ptr<Output> output;
  };

  bool begin();
  Result<bool> advance();
  Result<bool> read_keys();
  Result<bool> write_on();
  Result<ReadBatches> read_chunk();
  void begin_writing(Offset dirty_end);
  void begin_output();
  Result<void> put(const ReadBatches& read);
  Result<void> finish_output();
  Result<bool> swap_in(bool last);
  void give_up(const Error& error);
  void drop_output();

  io::FileSystem& files_;
  LogState& state_;
  Checkpointer& checkpointer_;
  Health& health_;
  io::Clock& clock_;
  CompactionLimits limits_;

  std::mutex mutex_;  // a step on the executor and a caller that waits may come together
  std::unique_ptr<Pass> pass_;
  std::size_t chunk_size_ = 0;      // read by the last piece of work
  std::set<PartitionKey> damaged_;  // what cannot be read is not tried again before a restart
  bool stopped_ = false;
  GatheredBytes scratch_;

  Counter& pass_count_;
  Counter& removed_count_;
  Counter& read_bytes_;
  Counter& failure_count_;
};

}  // namespace adbrook::log
