// The ids of the last horizon of event time: is this one new, and if not, when did it happen.
// Entries lie in event-time buckets that are freed whole; one hash index leads into all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "state/slot_array.h"
#include "state/time_buckets.h"

namespace adbrook::state {

class Checkpoint;

struct SeenOptions {
  Millis horizon = std::chrono::hours(24);
  Millis bucket{0};             // 0: horizon / 24; changes memory, never an answer
  std::uint64_t hash_seed = 0;  // secret; changes no answer
};

// Which entry; valid until the next expire() or load().
struct SeenRef {
  std::uint32_t bucket = 0;
  std::uint32_t index = 0;
};

struct Seen {
  Timestamp time;
  std::uint32_t link = 0;  // the owner's: a WindowStore row, or anything else
  bool excluded = false;
  SeenRef ref;
};

// Owned by one thread. The watermarks given to it never go back.
class SeenStore {
 public:
  static constexpr std::uint32_t kNoLink = 0xFFFFFFFFu;

  explicit SeenStore(SeenOptions options);

  // Loads the index line of `id`; worth it about ten ids or more ahead of the look-up.
  void prefetch(Uuid id) const {
    __builtin_prefetch(slots_.begin() + home_of(hash(id)), 1);
    // Without this gcc takes a function that only prefetches for one without effect and drops it.
    asm volatile("");
  }

  // The entry of `id` if watermark <= its time + horizon.
  std::optional<Seen> find(Uuid id, Timestamp watermark) const;

  struct Inserted {
    Seen seen;  // the entry that is there now: the older one, or the new one
    bool is_new;
  };
  // One look-up for the question and the answer: an id that find() would not give is added.
  Inserted find_or_insert(Uuid id, Timestamp time, Timestamp watermark);

  void set_link(SeenRef ref, std::uint32_t link);
  void set_excluded(SeenRef ref);

  // Frees the buckets none of whose entries find() could give any more.
  void expire(Timestamp watermark);

  std::size_t count() const { return count_; }  // entries held, also those past their horizon
  Bytes memory() const;                         // all of it, by capacity

  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  struct Entry {
    Uuid id;
    std::uint32_t when;  // ms since the bucket's start (30 bits), the excluded bit on top
    std::uint32_t link;
  };
  static_assert(sizeof(Entry) == 24);
  static constexpr std::uint32_t kWhenMask = (1u << 30) - 1;
  static constexpr std::uint32_t kExcluded = 1u << 31;
  static constexpr std::size_t kChunkEntries = 256;
  struct Chunk {
    Entry entries[kChunkEntries];
  };
  struct Bucket {
    Timestamp start;
    Timestamp newest = Timestamp::lowest();
    std::uint32_t number = 0;  // index in numbered_, part of the slots that lead here
    std::uint32_t count = 0;
    std::uint32_t saved_count = 0;    // entries the last checkpoint holds
    bool saved_part_changed = false;  // one of those was changed since
    std::vector<std::unique_ptr<Chunk>> chunks;
  };

  Bucket& bucket_for(Timestamp time);
  Bucket& adopt(Bucket& bucket, Timestamp start);
  static Entry& entry_of(const Bucket& bucket, std::uint32_t index) {
    return bucket.chunks[index / kChunkEntries]->entries[index % kChunkEntries];
  }
  static Timestamp time_of(const Bucket& bucket, const Entry& entry) {
    return bucket.start + Millis(entry.when & kWhenMask);
  }
  static Seen seen_of(const Bucket& bucket, std::uint32_t index) {
    const Entry& entry = entry_of(bucket, index);
    return {
        time_of(bucket, entry), entry.link, (entry.when & kExcluded) != 0, {bucket.number, index}};
  }
  bool alive(Timestamp time, Timestamp watermark) const {
    return watermark <= time + options_.horizon;
  }
  std::uint64_t hash(Uuid id) const { return seeded_hash(id, options_.hash_seed); }
  // Multiplying instead of masking lets the index have any size, so that it need not double.
  std::size_t home_of(std::uint64_t hash) const {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(hash) * slots_.size()) >> 64);
  }
  std::size_t next(std::size_t slot) const { return slot + 1 == slots_.size() ? 0 : slot + 1; }
  std::uint32_t append(Bucket& bucket, Timestamp time, const Entry& entry);
  Entry& changed(SeenRef ref);
  void rebuild_index();
  void renumber();
  void add_to_index(const Bucket& bucket);
  void place(std::uint64_t hash, const Bucket& bucket, std::uint32_t index);
  void expire_in(TimeBuckets<Bucket>& buckets, Timestamp watermark);
  void clear();
  static std::string bucket_blob(std::string_view name, Millis size, Timestamp start);
  void save_bucket(Checkpoint& checkpoint, const std::string& blob, Bucket& bucket);
  Result<void> load_bucket(const Checkpoint& checkpoint, std::string_view name, Millis size,
                           Timestamp start, std::uint32_t count);

  SeenOptions options_;
  TimeBuckets<Bucket> fine_;
  TimeBuckets<Bucket> coarse_;     // for outliers, when there are very many fine ones
  std::vector<Bucket*> numbered_;  // nullptr: freed since the index was built; 0 is not used
  bool has_freed_numbers_ = false;

  SlotArray slots_;
  std::size_t used_slots_ = 0;  // also those that lead into freed buckets
  std::size_t count_ = 0;
  Timestamp watermark_ = Timestamp::lowest();
  Timestamp next_expiry_ = Timestamp::highest();
  std::vector<std::unique_ptr<Chunk>> spare_chunks_;
  std::size_t chunk_count_ = 0;
};

}  // namespace adbrook::state
