#include "state/time_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/copy_bytes.h"
#include "base/hash.h"

namespace adbrook::state {

namespace {

constexpr std::size_t kEncodedHeadSize = 4 * sizeof(std::uint32_t);
// Entries whose keys' places in the index are fetched at the same time.
constexpr std::size_t kLoadBatch = 16;

}  // namespace

struct TimeTable::Encoded {
  ByteView key, value;
  Moment moment;
  bool gone;
  std::uint64_t hash;
};

std::uint32_t TimeTable::find_key(ByteView key, std::uint64_t hash) const {
  const std::size_t place = index_.find(hash, [&](std::uint32_t at) {
    return key_head(at).size == key.size() &&
           (key.empty() ||
            std::memcmp(arena_.at(at) + sizeof(KeyHead), key.data(), key.size()) == 0);
  });
  return place == KeyIndex::kNowhere ? kNone : index_.handle_at(place);
}

std::uint32_t TimeTable::add_key(ByteView key, std::uint64_t hash) {
  const KeyHead head{kNone, static_cast<std::uint32_t>(key.size())};
  const std::uint32_t at = arena_.allocate(sizeof head + key.size());
  std::memcpy(arena_.at(at), &head, sizeof head);
  if (!key.empty()) std::memcpy(arena_.at(at) + sizeof head, key.data(), key.size());
  index_.insert(hash, at);
  return at;
}

std::uint32_t TimeTable::find_or_add_key(ByteView key, std::uint64_t hash) {
  const std::uint32_t found = find_key(key, hash);
  return found == kNone ? add_key(key, hash) : found;
}

// Events come nearly in order, so that what is looked for lies near the newest.
TimeTable::Position TimeTable::position_of(std::uint32_t key, Moment moment) const {
  std::uint32_t newer = kNone;
  std::uint32_t at = newest(key);
  while (at != kNone) {
    const EntryHead head = entry_head(at);
    if (head.moment <= moment) return {newer, head.moment == moment ? at : kNone, at};
    newer = at;
    at = head.older;
  }
  return {newer, kNone, kNone};
}

std::uint32_t TimeTable::find(std::uint32_t key, Moment moment) const {
  return position_of(key, moment).found;
}

// Makes `entry` what follows `newer`.
void TimeTable::link(std::uint32_t key, std::uint32_t newer, std::uint32_t entry) {
  if (newer == kNone) {
    KeyHead head = key_head(key);
    head.newest = entry;
    std::memcpy(arena_.at(key), &head, sizeof head);
    return;
  }
  EntryHead head = entry_head(newer);
  head.older = entry;
  put(newer, head);
}

std::uint32_t TimeTable::new_entry(std::uint32_t key, Position position, Moment moment,
                                   std::size_t size) {
  const EntryHead head{position.older, moment, static_cast<std::uint32_t>(size)};
  const std::uint32_t entry = arena_.allocate(entry_size(head));
  put(entry, head);
  std::ranges::fill(value(entry), std::byte{0});
  link(key, position.newer, entry);
  ++entry_count_;
  return entry;
}

std::uint32_t TimeTable::set(ByteView key, std::uint64_t hash, Moment moment, std::size_t size) {
  ADBROOK_ASSERT(key.size() <= kSizeMax && size <= kSizeMax,
                 "a key or a value in a time store has less than 128 MiB");
  const std::uint32_t of = find_or_add_key(key, hash);
  const Position position = position_of(of, moment);
  std::uint32_t entry = position.found;
  if (entry == kNone) {
    entry = new_entry(of, position, moment, size);
    ++count_;
    live_bytes_ += encoded_size(of, entry_head(entry));
  } else {
    const EntryHead head = entry_head(entry);
    const bool was_gone = (head.value & kGone) != 0;
    if (was_gone) {
      ++count_;
      garbage_ -= std::min(garbage_, entry_size(head));
    } else {
      live_bytes_ -= encoded_size(of, head);
    }
    if (was_gone || value_size(head) != size) entry = revalued(of, position, size);
    live_bytes_ += encoded_size(of, entry_head(entry));
  }
  touch(of, entry);
  return entry;
}

// Zeroed, and no longer gone.
std::uint32_t TimeTable::revalued(std::uint32_t key, Position position, std::size_t size) {
  const std::uint32_t old = position.found;
  EntryHead head = entry_head(old);
  if (padded(value_size(head)) == padded(size)) {
    head.value = (head.value & ~(kGone | kSizeMax)) | static_cast<std::uint32_t>(size);
    put(old, head);
    std::ranges::fill(value(old), std::byte{0});
    return old;
  }
  garbage_ += entry_size(head);
  --entry_count_;
  position.older = head.older;
  const std::uint32_t entry = new_entry(key, position, head.moment, size);
  EntryHead fresh = entry_head(entry);
  fresh.value |= head.value & kSaved;
  put(entry, fresh);
  return entry;
}

void TimeTable::touch(std::uint32_t key, std::uint32_t entry) {
  EntryHead head = entry_head(entry);
  if ((head.value & kChanged) == 0) changed_bytes_ += encoded_size(key, head);
  head.value |= kChanged;
  put(entry, head);
  changed_ = true;
}

void TimeTable::erase(ByteView key, std::uint64_t hash, Moment moment, bool shadows) {
  std::uint32_t of = find_key(key, hash);
  if (of == kNone && !shadows) return;
  if (of == kNone) of = add_key(key, hash);
  const Position position = position_of(of, moment);
  std::uint32_t entry = position.found;
  if (entry == kNone) {
    if (!shadows) return;
    entry = new_entry(of, position, moment, 0);
  } else {
    EntryHead head = entry_head(entry);
    if ((head.value & kGone) != 0) return;
    --count_;
    live_bytes_ -= encoded_size(of, head);
    garbage_ += entry_size(head);
    if (!shadows && (head.value & kSaved) == 0) {
      link(of, position.newer, head.older);
      --entry_count_;
      // A key without entries is as good as garbage; the next rebuild drops it.
      if (newest(of) == kNone) garbage_ += sizeof(KeyHead) + padded(key.size());
      return;
    }
  }
  EntryHead head = entry_head(entry);
  head.value |= kGone;
  put(entry, head);
  touch(of, entry);
}

// The copy's own garbage and counts of what is not gone are the caller's.
void TimeTable::copy_chain(const TimeTable& from, std::uint32_t key, std::uint64_t hash,
                           bool shadows) {
  std::uint32_t copied_key = kNone;
  std::uint32_t last = kNone;
  for (std::uint32_t at = from.newest(key); at != kNone; at = from.older(at)) {
    EntryHead head = from.entry_head(at);
    const bool waits = (head.value & (kSaved | kChanged)) == (kSaved | kChanged);
    if ((head.value & kGone) != 0 && !shadows && !waits) continue;
    if (copied_key == kNone) copied_key = add_key(from.key_bytes(key), hash);
    const std::uint32_t copy = arena_.allocate(entry_size(head));
    head.older = kNone;
    put(copy, head);
    copy_bytes(from.value(at), value(copy).data());
    link(copied_key, last, copy);
    last = copy;
    ++entry_count_;
  }
}

void TimeTable::append_entry(Buffer& to, std::uint32_t key, std::uint32_t entry) const {
  const bool erased = gone(entry);
  const ByteView name = key_bytes(key);
  const ByteView bytes = erased ? ByteView{} : value(entry);
  std::array<std::byte, kEncodedHeadSize> head;
  store_le(head.data(), static_cast<std::uint32_t>(name.size()) | (erased ? kErasedBit : 0));
  store_le(head.data() + 4, static_cast<std::uint32_t>(bytes.size()));
  store_le(head.data() + 8, moment(entry).delta);
  store_le(head.data() + 12, moment(entry).sequence);
  append(to, head);
  append(to, name);
  append(to, bytes);
}

void TimeTable::append_all(Buffer& to, bool shadows, Visit<> after_each) {
  for_each([&](std::uint32_t key, std::uint32_t entry) {
    EntryHead head = entry_head(entry);
    const bool written = (head.value & kGone) == 0 || shadows;
    if (written) {
      append_entry(to, key, entry);
      after_each();
    }
    head.value = (head.value & ~(kChanged | kSaved)) | (written ? kSaved : 0);
    put(entry, head);
  });
  changed_ = false;
  changed_bytes_ = 0;
}

void TimeTable::append_changes(Buffer& to, Visit<> after_each) {
  for_each([&](std::uint32_t key, std::uint32_t entry) {
    EntryHead head = entry_head(entry);
    if ((head.value & kChanged) == 0) return;
    append_entry(to, key, entry);
    after_each();
    head.value = (head.value & ~kChanged) | kSaved;
    put(entry, head);
  });
  changed_ = false;
  changed_bytes_ = 0;
}

// Takes an entry off the front.
bool TimeTable::take_encoded(ByteView& bytes, Encoded& one) {
  if (bytes.size() < kEncodedHeadSize) return false;
  const auto sized = load_le<std::uint32_t>(bytes.data());
  const std::size_t size = sized & ~kErasedBit;
  const std::size_t value_bytes = load_le<std::uint32_t>(bytes.data() + 4);
  one.moment = {load_le<std::uint32_t>(bytes.data() + 8),
                load_le<std::uint32_t>(bytes.data() + 12)};
  bytes = bytes.subspan(kEncodedHeadSize);
  if (size > kSizeMax || value_bytes > kSizeMax || size + value_bytes > bytes.size()) return false;
  one.key = bytes.first(size);
  one.value = bytes.subspan(size, value_bytes);
  one.gone = (sized & kErasedBit) != 0;
  bytes = bytes.subspan(size + value_bytes);
  return true;
}

bool TimeTable::load(ByteView bytes, const EncodedRules& rules) {
  index_.reserve(count_encoded(bytes, kEncodedHeadSize));
  std::array<Encoded, kLoadBatch> batch;
  while (!bytes.empty()) {
    std::size_t count = 0;
    for (; count < batch.size() && !bytes.empty(); ++count) {
      Encoded& one = batch[count];
      if (!take_encoded(bytes, one) || one.moment.delta >= rules.bucket_size) return false;
      one.hash = seeded_hash(as_text(one.key), rules.seed);
      index_.prefetch(one.hash);
    }
    for (std::size_t i = 0; i < count; ++i) load_one(batch[i], rules.shadows);
  }
  index_.shrink();
  mark_saved();
  return true;
}

void TimeTable::load_one(const Encoded& one, bool shadows) {
  if (one.gone) return erase(one.key, one.hash, one.moment, shadows);
  const std::uint32_t entry = set(one.key, one.hash, one.moment, one.value.size());
  copy_bytes(one.value, value(entry).data());
}

void TimeTable::mark_saved() {
  for_each([&](std::uint32_t, std::uint32_t entry) {
    EntryHead head = entry_head(entry);
    head.value = (head.value & ~kChanged) | kSaved;
    put(entry, head);
  });
  changed_ = false;
  changed_bytes_ = 0;
}

void TimeTable::rebuild(bool shadows, std::uint64_t seed) {
  TimeTable fresh;
  fresh.index_.reserve(index_.count());  // keys come in order of their hashes: see KeyIndex
  for_each_key([&](std::uint32_t key) {
    fresh.copy_chain(*this, key, seeded_hash(as_text(key_bytes(key)), seed), shadows);
  });
  fresh.count_ = count_;
  fresh.live_bytes_ = live_bytes_;
  fresh.changed_ = changed_;
  fresh.changed_bytes_ = changed_bytes_;
  *this = std::move(fresh);
}

}  // namespace adbrook::state
