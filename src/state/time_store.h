// Bytes by key, event time and sequence, for windows, sessions and the buffers of joins. Entries
// lie in buckets of event time, which expire whole; a bucket is small enough to be rewritten at
// once.
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
#include "base/time.h"
#include "state/budget.h"
#include "state/tiered_table.h"
#include "state/time_buckets.h"
#include "state/time_table.h"
#include "state/visit.h"

namespace adbrook::state {

class BlobReader;
class Checkpoint;

struct TimeStoreOptions {
  Bytes budget = 256_MiB;  // of memory, counted by capacity
  OverBudget over_budget = OverBudget::wait;
  std::uint64_t hash_seed = 0;               // secret; changes no answer
  Millis bucket = std::chrono::minutes(10);  // 1 ms to 49 days; changes no answer
};

// Owned by one thread. Keys and values have less than 128 MiB each. An entry below the limit of
// expire() is there for nobody: what is added below it is dropped. Bytes given to a member do not
// lie in the store.
class TimeStore {
 public:
  explicit TimeStore(TimeStoreOptions options = {});

  // One more entry of (key, time): the sequence after the highest there is, from 0.
  void add(ByteView key, Timestamp time, ByteView value);
  // Those without a sequence speak of sequence 0. What a view or span points to is good until the
  // next call of any member.
  std::optional<ByteView> get(ByteView key, Timestamp time) const;
  // The value to change in place: as it was when it had that size, else zeroed. Aligned to 8.
  std::span<std::byte> upsert(ByteView key, Timestamp time, std::size_t size);
  void put(ByteView key, Timestamp time, ByteView value);
  // True when it was there.
  bool erase(ByteView key, Timestamp time, std::uint32_t sequence = 0);

  // f(Timestamp, std::uint32_t sequence, ByteView value) for the key's entries from `first` to
  // `last`, both included, by time and sequence. The store is not touched meanwhile.
  template <class F>
  void fetch(ByteView key, Timestamp first, Timestamp last, F f) const {
    visit_key(key, first, last, Visit<Timestamp, std::uint32_t, ByteView>(f));
  }
  // f(ByteView key, Timestamp, std::uint32_t sequence, ByteView value) for all from `first` to
  // `last`, both included, by time, then bytes of the key, then sequence. Reads whole buckets. The
  // store is not touched meanwhile.
  template <class F>
  void for_each(Timestamp first, Timestamp last, F f) const {
    visit(first, last, Visit<ByteView, Timestamp, std::uint32_t, ByteView>(f));
  }

  // Entries below `before` are gone for every reader from now on; the limit never goes back. Whole
  // buckets are freed, nothing is searched.
  void expire(Timestamp before);
  // Entries held. Those that expire() has hidden count until their bucket is freed.
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
  struct Bucket : TieredTable<TimeTable> {
    Timestamp start;
  };
  using KeyVisit = Visit<Timestamp, std::uint32_t, ByteView>;
  using EntryVisit = Visit<ByteView, Timestamp, std::uint32_t, ByteView>;

  std::uint64_t hash(ByteView key) const;
  Bucket& bucket_at(Timestamp time);
  static Moment moment_in(const Bucket& bucket, Timestamp time, std::uint32_t sequence = 0) {
    return {static_cast<std::uint32_t>((time - bucket.start).count()), sequence};
  }
  std::span<std::byte> set(Bucket& bucket, ByteView key, std::uint64_t hash, Moment moment,
                           std::size_t size);
  std::uint32_t next_sequence(const Bucket& bucket, ByteView key, std::uint64_t hash,
                              std::uint32_t delta) const;
  std::optional<ByteView> spilled_value(const Bucket& bucket, ByteView key, std::uint64_t hash,
                                        Moment moment) const;
  std::uint32_t find(const Bucket& bucket, ByteView key, std::uint64_t hash, Moment moment) const;
  std::size_t table_bytes() const;
  void make_room();
  void spill(Bucket& bucket, SpillPlace& place);
  // The bucket's part of [first, last], without what has expired; nothing when there is none.
  struct Deltas {
    std::uint32_t first, last;
  };
  std::optional<Deltas> deltas_in(const Bucket& bucket, Timestamp first, Timestamp last) const;
  template <class F>
  void for_buckets(Timestamp first, Timestamp last, F f) const;
  void visit_key(ByteView key, Timestamp first, Timestamp last, KeyVisit f) const;
  void visit(Timestamp first, Timestamp last, EntryVisit f) const;
  void fetch_from_table(const Bucket& bucket, ByteView key, std::uint64_t hash, Deltas deltas,
                        KeyVisit f) const;
  MergedEntries entries_of(const Bucket& bucket, ByteView key, std::uint64_t hash,
                           std::uint32_t first_delta) const;
  void fetch_merged(const Bucket& bucket, ByteView key, std::uint64_t hash, Deltas deltas,
                    KeyVisit f) const;
  void visit_bucket(const Bucket& bucket, Deltas deltas, EntryVisit f) const;
  void keep_error(const Result<void>& done) const {
    if (trouble_ && !done) trouble_ = done;
  }
  Result<void> load_bucket(const Checkpoint& checkpoint, std::string_view name, BlobReader& meta,
                           Buffer& scratch);

  TimeStoreOptions options_;
  std::uint64_t seed_;                     // as stored, which may be from an earlier start
  mutable TimeBuckets<Bucket> buckets_;    // looking one up makes it be found faster
  Timestamp limit_ = Timestamp::lowest();  // of expire()
  std::size_t count_ = 0;
  std::size_t bucket_bytes_ = 0;              // sum of their memory()
  mutable std::vector<std::uint32_t> chain_;  // of one fetch()
  Buffer dropped_;                            // what upsert() gives below the limit
  std::shared_ptr<RunFiles> run_files_;
  mutable Buffer block_;  // of the run read last
  mutable Result<void> trouble_;
};

}  // namespace adbrook::state
