// A table in memory over the runs that were spilled of it: what a partition of a KeyValueStore and
// a bucket of a TimeStore are, and how both are spilled, saved and loaded.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "state/run_stack.h"

namespace adbrook::state {

class BlobReader;
class Checkpoint;

// Where a part of a store lies in the checkpoint: the store's name and the blob of its table.
struct TablePlace {
  std::string_view store;
  std::string blob;
};

// Table is KeyTable or TimeTable. Owned by one thread.
template <class Table>
class TieredTable {
 public:
  Table table;
  RunStack runs;            // older than what the table has
  std::uint64_t count = 0;  // of both, without what is gone

  std::size_t memory() const { return table.memory() + runs.memory(); }
  bool shadows() const { return !runs.empty(); }

  // Makes a run of what the table holds, which is empty then; `seed` is that of the keys' hashes.
  // On an error all is as it was.
  Result<void> spill(SpillPlace& place, std::uint64_t seed);

  // `meta` gets what load() reads of it, `kept` the blobs in use.
  void save(Checkpoint& checkpoint, const TablePlace& place, Buffer& meta,
            std::set<std::string>& kept);
  // Into an empty one. `bucket_size` is that of a TimeTable in ms, `scratch` is for the blob.
  Result<void> load(const Checkpoint& checkpoint, const TablePlace& place, BlobReader& meta,
                    Buffer& scratch, std::uint64_t seed, std::int64_t bucket_size = 1);

 private:
  void save_table(Checkpoint& checkpoint, const std::string& blob);

  std::uint64_t saved_size_ = 0;  // bytes of the blob; an empty one is none
  bool spilled_ = false;          // since the blob was written
};

}  // namespace adbrook::state
