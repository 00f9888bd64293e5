// Bytes of records that never move: allocated one behind the other in chunks, found by a 32-bit
// handle, freed only all together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"

namespace adbrook::state {

// `size` rounded up to whole words: records begin at multiples of 8 bytes.
constexpr std::size_t padded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

// Owned by one thread. The first chunks are small, so that a nearly empty arena costs little.
class ByteArena {
 public:
  static constexpr std::uint32_t kNone = 0;

  // Room for `size` bytes, aligned to 8, not initialised. Never kNone.
  std::uint32_t allocate(std::size_t size) {
    const std::size_t room = padded(size);
    if (chunks_.empty() || chunks_.back().size - chunks_.back().used < room) add_chunk(room);
    Chunk& chunk = chunks_.back();
    const std::size_t at = chunk.used;
    chunk.used += room;
    used_ += room;
    return static_cast<std::uint32_t>((chunks_.size() - 1) << kOffsetBits | at / 8);
  }
  std::byte* at(std::uint32_t handle) const {
    return chunks_[handle >> kOffsetBits].bytes.get() + (handle & kOffsetMask) * 8;
  }

  // Of two cache lines, which is what a small record has.
  void prefetch(std::uint32_t handle) const {
    const std::byte* record = at(handle);
    __builtin_prefetch(record);
    __builtin_prefetch(record + 64);
  }

  // Calls f(handle) -> size of the record there, for each in order of allocation.
  template <class F>
  void for_each(F f) const {
    for (std::size_t number = 0; number < chunks_.size(); ++number) {
      const std::size_t used = chunks_[number].used;
      for (std::size_t at = number == 0 ? kHead : 0; at < used;)
        at += padded(f(static_cast<std::uint32_t>(number << kOffsetBits | at / 8)));
    }
  }

  std::size_t used() const { return used_; }  // bytes of records
  std::size_t memory() const {                // all of it, by capacity
    return room_ + chunks_.capacity() * sizeof(Chunk);
  }

 private:
  static constexpr int kOffsetBits = 13;
  static constexpr std::uint32_t kOffsetMask = (1u << kOffsetBits) - 1;
  static constexpr std::size_t kChunkMax = std::size_t{8} << kOffsetBits;  // 64 KiB
  static constexpr std::size_t kChunkMin = 256;
  static constexpr std::size_t kHead = 8;  // of the first chunk, so that no handle is kNone
  static constexpr std::size_t kAllocationHead = 16;

  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
    std::size_t used;
  };

  // A record that is larger than a chunk has one of its own.
  void add_chunk(std::size_t room) {
    const std::size_t doubled = chunks_.empty() ? kChunkMin : chunks_.back().size * 2;
    const std::size_t head = chunks_.empty() ? kHead : 0;
    const std::size_t size = std::max(std::min(doubled, kChunkMax), room + head);
    ADBROOK_ASSERT(chunks_.size() < std::size_t{1} << (32 - kOffsetBits),
                   "an arena holds less than 32 GiB");
    chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size, head});
    room_ += size + kAllocationHead;
  }

  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;
  std::size_t room_ = 0;
};

}  // namespace adbrook::state
