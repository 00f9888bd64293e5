// Rows that stay open for a window of event time (the parents of a join), each with the list of its
// children, and handed out once, exactly by time, when the watermark closes them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"
#include "state/chunked_array.h"
#include "state/time_buckets.h"
#include "state/window_order.h"

namespace adbrook::state {

// A row's place; it fits SeenStore's link. Meaningful until the row was taken.
using WindowRef = std::uint32_t;

struct WindowChild {
  Timestamp time;
  Uuid id;
  friend constexpr auto operator<=>(const WindowChild&, const WindowChild&) = default;
};

// Owned by one thread. Row is a plain struct, saved as its bytes. `bucket` (at most 49 days; about
// a 64th of the window is good) changes memory, never an answer.
template <class Row>
class WindowStore {
  static_assert(std::is_trivially_copyable_v<Row>);

 public:
  explicit WindowStore(Millis bucket) : buckets_(bucket) {
    ADBROOK_ASSERT(bucket > Millis(0) && bucket.count() <= 0xFFFFFFFFll,
                   "a window's bucket is between 1 ms and 49 days");
  }

  WindowRef add(Timestamp time, const Row& row);

  // The row that `add(time, …)` gave `ref` for, or nullptr when it was taken. Who asks only for
  // rows whose window is open always gets one. Valid until the next take_closed().
  const Row* find(Timestamp time, WindowRef ref) const;
  // The same, to change the row: it will be in the next checkpoint.
  Row* change(Timestamp time, WindowRef ref);

  // The row must not be taken yet.
  void add_child(Timestamp time, WindowRef ref, const WindowChild& child);
  // The smallest child by (time, id); nullptr without children.
  const WindowChild* first_child(Timestamp time, WindowRef ref) const;

  // Hands out and removes every row with time <= limit, ordered by (time, insertion):
  // f(Timestamp time, WindowRef ref, const Row& row, std::span<const WindowChild> children), the
  // children ordered by (time, id). `f` must not call this store. Returns how many.
  template <class F>
  std::size_t take_closed(Timestamp limit, F&& f);

  std::size_t count() const { return count_; }
  Bytes memory() const;  // all of it, by capacity

  // Refs mean the same after load().
  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  static constexpr std::uint32_t kStoreVersion = 1;
  static constexpr std::size_t kChunkRows = 16;
  static constexpr std::size_t kAhead = 24;  // rows between a prefetch and their use
  static constexpr std::size_t kSpareChunksMin = 256;
  static constexpr std::size_t kAllocationHead = 16;
  static constexpr std::uint32_t kChunkNumberMax = (1u << 28) - 1;
  // Values of Slot::children besides the index of the first one.
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  static constexpr std::uint32_t kTaken = 0xFFFFFFFEu;  // also: never filled

  struct Bucket;
  struct Slot {
    Row row;
    std::uint32_t delta;  // ms since the bucket's start
    std::uint32_t children;
  };
  struct Chunk {
    Bucket* bucket = nullptr;
    std::uint32_t number = 0;  // its index in chunks_, the upper part of a ref
    Slot slots[kChunkRows];
  };
  struct Bucket {
    Timestamp start;
    std::uint32_t count = 0;
    std::uint32_t taken = 0;
    bool dirty = true;
    bool sorted = false;         // `order` has been made
    std::vector<Chunk*> chunks;  // owned by chunks_
    std::vector<WindowKey> order;
    std::size_t order_next = 0;
    std::vector<WindowKey> late;  // a heap of what came after `order` was made
  };
  struct ChildNode {
    WindowChild child;
    std::uint32_t next;
  };

  static Slot& slot_of(const Bucket& bucket, std::uint32_t index) {
    return bucket.chunks[index / kChunkRows]->slots[index % kChunkRows];
  }
  static WindowRef ref_of(const Bucket& bucket, std::uint32_t index) {
    return static_cast<WindowRef>(bucket.chunks[index / kChunkRows]->number * kChunkRows +
                                  index % kChunkRows);
  }
  Slot* find_slot(Timestamp time, WindowRef ref) const;
  Chunk* new_chunk(Bucket& bucket);
  Chunk* place_chunk(std::uint32_t number, Bucket& bucket);
  void free_bucket(Bucket& bucket);
  std::uint32_t new_child(const WindowChild& child, std::uint32_t next);
  void sort(Bucket& bucket);
  static WindowKey next_key(const Bucket& bucket);
  static void pop_key(Bucket& bucket);
  void collect_children(Slot& slot);
  Buffer encode(const Bucket& bucket) const;
  bool decode(ByteView bytes, Bucket& bucket, std::uint32_t count);
  bool decode_children(BlobReader& reader, Slot& slot);
  void clear(Millis bucket_size);

  TimeBuckets<Bucket> buckets_;
  std::vector<std::unique_ptr<Chunk>> chunks_;  // nullptr: a free number without memory
  std::vector<std::uint32_t> spare_chunks_;     // free numbers with memory
  std::vector<std::uint32_t> free_numbers_;     // without
  ChunkedArray<ChildNode, 256> children_;
  std::uint32_t free_child_ = kNone;
  std::vector<WindowChild> collected_;
  std::vector<WindowKey> scratch_;
  std::vector<WindowKey> spare_order_;
  std::size_t count_ = 0;
};

}  // namespace adbrook::state

#include "state/window_store_body.h"
