#include "state/key_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/copy_bytes.h"
#include "base/hash.h"

namespace adbrook::state {

namespace {

constexpr std::size_t kEncodedHeadSize = 2 * sizeof(std::uint32_t);
// Records whose places in the index are fetched at the same time.
constexpr std::size_t kLoadBatch = 16;

}  // namespace

struct KeyTable::Encoded {
  ByteView key, value;
  bool gone;
  std::uint64_t hash;
};

std::uint32_t KeyTable::new_record(ByteView key, std::size_t value_size) {
  const Head at{static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value_size)};
  const std::uint32_t record = arena_.allocate(record_size(at));
  set_head(record, at);
  if (!key.empty()) std::memcpy(arena_.at(record) + sizeof(Head), key.data(), key.size());
  std::ranges::fill(value(record), std::byte{0});
  return record;
}

std::uint32_t KeyTable::set(ByteView key, std::uint64_t hash, std::size_t size) {
  ADBROOK_ASSERT(key.size() <= kKeySizeMax && size < (std::size_t{1} << 31),
                 "a key in a store has at most 128 MiB, a value less than 2 GiB");
  const std::size_t place = place_of(key, hash);
  if (place == KeyIndex::kNowhere) {
    const std::uint32_t record = new_record(key, size);
    index_.insert(hash, record);
    ++count_;
    live_bytes_ += encoded_size(head(record));
    touch(record);
    return record;
  }
  const std::uint32_t old = index_.handle_at(place);
  const Head at = head(old);
  if ((at.key & kGone) == 0 && at.value_size == size) {
    touch(old);
    return old;
  }
  if ((at.key & kGone) == 0) {
    live_bytes_ -= encoded_size(at);
  } else {
    ++count_;
    garbage_ -= std::min(garbage_, record_size(at));
  }
  const std::uint32_t record = resized(place, key, size);
  live_bytes_ += encoded_size(head(record));
  touch(record);
  return record;
}

// Zeroed, and no longer gone.
std::uint32_t KeyTable::resized(std::size_t place, ByteView key, std::size_t size) {
  const std::uint32_t old = index_.handle_at(place);
  Head at = head(old);
  if (padded(at.value_size) == padded(size)) {
    at.key &= ~kGone;
    at.value_size = static_cast<std::uint32_t>(size);
    set_head(old, at);
    std::ranges::fill(value(old), std::byte{0});
    return old;
  }
  const std::uint32_t record = new_record(key, size);
  Head fresh = head(record);
  fresh.key |= at.key & kSaved;
  set_head(record, fresh);
  at.key |= kStale;
  set_head(old, at);
  garbage_ += record_size(at);
  index_.set_handle(place, record);
  return record;
}

void KeyTable::touch(std::uint32_t record) {
  Head at = head(record);
  if ((at.key & kChanged) == 0) changed_bytes_ += encoded_size(at);
  at.key |= kChanged;
  set_head(record, at);
  changed_ = true;
}

void KeyTable::erase(ByteView key, std::uint64_t hash, bool shadows) {
  const std::size_t place = place_of(key, hash);
  if (place == KeyIndex::kNowhere) {
    if (!shadows) return;
    const std::uint32_t record = new_record(key, 0);
    Head at = head(record);
    at.key |= kGone;
    set_head(record, at);
    index_.insert(hash, record);
    return touch(record);
  }
  const std::uint32_t record = index_.handle_at(place);
  Head at = head(record);
  if ((at.key & kGone) != 0) return;
  --count_;
  live_bytes_ -= encoded_size(at);
  const bool remembered = shadows || (at.key & kSaved) != 0;
  at.key |= remembered ? kGone : kStale;
  set_head(record, at);
  garbage_ += record_size(at);
  changed_ = true;
  if (remembered) return touch(record);
  index_.remove(place);
}

void KeyTable::append_record(Buffer& to, std::uint32_t record) const {
  const bool erased = gone(record);
  const ByteView name = key(record);
  const ByteView bytes = erased ? ByteView{} : value(record);
  std::array<std::byte, kEncodedHeadSize> head;
  store_le(head.data(), static_cast<std::uint32_t>(name.size()) | (erased ? kErasedBit : 0));
  store_le(head.data() + 4, static_cast<std::uint32_t>(bytes.size()));
  append(to, head);
  append(to, name);
  append(to, bytes);
}

void KeyTable::append_all(Buffer& to, bool shadows, Visit<> after_each) {
  arena_.for_each([&](std::uint32_t record) {
    Head at = head(record);
    const bool written = (at.key & kGone) == 0 || shadows;
    if ((at.key & kStale) == 0 && written) {
      append_record(to, record);
      after_each();
    }
    at.key = (at.key & ~(kChanged | kSaved)) | (written ? kSaved : 0);
    set_head(record, at);
    return record_size(at);
  });
  changed_ = false;
  changed_bytes_ = 0;
}

void KeyTable::append_changes(Buffer& to, Visit<> after_each) {
  arena_.for_each([&](std::uint32_t record) {
    Head at = head(record);
    if ((at.key & kStale) == 0 && (at.key & kChanged) != 0) {
      append_record(to, record);
      after_each();
      // What an erasure was written for is erased there too.
      at.key = (at.key & ~kChanged) | kSaved;
      set_head(record, at);
    }
    return record_size(at);
  });
  changed_ = false;
  changed_bytes_ = 0;
}

// Takes a record off the front.
bool KeyTable::take_encoded(ByteView& bytes, Encoded& one) {
  if (bytes.size() < kEncodedHeadSize) return false;
  const auto sized = load_le<std::uint32_t>(bytes.data());
  const auto value_size = load_le<std::uint32_t>(bytes.data() + 4);
  const std::size_t size = sized & ~kErasedBit;
  bytes = bytes.subspan(kEncodedHeadSize);
  if (size > kKeySizeMax || std::uint64_t{size} + value_size > bytes.size()) return false;
  one.key = bytes.first(size);
  one.value = bytes.subspan(size, value_size);
  one.gone = (sized & kErasedBit) != 0;
  bytes = bytes.subspan(size + value_size);
  return true;
}

// Nearly every key is a new one, and its place in the index is in no cache: those of a batch are
// fetched together.
bool KeyTable::load(ByteView bytes, const EncodedRules& rules) {
  index_.reserve(count_encoded(bytes, kEncodedHeadSize));
  std::array<Encoded, kLoadBatch> batch;
  while (!bytes.empty()) {
    std::size_t count = 0;
    for (; count < batch.size() && !bytes.empty(); ++count) {
      Encoded& one = batch[count];
      if (!take_encoded(bytes, one)) return false;
      one.hash = seeded_hash(as_text(one.key), rules.seed);
      prefetch(one.hash);
    }
    for (std::size_t i = 0; i < count; ++i) load_one(batch[i], rules.shadows);
  }
  index_.shrink();
  changed_ = false;
  changed_bytes_ = 0;
  return true;
}

void KeyTable::load_one(const Encoded& one, bool shadows) {
  if (!one.gone && place_of(one.key, one.hash) == KeyIndex::kNowhere) {
    const Head at{static_cast<std::uint32_t>(one.key.size()) | kSaved,
                  static_cast<std::uint32_t>(one.value.size())};
    const std::uint32_t record = arena_.allocate(record_size(at));
    set_head(record, at);
    std::byte* const key = arena_.at(record) + sizeof(Head);
    copy_bytes(one.key, key);
    copy_bytes(one.value, key + padded(one.key.size()));
    index_.insert(one.hash, record);
    ++count_;
    live_bytes_ += encoded_size(at);
    return;
  }
  if (one.gone) {
    erase(one.key, one.hash, shadows);
  } else {
    const std::uint32_t record = set(one.key, one.hash, one.value.size());
    copy_bytes(one.value, value(record).data());
  }
  if (const std::uint32_t record = find(one.key, one.hash); record != kNone) mark_saved(record);
}

void KeyTable::mark_saved(std::uint32_t record) {
  Head at = head(record);
  at.key = (at.key & ~kChanged) | kSaved;
  set_head(record, at);
}

void KeyTable::rebuild(bool shadows, std::uint64_t seed) {
  KeyTable fresh;
  fresh.index_.reserve(count_);
  arena_.for_each([&](std::uint32_t record) {
    const Head at = head(record);
    const bool waits = (at.key & (kSaved | kChanged)) == (kSaved | kChanged);
    const bool kept = (at.key & kGone) == 0 || shadows || waits;
    if ((at.key & kStale) == 0 && kept) {
      const std::uint32_t copy = fresh.arena_.allocate(record_size(at));
      std::memcpy(fresh.arena_.at(copy), arena_.at(record), record_size(at));
      fresh.index_.insert(seeded_hash(as_text(key(record)), seed), copy);
    }
    return record_size(at);
  });
  // What is garbage but must stay counts no more: else every call would try again.
  fresh.count_ = count_;
  fresh.live_bytes_ = live_bytes_;
  fresh.changed_ = changed_;
  fresh.changed_bytes_ = changed_bytes_;
  *this = std::move(fresh);
}

}  // namespace adbrook::state
