// Keys and values of bytes in memory: what a partition of a KeyValueStore holds of its own. Knows
// what changed since it was last written, so that a checkpoint writes only that.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "state/byte_arena.h"
#include "state/key_index.h"
#include "state/visit.h"

namespace adbrook::state {

// Owned by one thread. A record is named by its handle, which is good until the next set() or
// tidy(). A gone record says that its key is erased, also where older places still have it.
class KeyTable {
 public:
  static constexpr std::uint32_t kNone = ByteArena::kNone;
  static constexpr std::size_t kKeySizeMax = (1u << 27) - 1;

  // kNone when there is no record, not even a gone one.
  std::uint32_t find(ByteView key, std::uint64_t hash) const {
    const std::size_t place = place_of(key, hash);
    return place == KeyIndex::kNowhere ? kNone : index_.handle_at(place);
  }
  void prefetch(std::uint64_t hash) const { index_.prefetch(hash); }

  bool gone(std::uint32_t record) const { return (head(record).key & kGone) != 0; }
  ByteView key(std::uint32_t record) const {
    return {arena_.at(record) + sizeof(Head), key_size(head(record))};
  }
  std::span<std::byte> value(std::uint32_t record) const {
    const Head at = head(record);
    return {arena_.at(record) + sizeof(Head) + padded(key_size(at)), at.value_size};
  }

  // The record of `key`, no longer gone, with a value of `size` bytes: as it was when it had that
  // size already, else zeroed. A key has at most kKeySizeMax bytes, a value less than 2 GiB.
  std::uint32_t set(ByteView key, std::uint64_t hash, std::size_t size);
  // Marks the value as changed; value() may then be written to.
  void touch(std::uint32_t record);
  // Leaves a gone record behind when `shadows`: an older place may still have the key.
  void erase(ByteView key, std::uint64_t hash, bool shadows);

  std::size_t count() const { return count_; }  // of records that are not gone
  std::size_t record_count() const { return index_.count(); }
  std::size_t memory() const { return arena_.memory() + index_.memory(); }
  // Bytes that append_all() would write, about.
  std::size_t encoded_size() const { return live_bytes_; }
  std::size_t used() const { return arena_.used(); }  // bytes of records, gone ones included

  // Drops what nobody needs, when that is more than half; gone records stay when `shadows`. `seed`
  // is that of the hashes that keys are given with.
  void tidy(bool shadows, std::uint64_t seed) {
    if (garbage_ * 2 > arena_.used() && garbage_ > kGarbageMin) rebuild(shadows, seed);
  }
  // f(record), every one, gone ones included, in no order.
  template <class F>
  void for_each(F f) const {
    index_.for_each(f, [&](std::uint32_t record) { arena_.prefetch(record); });
  }

  // What a checkpoint holds of the table: each record as u32 key size (bit 31: gone), u32 value
  // size, key, value; a later one takes the place of an earlier one. after_each() comes behind
  // every one, and may take what `to` has by then.
  bool changed() const { return changed_; }
  // At least what append_changes() would write, and more by what it would not.
  std::size_t changed_size() const { return changed_bytes_; }
  void append_all(Buffer& to, bool shadows, Visit<> after_each);
  void append_changes(Buffer& to, Visit<> after_each);
  // Fills an empty table with what append_*() wrote and takes it for saved; false when it is not
  // that.
  bool load(ByteView bytes, const EncodedRules& rules);

 private:
  struct Head {
    std::uint32_t key;  // its size, and the flags
    std::uint32_t value_size;
  };
  static constexpr std::uint32_t kChanged = 1u << 27;  // since the last append
  static constexpr std::uint32_t kSaved = 1u << 28;    // what was appended has the key
  static constexpr std::uint32_t kGone = 1u << 29;
  static constexpr std::uint32_t kStale = 1u << 30;  // garbage: the index leads elsewhere
  static constexpr std::uint32_t kErasedBit = 1u << 31;
  static constexpr std::size_t kGarbageMin = 1024;

  Head head(std::uint32_t record) const {
    Head at;
    std::memcpy(&at, arena_.at(record), sizeof at);
    return at;
  }
  void set_head(std::uint32_t record, Head to) { std::memcpy(arena_.at(record), &to, sizeof to); }
  static std::size_t key_size(Head at) { return at.key & kKeySizeMax; }
  static std::size_t record_size(Head at) {
    return sizeof(Head) + padded(key_size(at)) + padded(at.value_size);
  }
  static std::size_t encoded_size(Head at) {
    return 2 * sizeof(std::uint32_t) + key_size(at) + at.value_size;
  }
  std::size_t place_of(ByteView key, std::uint64_t hash) const {
    return index_.find(hash, [&](std::uint32_t record) {
      const Head at = head(record);
      return key_size(at) == key.size() &&
             (key.empty() ||
              std::memcmp(arena_.at(record) + sizeof(Head), key.data(), key.size()) == 0);
    });
  }
  std::uint32_t new_record(ByteView key, std::size_t value_size);
  std::uint32_t resized(std::size_t place, ByteView key, std::size_t size);
  void append_record(Buffer& to, std::uint32_t record) const;
  void rebuild(bool shadows, std::uint64_t seed);
  struct Encoded;
  static bool take_encoded(ByteView& bytes, Encoded& one);
  void load_one(const Encoded& one, bool shadows);
  void mark_saved(std::uint32_t record);

  ByteArena arena_;
  KeyIndex index_;
  std::size_t count_ = 0;
  std::size_t garbage_ = 0;        // bytes of the arena
  std::size_t live_bytes_ = 0;     // encoded
  std::size_t changed_bytes_ = 0;  // encoded, of what was touched since the last append
  bool changed_ = false;
};

}  // namespace adbrook::state
