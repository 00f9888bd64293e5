// The last offset of each key in a part of a partition, in bounded memory. Keys are kept whole, so
// that no two are ever taken for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace adbrook::log {

// Owned by one thread.
class KeyOffsets {
 public:
  // `seed` is secret and random: nobody can make keys that fall together.
  KeyOffsets(Bytes limit, std::uint64_t seed)
      : limit_(static_cast<std::size_t>(limit.count)), seed_(seed) {}

  // False: there is no room for another key. The first one always has room, so that whoever goes on
  // with what is left comes to an end. Offsets of a key only grow.
  bool put(ByteView key, Offset offset);
  std::optional<Offset> find(ByteView key) const;

  std::size_t count() const { return count_; }
  // What it takes, also while it grows.
  std::size_t memory() const { return slots_.size() * sizeof(Slot) + keys_size_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t block = 0;  // of keys_
    std::uint32_t position = 0;
    Offset offset{-1};  // -1: free
  };

  ByteView key_of(const Slot& slot) const;
  std::size_t place_of(ByteView key, std::uint64_t hash) const;
  bool has_room(std::size_t key_size) const;
  void grow();
  void keep_key(ByteView key, Slot& slot);

  const std::size_t limit_;
  const std::uint64_t seed_;
  std::size_t count_ = 0;
  std::vector<Slot> slots_;  // a power of two, at most three quarters full
  // Keys one behind the other, each behind its u32 size; a block never moves.
  std::vector<Buffer> keys_;
  std::size_t keys_size_ = 0;
};

}  // namespace adbrook::log
