// What applications read and write topics through: the embedded log, or (later) a Kafka cluster.
// The unit of reading is a record batch, the unit of writing is an atomic commit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "io/executor.h"

namespace adbrook::bus {

struct Partition {
  std::string topic;
  std::int32_t number = 0;
  friend auto operator<=>(const Partition&, const Partition&) = default;
};

// Whole record batches v2 of committed records, in offset order, and when the log took each.
struct Fetched {
  struct Batch {
    std::size_t index_begin;  // into `bytes`
    std::size_t size;
    Timestamp append_time;
  };
  Buffer bytes;
  std::vector<Batch> batches;
  // Where to fetch on: behind the last batch, and behind what is not for readers. Above the offset
  // that was asked for also without a batch, unless it is the end.
  Offset next;
};

struct Ends {
  Offset start;  // first kept
  Offset end;    // readers see everything below
};

// Everything in it becomes durable and visible together or not at all.
struct Commit {
  struct Output {
    Partition partition;
    Buffer batch;  // one record batch v2
  };
  struct Position {
    Partition partition;
    Offset offset;  // everything below is processed
  };
  std::string group;  // whose positions
  std::vector<Output> outputs;
  std::vector<Position> positions;
};

using CommitDone = std::move_only_function<void(Result<void>)>;

// Thread-safe. Two implementations: EmbeddedBus over log::Log, and stream's test driver's memory.
class Bus {
 public:
  virtual ~Bus() = default;

  virtual Result<std::int32_t> partition_count(std::string_view topic) = 0;
  // About `size_max` bytes, at least one batch while there is one below the end. Control batches
  // and what was aborted are left out. out_of_range and corrupt as log::Log::read.
  virtual Result<Fetched> fetch(const Partition& partition, Offset from, std::size_t size_max) = 0;
  virtual Result<Ends> ends(const Partition& partition) = 0;
  // Committed position of a group, or -1.
  virtual Result<Offset> committed(std::string_view group, const Partition& partition) = 0;
  // `done` runs once on an executor thread. overloaded and disk_full: nothing was kept, try again;
  // any other error: stop.
  virtual void commit(Commit what, CommitDone done) = 0;
  // Runs `step` once as soon as there is a record at or above `offset`.
  virtual void when_readable(const Partition& partition, Offset offset, io::Step step) = 0;
  // Keeps retention away from everything at and above `offset`.
  virtual void hold(std::string_view holder, const Partition& partition, Offset offset) = 0;
};

}  // namespace adbrook::bus
