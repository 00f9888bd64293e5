// The ids of the last horizon of event time: is this one new, and if not, when did it happen.
// Entries lie in event-time buckets that are freed whole; one hash index leads into all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
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
  void prefetch(Uuid id) const;

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
  Bucket& adopt(Bucket& bucket);
  static Entry& entry_of(const Bucket& bucket, std::uint32_t index) {
    return bucket.chunks[index / kChunkEntries]->entries[index % kChunkEntries];
  }
  Seen seen_of(const Bucket& bucket, std::uint32_t index) const;
  bool alive(const Bucket& bucket, const Entry& entry, Timestamp watermark) const;
  std::uint32_t append(Bucket& bucket, const Entry& entry);
  void rebuild_index();
  void add_to_index(const Bucket& bucket, std::uint32_t first, std::uint32_t count);
  void free_bucket(Bucket& bucket);

  SeenOptions options_;
  TimeBuckets<Bucket> fine_;
  TimeBuckets<Bucket> coarse_;  // for outliers, when there are very many fine ones
  std::vector<Bucket*> numbered_;
  std::uint32_t next_number_ = 1;

  std::unique_ptr<std::uint64_t[]> slots_;
  std::size_t slot_count_ = 0;
  std::size_t used_slots_ = 0;  // also those that lead into freed buckets
  std::size_t count_ = 0;
  Timestamp watermark_ = Timestamp::lowest();
  Timestamp next_expiry_ = Timestamp::highest();
  std::vector<std::unique_ptr<Chunk>> spare_chunks_;
  std::size_t chunk_count_ = 0;
};

}  // namespace adbrook::state
