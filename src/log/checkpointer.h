// Makes the write-ahead log short again: syncs the segments behind the acknowledgements, one file
// at a time, then writes down how far they go. Also how topics come and go and retention is final.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "log/data_directory.h"
#include "log/health.h"
#include "log/log_state.h"
#include "log/wal.h"

namespace adbrook::log {

// Thread-safe: one checkpoint at a time. Takes `writer_mutex` for moments, never the other way
// round.
class Checkpointer {
 public:
  // What goes with a checkpoint; each part runs between two groups.
  struct Change {
    std::function<void()> first;            // before all is described
    std::function<void(Checkpoint&)> edit;  // writes down what the state does not know yet
    std::function<void()> done;             // it is on the disk, and no other has begun
  };

  Checkpointer(io::FileSystem& files, DataDirectory& directory, LogState& state, Wal& wal,
               std::mutex& writer_mutex, Health& health, Metrics& metrics);

  // One sync, or the file at the end. True: there is more, call again. Begins when none is under
  // way.
  bool step();
  // The whole thing, after the one under way. disk_full: the old one stands, nothing is lost.
  Result<void> run(Change change);
  // These segments left the log; their files go when a checkpoint without them is on the disk. Only
  // from Change::first.
  void remove_later(const std::vector<std::shared_ptr<Segment>>& segments);
  // Some of them wait for a checkpoint: one failed for want of space, or is under way.
  bool owes_removals();

 private:
  struct Run {
    Checkpoint content;
    std::function<void()> done;
    std::vector<std::shared_ptr<Segment>> sealed;  // synced, then closed
    std::vector<std::shared_ptr<Segment>> open;
    std::vector<std::string> directories;
    std::vector<std::string> doomed_paths;
    std::size_t synced_count = 0;
  };

  void begin(Change change);
  Result<bool> advance();
  Result<void> drive();
  Result<void> finish();

  io::FileSystem& files_;
  DataDirectory& directory_;
  LogState& state_;
  Wal& wal_;
  std::mutex& writer_mutex_;
  Health& health_;
  Counter& checkpoint_count_;

  std::mutex run_mutex_;  // a step on the executor and a caller that waits may come together
  std::unique_ptr<Run> run_;
  // What a run that failed for want of space leaves to the next one.
  Run carried_;
};

}  // namespace adbrook::log
