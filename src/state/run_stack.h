// What a partition or bucket has on disk: a few runs, of which a newer one counts before an older
// one. Runs of like size are merged, so that there are about log2(size) of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "state/entry_source.h"
#include "state/sorted_run.h"

namespace adbrook::state {

class BlobReader;
class Checkpoint;

// Where runs are written to, several into one file. Owned by one thread.
struct SpillPlace {
  std::shared_ptr<RunFiles> files;
  std::uint64_t file = 0;      // 0: none was begun
  std::uint64_t position = 0;  // its end
};

// Owned by one thread.
class RunStack {
 public:
  using Hash = std::function<std::uint64_t(ByteView)>;

  bool empty() const { return runs_.empty(); }
  std::size_t count() const { return runs_.size(); }
  std::size_t memory() const { return memory_; }

  // Writes these entries, newer than all there are and of about `size` bytes, as a run. On an error
  // the stack is as it was.
  Result<void> push(std::unique_ptr<EntrySource> entries, std::uint64_t size, SpillPlace& place,
                    const Hash& hash);

  // True when some run has the entry, gone or not. It points into `block`.
  Result<bool> find(ByteView key, std::uint64_t hash, Moment moment, RunEntry& entry,
                    Buffer& block) const;
  bool may_have(std::uint64_t hash) const;
  // All entries, or those from (key, moment) on out of the runs that may have the key; the newest
  // run first.
  void add_sources(std::vector<std::unique_ptr<EntrySource>>& to) const;
  void add_sources(std::vector<std::unique_ptr<EntrySource>>& to, ByteView key, std::uint64_t hash,
                   Moment moment) const;

  // The checkpoint refers to the runs by blobs of these names, which `kept` gets; `meta` says how
  // to find them.
  void save(Checkpoint& checkpoint, std::string_view store, Buffer& meta,
            std::set<std::string>& kept) const;
  Result<void> load(const Checkpoint& checkpoint, std::string_view store, BlobReader& meta);

 private:
  void take(std::shared_ptr<SortedRun> run);

  std::vector<std::shared_ptr<SortedRun>> runs_;  // the oldest first
  std::size_t memory_ = 0;
};

}  // namespace adbrook::state
