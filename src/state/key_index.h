// An open-addressing hash index from 64-bit hashes to 32-bit handles. Half of the hash lies in the
// slot: growing and removing read no key.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "state/slot_array.h"

namespace adbrook::state {

// Owned by one thread. Handles are not 0.
class KeyIndex {
 public:
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  // The place of the handle with this hash for which same(handle) holds, or kNowhere.
  template <class Same>
  std::size_t find(std::uint64_t hash, Same same) const {
    if (slots_.size() == 0) return kNowhere;
    const std::uint64_t tag = hash >> 32;
    for (std::size_t at = home(tag); slots_[at] != 0; at = next(at))
      if (slots_[at] >> 32 == tag && same(handle_at(at))) return at;
    return kNowhere;
  }
  std::uint32_t handle_at(std::size_t place) const {
    return static_cast<std::uint32_t>(slots_[place]);
  }
  void set_handle(std::size_t place, std::uint32_t handle) {
    slots_[place] = slots_[place] >> 32 << 32 | handle;
  }

  // Adds one that is not there.
  void insert(std::uint64_t hash, std::uint32_t handle) {
    if ((count_ + 1) * 4 > slots_.size() * 3) resize(std::max(kSlotsMin, count_ * 2));
    place(hash >> 32 << 32 | handle);
    ++count_;
  }

  // What lies behind moves up, so that no slot is wasted.
  void remove(std::size_t gap) {
    for (std::size_t at = next(gap); slots_[at] != 0; at = next(at)) {
      if (distance(slots_[at] >> 32, at) < distance(slots_[at] >> 32, gap)) continue;
      slots_[std::exchange(gap, at)] = slots_[at];
    }
    slots_[gap] = 0;
    --count_;
  }

  // Makes room for that many. Needed before many are added in order of their hashes: in an index
  // that is still small they would all lie in its first slots, one behind the other.
  void reserve(std::size_t count) {
    if (count * 4 > slots_.size() * 3) resize(count + count / 2 + kSlotsMin);
  }

  // Gives back room that reserve() made for more than came.
  void shrink() {
    if (slots_.size() > 2 * (count_ + kSlotsMin)) resize(count_ + count_ / 2 + kSlotsMin);
  }

  // f(handle), in no order. The index does not change meanwhile. soon(handle) comes some handles
  // before, to fetch what f reads.
  template <class F, class S>
  void for_each(F f, S soon) const {
    constexpr std::size_t kAhead = 24;
    for (std::size_t at = 0; at < slots_.size(); ++at) {
      const std::size_t later = at + kAhead;
      if (later < slots_.size() && slots_[later] != 0) soon(handle_at(later));
      if (slots_[at] != 0) f(handle_at(at));
    }
  }

  void prefetch(std::uint64_t hash) const {
    if (slots_.size() != 0) __builtin_prefetch(slots_.begin() + home(hash >> 32));
    // Without this gcc takes a function that only prefetches for one without effect and drops it.
    asm volatile("");
  }
  std::size_t count() const { return count_; }
  std::size_t memory() const { return slots_.memory(); }

 private:
  static constexpr std::size_t kSlotsMin = 8;

  // Multiplying instead of masking lets the index have any size, so that it need not double; homes
  // grow with the tags, so that a larger index is filled from one end to the other.
  std::size_t home(std::uint64_t tag) const { return (tag * slots_.size()) >> 32; }
  std::size_t next(std::size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }
  std::size_t distance(std::uint64_t tag, std::size_t at) const {
    const std::size_t from = home(tag);
    return at >= from ? at - from : at + slots_.size() - from;
  }
  void place(std::uint64_t slot) {
    std::size_t at = home(slot >> 32);
    while (slots_[at] != 0) at = next(at);
    slots_[at] = slot;
  }
  void resize(std::size_t size) {
    const SlotArray old = std::exchange(slots_, SlotArray(size));
    for (std::size_t at = 0; at < old.size(); ++at)
      if (old[at] != 0) place(old[at]);
  }

  SlotArray slots_;
  std::size_t count_ = 0;
};

// How a table reads back what it wrote into a checkpoint.
struct EncodedRules {
  bool shadows;                  // gone records stay: an older place may still have the key
  std::uint64_t seed;            // of the keys' hashes
  std::int64_t bucket_size = 1;  // times are below it, in ms
};

// How many records lie one behind the other in `bytes`, each a head of `head_size` bytes that
// begins with the sizes of its key (31 bits) and of its value. Stops where they do not fit.
inline std::size_t count_encoded(ByteView bytes, std::size_t head_size) {
  std::size_t count = 0;
  while (bytes.size() >= head_size) {
    const std::uint64_t size = head_size +
                               std::uint64_t{load_le<std::uint32_t>(bytes.data()) << 1 >> 1} +
                               load_le<std::uint32_t>(bytes.data() + 4);
    if (size > bytes.size()) break;
    bytes = bytes.subspan(size);
    ++count;
  }
  return count;
}

}  // namespace adbrook::state
