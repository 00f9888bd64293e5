// Files of spilled entries, beside the blobs of a checkpoint: written once, at the store's own
// pace, and referred to by the checkpoints that come after. Named run-<number>.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file_system.h"

namespace adbrook::state {

// Owned by one thread. A file exists from create() until nobody needs it: no use of it counted here
// and no checkpoint that refers to it.
class RunFiles {
 public:
  RunFiles(io::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Numbers only grow, over restarts too: a file that a crash left is never written again.
  void see(std::uint64_t number) { next_number_ = std::max(next_number_, number + 1); }

  Result<std::uint64_t> create();
  Result<void> write(std::uint64_t number, std::uint64_t position, ByteView bytes);
  // Exactly that many bytes. corrupt when the file is shorter.
  Result<void> read(std::uint64_t number, std::uint64_t position, std::span<std::byte> into);
  // Makes what was written durable, but for the file's name. After it failed once it always fails.
  Result<void> sync(std::uint64_t number);

  void use(std::uint64_t number) { ++uses_[number]; }
  // Touches no file, so that a store may go when its disk has gone. A later create() removes it.
  void end_use(std::uint64_t number);
  // Removes the files of the directory that neither a store nor `needed` names. Errors are no harm:
  // what stays is tried again the next time.
  void remove_others(const std::set<std::uint64_t>& needed);

  std::string path(std::uint64_t number) const;

 private:
  struct Open {
    std::uint64_t number;
    std::unique_ptr<io::File> file;
  };
  Result<io::File*> open(std::uint64_t number);
  void close_some();
  void remove(std::uint64_t number);
  void remove_unused();

  io::FileSystem& files_;
  std::string directory_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, std::uint64_t> uses_;  // by file, not 0
  std::vector<std::uint64_t> unused_;            // whose last use ended
  std::set<std::uint64_t> needed_;               // by the checkpoints that are kept
  std::set<std::uint64_t> unsynced_;
  std::set<std::uint64_t> failed_syncs_;
  std::list<Open> open_;  // the last one used first
};

}  // namespace adbrook::state
