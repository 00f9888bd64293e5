// Children that wait for a parent nobody has seen yet, as their encoded bytes: found again by the
// parent's id, or handed out when their time has passed.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "state/chunked_array.h"

namespace adbrook::state {

class Checkpoint;

struct PendingOptions {
  Bytes budget = 64_MiB;
  std::uint64_t hash_seed = 0;  // secret; changes no answer
};

// Owned by one thread. The callbacks of the take functions must not call this store.
class PendingStore {
 public:
  explicit PendingStore(PendingOptions options = {});

  // Copies the payload. Always succeeds, so that a batch that was begun can end; an owner that
  // finds full() between two batches stops taking input.
  void add(Uuid parent, Timestamp due, ByteView payload);

  // Hands out and removes what waits for `parent`, in the order it was added:
  // f(Timestamp due, ByteView payload). The payload is valid during the call. Returns how many.
  template <class F>
  std::size_t take(Uuid parent, F&& f);

  // Hands out and removes what the watermark has passed (due < watermark), ordered by
  // (due, insertion): f(Uuid parent, Timestamp due, ByteView payload). Returns how many.
  template <class F>
  std::size_t take_passed(Timestamp watermark, F&& f);

  std::size_t count() const { return count_; }
  Bytes memory() const;
  bool full() const { return memory() >= options_.budget; }

  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  struct Entry {
    Uuid parent;
    Timestamp due;
    std::uint64_t sequence;       // 0: free
    std::uint32_t before, after;  // in the parent's list; a free entry uses `after`
    std::uint32_t first_block;
    std::uint32_t payload_size;
  };
  struct Block {  // a piece of a payload
    static constexpr std::size_t kBytes = 60;
    std::uint32_t next;
    std::byte bytes[kBytes];
  };
  struct Due {
    Timestamp due;
    std::uint64_t sequence;
    std::uint32_t entry;
  };
  struct Slot {  // 0 entries waiting: first == kNone
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };

  std::size_t slot_of(Uuid parent) const;
  void grow_slots();
  void free_slot(std::size_t slot);
  void link(std::uint32_t entry);
  void unlink(std::uint32_t entry);
  std::uint32_t store_payload(ByteView payload);
  ByteView gather(const Entry& entry);
  void release(std::uint32_t entry);
  void push_due(Due due);
  bool pop_passed(Timestamp watermark, Due& due);
  void give_back_when_empty();

  PendingOptions options_;
  ChunkedArray<Entry, 256> entries_;
  ChunkedArray<Block, 1024> blocks_;
  std::uint32_t free_entry_ = kNone;
  std::uint32_t free_block_ = kNone;
  std::vector<Slot> slots_;  // open addressing by the parent of the first entry
  std::size_t parents_ = 0;
  std::vector<Due> heap_;  // by (due, sequence); may hold what was taken by parent
  std::uint64_t next_sequence_ = 1;
  std::size_t count_ = 0;
  Buffer gathered_;
  bool dirty_ = false;
};

}  // namespace adbrook::state
