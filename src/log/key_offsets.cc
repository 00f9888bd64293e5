#include "log/key_offsets.h"

#include <algorithm>

#include "base/hash.h"

namespace adbrook::log {
namespace {

constexpr std::size_t kSlotCountMin = 1024;
constexpr std::size_t kBlockSize = 64 << 10;

}  // namespace

ByteView KeyOffsets::key_of(const Slot& slot) const {
  const std::byte* const at = keys_[slot.block].data() + slot.position;
  return {at + sizeof(std::uint32_t), load_le<std::uint32_t>(at)};
}

// Where the key is, or would be.
std::size_t KeyOffsets::place_of(ByteView key, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.offset < Offset{0}) return at;
    if (slot.hash == hash && std::ranges::equal(key_of(slot), key)) return at;
  }
}

bool KeyOffsets::has_room(std::size_t key_size) const {
  if (count_ == 0) return true;
  std::size_t needed = memory();
  // While it grows the old slots are there beside the new ones.
  if ((count_ + 1) * 4 > slots_.size() * 3) needed += 2 * slots_.size() * sizeof(Slot);
  const std::size_t key_room = key_size + sizeof(std::uint32_t);
  if (keys_.empty() || keys_.back().size() + key_room > keys_.back().capacity())
    needed += std::max(kBlockSize, key_room);
  return needed <= limit_;
}

void KeyOffsets::grow() {
  std::vector<Slot> old(std::max(kSlotCountMin, 2 * slots_.size()));
  std::swap(old, slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.offset < Offset{0}) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].offset >= Offset{0}) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void KeyOffsets::keep_key(ByteView key, Slot& slot) {
  const std::size_t size = key.size() + sizeof(std::uint32_t);
  if (keys_.empty() || keys_.back().size() + size > keys_.back().capacity()) {
    keys_.emplace_back().reserve(std::max(kBlockSize, size));
    keys_size_ += keys_.back().capacity();
  }
  Buffer& block = keys_.back();
  slot.block = static_cast<std::uint32_t>(keys_.size() - 1);
  slot.position = static_cast<std::uint32_t>(block.size());
  append_le(block, static_cast<std::uint32_t>(key.size()));
  append(block, key);
}

bool KeyOffsets::put(ByteView key, Offset offset) {
  if (slots_.empty()) grow();
  const std::uint64_t hash = seeded_hash(as_text(key), seed_);
  std::size_t at = place_of(key, hash);
  if (slots_[at].offset < Offset{0}) {
    if (!has_room(key.size())) return false;
    if ((count_ + 1) * 4 > slots_.size() * 3) {
      grow();
      at = place_of(key, hash);
    }
    slots_[at].hash = hash;
    keep_key(key, slots_[at]);
    ++count_;
  }
  slots_[at].offset = offset;
  return true;
}

std::optional<Offset> KeyOffsets::find(ByteView key) const {
  if (count_ == 0) return std::nullopt;
  const Slot& slot = slots_[place_of(key, seeded_hash(as_text(key), seed_))];
  if (slot.offset < Offset{0}) return std::nullopt;
  return slot.offset;
}

}  // namespace adbrook::log
