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
    std::uint64_t sequence;       // of its insertion; 0: free
    std::uint32_t before, after;  // in the parent's list; of a free entry: `after` only
    std::uint32_t first_block;
    std::uint32_t payload_size;
  };
  // A piece of a payload: pieces of one size leave no holes that do not fit the next one.
  struct Block {
    static constexpr std::size_t kSize = 60;
    std::uint32_t next;
    std::byte bytes[kSize];
  };
  struct Due {
    Timestamp due;
    std::uint64_t sequence;
    std::uint32_t entry;
    friend bool operator>(const Due& a, const Due& b) {
      return a.due != b.due ? a.due > b.due : a.sequence > b.sequence;
    }
  };
  // The children of one parent; empty when `first` is kNone.
  struct Slot {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };

  std::size_t home_of(Uuid parent) const;
  std::size_t slot_of(Uuid parent) const;
  void grow_slots();
  void free_slot(std::size_t slot);
  void link(std::uint32_t index);
  void unlink(const Entry& entry);
  std::uint32_t new_entry();
  std::uint32_t new_block();
  void store_payload(Entry& entry, ByteView payload);
  ByteView take_payload(const Entry& entry);
  void release(std::uint32_t index);
  bool is_waiting(const Due& due) const { return entries_[due.entry].sequence == due.sequence; }
  std::uint32_t next_passed(Timestamp watermark);
  void drop_stale_dues();
  void shrink_when_empty();
  void clear();

  PendingOptions options_;
  ChunkedArray<Entry, 256> entries_;
  ChunkedArray<Block, 1024> blocks_;
  std::uint32_t free_entry_ = kNone;
  std::uint32_t free_block_ = kNone;
  std::vector<Slot> slots_;  // open addressing; their count is a power of two
  std::size_t parent_count_ = 0;
  std::vector<Due> heap_;  // the next due first; also of entries that were taken by their parent
  std::uint64_t next_sequence_ = 1;
  std::size_t count_ = 0;
  Buffer payload_;  // the one being handed out
  bool dirty_ = true;
};

template <class F>
std::size_t PendingStore::take(Uuid parent, F&& f) {
  if (count_ == 0) return 0;
  const std::size_t slot = slot_of(parent);
  std::uint32_t index = slots_[slot].first;
  if (index == kNone) return 0;
  free_slot(slot);
  std::size_t taken = 0;
  for (; index != kNone; ++taken) {
    const Entry entry = entries_[index];
    const ByteView payload = take_payload(entry);
    release(index);
    f(entry.due, payload);
    index = entry.after;
  }
  drop_stale_dues();
  shrink_when_empty();
  return taken;
}

template <class F>
std::size_t PendingStore::take_passed(Timestamp watermark, F&& f) {
  std::size_t taken = 0;
  for (std::uint32_t index; (index = next_passed(watermark)) != kNone; ++taken) {
    const Entry entry = entries_[index];
    const ByteView payload = take_payload(entry);
    unlink(entry);
    release(index);
    f(entry.parent, entry.due, payload);
  }
  if (taken > 0) shrink_when_empty();
  return taken;
}

}  // namespace adbrook::state
