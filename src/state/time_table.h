// Entries of bytes by key, time and sequence in memory: what a bucket of a TimeStore holds of its
// own. Knows what changed since it was last written, so that a checkpoint writes only that.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "state/byte_arena.h"
#include "state/key_index.h"
#include "state/moment.h"
#include "state/visit.h"

namespace adbrook::state {

// Owned by one thread. Keys and entries are named by handles, good until the next tidy(); an entry
// also only until the next set() of the same one. A gone entry says that it is erased, also where
// older places still have it.
class TimeTable {
 public:
  static constexpr std::uint32_t kNone = ByteArena::kNone;

  // kNone when the key is not there.
  std::uint32_t find_key(ByteView key, std::uint64_t hash) const;
  // The newest entry of a key and the one before an entry, gone ones included; kNone at the end.
  std::uint32_t newest(std::uint32_t key) const { return key_head(key).newest; }
  std::uint32_t older(std::uint32_t entry) const { return entry_head(entry).older; }
  // The key's entry of this moment, gone or not, or kNone.
  std::uint32_t find(std::uint32_t key, Moment moment) const;

  ByteView key_bytes(std::uint32_t key) const {
    return {arena_.at(key) + sizeof(KeyHead), key_head(key).size};
  }
  Moment moment(std::uint32_t entry) const { return entry_head(entry).moment; }
  bool gone(std::uint32_t entry) const { return (entry_head(entry).value & kGone) != 0; }
  std::span<std::byte> value(std::uint32_t entry) const {
    return {arena_.at(entry) + sizeof(EntryHead), value_size(entry_head(entry))};
  }

  // The entry of this key and moment, no longer gone, with a value of `size` bytes: as it was when
  // it had that size already, else zeroed. A key has at most 128 MiB, a value too.
  std::uint32_t set(ByteView key, std::uint64_t hash, Moment moment, std::size_t size);
  // Leaves a gone entry behind when `shadows`: an older place may still have it.
  void erase(ByteView key, std::uint64_t hash, Moment moment, bool shadows);

  std::size_t count() const { return count_; }  // of entries that are not gone
  std::size_t entry_count() const { return entry_count_; }
  std::size_t key_count() const { return index_.count(); }
  std::size_t memory() const { return arena_.memory() + index_.memory(); }
  std::size_t encoded_size() const { return live_bytes_; }
  std::size_t used() const { return arena_.used(); }  // bytes of records, gone ones included

  // Drops what nobody needs, when that is more than half; gone entries stay when `shadows`. `seed`
  // is that of the hashes that keys are given with.
  void tidy(bool shadows, std::uint64_t seed) {
    if (garbage_ * 2 > arena_.used() && garbage_ > kGarbageMin) rebuild(shadows, seed);
  }
  // f(key), in no order, also those whose entries were all unlinked.
  template <class F>
  void for_each_key(F f) const {
    index_.for_each(f, [&](std::uint32_t key) { arena_.prefetch(key); });
  }
  // f(key, entry), every one, gone ones included, in no order.
  template <class F>
  void for_each(F f) const {
    for_each_key([&](std::uint32_t key) {
      for (std::uint32_t at = newest(key); at != kNone; at = older(at)) f(key, at);
    });
  }

  // What a checkpoint holds of the table: each entry as u32 key size (bit 31: gone), u32 value
  // size, u32 ms since the bucket's start, u32 sequence, key, value; a later one takes the place of
  // an earlier one. after_each() comes behind every one, and may take what `to` has by then.
  bool changed() const { return changed_; }
  // At least what append_changes() would write, and more by what it would not.
  std::size_t changed_size() const { return changed_bytes_; }
  void append_all(Buffer& to, bool shadows, Visit<> after_each);
  void append_changes(Buffer& to, Visit<> after_each);
  // Fills an empty table with what append_*() wrote and takes it for saved; false when it is not
  // that.
  bool load(ByteView bytes, const EncodedRules& rules);

 private:
  struct KeyHead {
    std::uint32_t newest;
    std::uint32_t size;
  };
  struct EntryHead {
    std::uint32_t older;
    Moment moment;
    std::uint32_t value;  // its size, and the flags
  };
  static constexpr std::uint32_t kSizeMax = (1u << 27) - 1;
  static constexpr std::uint32_t kChanged = 1u << 27;  // since the last append
  static constexpr std::uint32_t kSaved = 1u << 28;    // what was appended has the entry
  static constexpr std::uint32_t kGone = 1u << 29;
  static constexpr std::uint32_t kErasedBit = 1u << 31;
  static constexpr std::size_t kGarbageMin = 1024;

  KeyHead key_head(std::uint32_t key) const {
    KeyHead head;
    std::memcpy(&head, arena_.at(key), sizeof head);
    return head;
  }
  EntryHead entry_head(std::uint32_t entry) const {
    EntryHead head;
    std::memcpy(&head, arena_.at(entry), sizeof head);
    return head;
  }
  void put(std::uint32_t at, EntryHead head) { std::memcpy(arena_.at(at), &head, sizeof head); }
  static std::size_t value_size(EntryHead head) { return head.value & kSizeMax; }
  static std::size_t entry_size(EntryHead head) {
    return sizeof(EntryHead) + padded(value_size(head));
  }
  std::size_t encoded_size(std::uint32_t key, EntryHead head) const {
    return 4 * sizeof(std::uint32_t) + key_head(key).size + value_size(head);
  }

  struct Position {
    std::uint32_t newer;  // the entry behind which the moment lies or belongs; kNone: the newest
    std::uint32_t found;  // kNone: it is not there
    std::uint32_t older;  // what follows `newer`
  };
  Position position_of(std::uint32_t key, Moment moment) const;
  void link(std::uint32_t key, std::uint32_t newer, std::uint32_t entry);
  std::uint32_t find_or_add_key(ByteView key, std::uint64_t hash);
  std::uint32_t add_key(ByteView key, std::uint64_t hash);
  std::uint32_t new_entry(std::uint32_t key, Position position, Moment moment, std::size_t size);
  std::uint32_t revalued(std::uint32_t key, Position position, std::size_t size);
  void touch(std::uint32_t key, std::uint32_t entry);
  void append_entry(Buffer& to, std::uint32_t key, std::uint32_t entry) const;
  void rebuild(bool shadows, std::uint64_t seed);
  struct Encoded;
  static bool take_encoded(ByteView& bytes, Encoded& one);
  void load_one(const Encoded& one, bool shadows);
  void mark_saved();
  void copy_chain(const TimeTable& from, std::uint32_t key, std::uint64_t hash, bool shadows);

  ByteArena arena_;
  KeyIndex index_;
  std::size_t count_ = 0;
  std::size_t entry_count_ = 0;
  std::size_t garbage_ = 0;        // bytes of the arena
  std::size_t live_bytes_ = 0;     // encoded
  std::size_t changed_bytes_ = 0;  // encoded, of what was touched since the last append
  bool changed_ = false;
};

}  // namespace adbrook::state
