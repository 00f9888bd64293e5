// A disk in memory for property tests: one seed decides what a crash leaves of unsynced writes and
// names, and a plan decides which call fails and when the disk dies or is full.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "io/random.h"
#include "io/simulated_tree.h"

namespace adbrook::io {

enum class DiskCall {
  open,
  read,
  write,
  sync,
  allocate,
  truncate,
  remove,
  rename,
  make_directories,
  remove_directory,
  list,
  sync_directory,
  lock,
};

// Owned by one thread, unlike the contract it implements: simulations run on a SimulatedExecutor.
// The same seed and the same calls give the same outcome. Must outlive its files and locks; the
// root directory is always there and durable, and paths start there with or without a slash.
class SimulatedFileSystem final : public FileSystem {
 public:
  explicit SimulatedFileSystem(std::uint64_t seed) : random_(seed) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // Calls that changed (or would have changed) the disk since this object was made: writes, syncs,
  // allocations, truncations, and every name made, moved, removed or synced.
  std::uint64_t steps() const { return step_count_; }

  // The step with this index (as counted by steps(), so `steps()` is the next one) fails with
  // io_failed and may be done in part; all calls after it fail with closed, until crash().
  void crash_at_step(std::uint64_t step_index) { crash_step_ = step_index; }
  bool dead() const { return dead_; }

  // The call of this kind that comes after `skip_count` more of its kind fails with io_failed. A
  // write may be done in part; a failed sync drops unsynced writes as Linux does.
  void fail_call(DiskCall kind, std::uint64_t skip_count);

  // Bytes for all files together, what they allocated included. Less than is used now is fine.
  void set_capacity(std::optional<std::uint64_t> capacity) { capacity_ = capacity; }

  std::size_t open_file_count() const { return open_nodes_.size(); }

  // Power loss and a new start: open files and locks are dead (closed), what was not synced is
  // left, lost or torn, and the disk works again, without any planned crash or failure.
  void crash();
  // The process dies (SIGKILL) and the kernel lives: open files and locks are dead, nothing is lost
  // yet, and what was not synced is still not durable. Plans are dropped; a dead disk stays dead.
  void kill_process();

 private:
  class OpenFile;
  class HeldLock;
  enum class Fate { done, fails, dies };

  Fate next_fate(DiskCall kind);
  Result<void> check_alive(DiskCall kind, const std::string& path) const;
  Result<void> check_read(DiskCall kind, const std::string& path);
  // Counts a step and does `change`; when its fate is to fail, perhaps does it all the same.
  template <class Change>
  Result<void> step(DiskCall kind, const std::string& path, Change change);
  Result<SimulatedTree::Place> place_for(DiskCall kind, const std::string& path) const;
  Result<SimulatedNodePtr> open_node(const std::string& path, OpenMode mode);
  std::uint64_t used_bytes();
  // How large this file could become with the room there is.
  std::uint64_t size_max(const SimulatedNode& node);
  void end_process();

  SeededRandom random_;
  SimulatedTree tree_;
  std::uint64_t process_ = 0;  // files and locks of an earlier one are dead
  std::set<std::string> locked_paths_;
  std::vector<SimulatedNodePtr>
      open_nodes_;  // one per open file; they use space without a name too

  bool dead_ = false;
  std::uint64_t step_count_ = 0;
  std::optional<std::uint64_t> crash_step_;
  std::map<DiskCall, std::uint64_t> call_counts_;
  std::set<std::pair<DiskCall, std::uint64_t>> failures_;
  std::optional<std::uint64_t> capacity_;
};

}  // namespace adbrook::io
