// Bytes by bytes, for tables and aggregates. Keys are dealt out to partitions by their hash, so
// that a checkpoint, a rebuild or a spill concerns a part of the store only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "state/budget.h"
#include "state/key_table.h"
#include "state/tiered_table.h"
#include "state/visit.h"

namespace adbrook::state {

class Checkpoint;

struct KeyValueStoreOptions {
  Bytes budget = 256_MiB;  // of memory, counted by capacity
  OverBudget over_budget = OverBudget::wait;
  std::uint64_t hash_seed = 0;  // secret; changes no answer
};

// Owned by one thread. Keys have at most 128 MiB, values less than 2 GiB. Bytes given to a
// member do not lie in the store.
class KeyValueStore {
 public:
  explicit KeyValueStore(KeyValueStoreOptions options = {});

  // What a view or span points to is good until the next call of any member.
  std::optional<ByteView> get(ByteView key) const;
  // The value to change in place: as it was when it had that size, else zeroed. Aligned to 8.
  std::span<std::byte> upsert(ByteView key, std::size_t size);
  void put(ByteView key, ByteView value);
  bool erase(ByteView key);  // true when it was there

  // f(ByteView key, ByteView value), by byte order of the keys. The store is not touched meanwhile.
  template <class F>
  void for_each(F f) const {
    visit(Visit<ByteView, ByteView>(f));
  }
  std::size_t count() const { return count_; }

  Bytes memory() const;  // all of it, by capacity
  // Over the budget with nothing left that spilling would help.
  bool full() const;
  // Options that cannot work, or the first disk error. What was asked of the store since then may
  // have been answered wrongly: nothing of the step may be committed.
  const Result<void>& trouble() const { return trouble_; }

  // Where to spill; once, before load() and everything else, and `checkpoint` outlives the use of
  // the store. A store that does not spill works without. A budget too small is trouble from here.
  void open(Checkpoint& checkpoint);
  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  using Partition = TieredTable<KeyTable>;

  std::uint64_t hash(ByteView key) const;
  Partition& partition_of(std::uint64_t hash) { return partitions_[hash & partition_mask_]; }
  const Partition& partition_of(std::uint64_t hash) const {
    return partitions_[hash & partition_mask_];
  }
  std::optional<ByteView> spilled_value(const Partition& partition, ByteView key,
                                        std::uint64_t hash) const;
  std::size_t table_bytes() const;
  void make_room();
  void spill(Partition& partition, SpillPlace& place);
  void make_partitions(std::size_t count);
  void visit(Visit<ByteView, ByteView> f) const;

  KeyValueStoreOptions options_;
  std::uint64_t seed_;  // as stored, which may be from an earlier start
  std::vector<Partition> partitions_;
  std::uint64_t partition_mask_ = 0;
  std::size_t count_ = 0;
  std::size_t partition_bytes_ = 0;  // sum of their memory()
  std::size_t next_spilled_ = 0;     // the partition whose turn it is
  std::shared_ptr<RunFiles> run_files_;
  mutable Buffer block_;  // of the run read last
  mutable Result<void> trouble_;
};

}  // namespace adbrook::state
