#include "state/pending_store.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kStoreVersion = 1;
constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kHeapSlack = 64;  // stale dues that are not worth a sweep
constexpr std::int64_t kKeptWhenEmpty = 1 << 20;
constexpr std::size_t kAllocationHead = 16;

}  // namespace

PendingStore::PendingStore(PendingOptions options) : options_(options), slots_(kSlotsMin) {}

std::size_t PendingStore::home_of(Uuid parent) const {
  return seeded_hash(parent, options_.hash_seed) & (slots_.size() - 1);
}

// The slot of this parent, or the empty one where it belongs.
std::size_t PendingStore::slot_of(Uuid parent) const {
  std::size_t at = home_of(parent);
  while (slots_[at].first != kNone && entries_[slots_[at].first].parent != parent) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return at;
}

void PendingStore::grow_slots() {
  const auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot& slot : old) {
    if (slot.first != kNone) slots_[slot_of(entries_[slot.first].parent)] = slot;
  }
}

// Moves later slots of the same run up, so that no search ends too early.
void PendingStore::free_slot(std::size_t hole) {
  const std::size_t mask = slots_.size() - 1;
  --parent_count_;
  for (std::size_t at = (hole + 1) & mask; slots_[at].first != kNone; at = (at + 1) & mask) {
    const std::size_t home = home_of(entries_[slots_[at].first].parent);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
}

void PendingStore::add(Uuid parent, Timestamp due, ByteView payload) {
  ADBROOK_ASSERT(payload.size() < kNone, "a payload is shorter than 4 GiB");
  const std::uint32_t index = new_entry();
  Entry& entry = entries_[index];
  entry = {parent,
           due,
           next_sequence_++,
           kNone,
           kNone,
           kNone,
           static_cast<std::uint32_t>(payload.size())};
  store_payload(entry, payload);
  link(index);
  heap_.push_back({due, entry.sequence, index});
  std::ranges::push_heap(heap_, std::greater{});
  ++count_;
  dirty_ = true;
}

void PendingStore::link(std::uint32_t index) {
  if ((parent_count_ + 1) * 2 > slots_.size()) grow_slots();
  Slot& slot = slots_[slot_of(entries_[index].parent)];
  if (slot.first == kNone) {
    slot.first = index;
    ++parent_count_;
  } else {
    entries_[index].before = slot.last;
    entries_[slot.last].after = index;
  }
  slot.last = index;
}

void PendingStore::unlink(const Entry& entry) {
  const std::size_t at = slot_of(entry.parent);
  Slot& slot = slots_[at];
  if (entry.before == kNone && entry.after == kNone) {
    free_slot(at);
    return;
  }
  (entry.before == kNone ? slot.first : entries_[entry.before].after) = entry.after;
  (entry.after == kNone ? slot.last : entries_[entry.after].before) = entry.before;
}

std::uint32_t PendingStore::new_entry() {
  if (free_entry_ != kNone) return std::exchange(free_entry_, entries_[free_entry_].after);
  ADBROOK_ASSERT(entries_.size() < kNone, "a pending store has fewer than 2^32 entries");
  return static_cast<std::uint32_t>(entries_.add());
}

std::uint32_t PendingStore::new_block() {
  if (free_block_ != kNone) return std::exchange(free_block_, blocks_[free_block_].next);
  ADBROOK_ASSERT(blocks_.size() < kNone, "a pending store has fewer than 2^32 blocks");
  return static_cast<std::uint32_t>(blocks_.add());
}

void PendingStore::store_payload(Entry& entry, ByteView payload) {
  std::uint32_t* link = &entry.first_block;
  while (!payload.empty()) {
    const std::uint32_t index = new_block();
    const ByteView piece = payload.first(std::min(payload.size(), Block::kSize));
    Block& block = blocks_[index];
    std::memcpy(block.bytes, piece.data(), piece.size());
    block.next = kNone;
    *link = index;
    link = &block.next;
    payload = payload.subspan(piece.size());
  }
}

// Puts the payload together and frees its blocks.
ByteView PendingStore::take_payload(const Entry& entry) {
  payload_.clear();
  for (std::uint32_t at = entry.first_block; at != kNone;) {
    Block& block = blocks_[at];
    const auto size = std::min<std::size_t>(entry.payload_size - payload_.size(), Block::kSize);
    append(payload_, {block.bytes, size});
    const std::uint32_t next = std::exchange(block.next, free_block_);
    free_block_ = std::exchange(at, next);
  }
  return payload_;
}

void PendingStore::release(std::uint32_t index) {
  entries_[index].sequence = 0;
  entries_[index].after = std::exchange(free_entry_, index);
  --count_;
  dirty_ = true;
}

std::uint32_t PendingStore::next_passed(Timestamp watermark) {
  while (!heap_.empty() && heap_.front().due < watermark) {
    const Due due = heap_.front();
    std::ranges::pop_heap(heap_, std::greater{});
    heap_.pop_back();
    if (is_waiting(due)) return due.entry;
  }
  return kNone;
}

// What was taken by its parent leaves its due behind; at most half of the heap is that.
void PendingStore::drop_stale_dues() {
  if (heap_.size() <= 2 * count_ + kHeapSlack) return;
  std::erase_if(heap_, [this](const Due& due) { return !is_waiting(due); });
  std::ranges::make_heap(heap_, std::greater{});
}

void PendingStore::shrink_when_empty() {
  // The payload that was handed out last stays readable for nobody: the callback has returned.
  if (count_ == 0 && memory().count > kKeptWhenEmpty) clear();
}

void PendingStore::clear() {
  entries_.clear();
  blocks_.clear();
  free_entry_ = free_block_ = kNone;
  slots_ = std::vector<Slot>(kSlotsMin);
  heap_ = {};
  payload_ = {};
  parent_count_ = count_ = 0;
  dirty_ = true;
}

Bytes PendingStore::memory() const {
  return {static_cast<std::int64_t>(
      entries_.memory() + blocks_.memory() + slots_.capacity() * sizeof(Slot) +
      heap_.capacity() * sizeof(Due) + payload_.capacity() + 3 * kAllocationHead)};
}

void PendingStore::save(Checkpoint& checkpoint, std::string_view name) {
  const std::string blob = blob_name(name, "meta");
  if (!dirty_ && checkpoint.size(blob)) return;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;  // of insertion
  order.reserve(count_);
  for (std::uint32_t index = 0; index < entries_.size(); ++index) {
    if (entries_[index].sequence != 0) order.emplace_back(entries_[index].sequence, index);
  }
  std::ranges::sort(order);
  Buffer bytes;
  append_le(bytes, kStoreVersion);
  append_le(bytes, std::uint64_t{count_});
  for (const auto& [sequence, index] : order) {
    const Entry& entry = entries_[index];
    append_le(bytes, entry.parent.high);
    append_le(bytes, entry.parent.low);
    append_le(bytes, entry.due.ms);
    append_le(bytes, entry.payload_size);
    std::size_t left = entry.payload_size;
    for (std::uint32_t at = entry.first_block; at != kNone; at = blocks_[at].next) {
      const std::size_t size = std::min(left, Block::kSize);
      append(bytes, {blocks_[at].bytes, size});
      left -= size;
    }
  }
  checkpoint.replace(blob, bytes);
  dirty_ = false;
}

Result<void> PendingStore::load(const Checkpoint& checkpoint, std::string_view name) {
  clear();
  const auto bytes = checkpoint.read(blob_name(name, "meta"));
  if (!bytes) return pass(bytes.error());
  BlobReader reader(*bytes);
  const auto version = reader.number<std::uint32_t>();
  const auto count = reader.number<std::uint64_t>();
  if (version != kStoreVersion) return unreadable_blob(name, "meta");
  for (std::uint64_t i = 0; i < count; ++i) {
    Uuid parent;
    parent.high = reader.number<std::uint64_t>();
    parent.low = reader.number<std::uint64_t>();
    const Timestamp due{reader.number<std::int64_t>()};
    const ByteView payload = reader.bytes(reader.number<std::uint32_t>());
    if (!reader.good()) return unreadable_blob(name, "meta");
    add(parent, due, payload);
  }
  if (!reader.ended_well()) return unreadable_blob(name, "meta");
  dirty_ = false;
  return {};
}

}  // namespace adbrook::state
