#include "state/dictionary.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/hash.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kStoreVersion = 1;
constexpr std::uint32_t kNumberBit = 1u << 31;
constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kBlockSize = 16 << 10;
constexpr std::size_t kAllocationHead = 16;  // what the allocator keeps beside a block

std::string_view raw(const std::int64_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

}  // namespace

Dictionary::Dictionary(DictionaryOptions options) : options_(options), slots_(kSlotsMin) {}

std::uint32_t Dictionary::intern(std::string_view text) {
  ADBROOK_ASSERT(text.size() < kNumberBit, "a text in a dictionary is shorter than 2 GiB");
  return intern(text, static_cast<std::uint32_t>(text.size()));
}

std::uint32_t Dictionary::intern(std::int64_t number) {
  return intern(raw(number), sizeof number | kNumberBit);
}

std::uint32_t Dictionary::find(std::string_view text) const {
  if (text.size() >= kNumberBit) return 0;
  return find(text, static_cast<std::uint32_t>(text.size()));
}

std::uint32_t Dictionary::find(std::int64_t number) const {
  return find(raw(number), sizeof number | kNumberBit);
}

std::uint32_t Dictionary::hash_of(std::string_view bytes) const {
  return static_cast<std::uint32_t>(seeded_hash(bytes, options_.hash_seed) >> 32);
}

// The slot that has it, or the empty one where it belongs.
std::size_t Dictionary::slot_of(std::string_view bytes, std::uint32_t size,
                                std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].id != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Entry& entry = entries_[slots_[at].id - 1];
    if (entry.size == size && std::string_view(entry.bytes, bytes.size()) == bytes) break;
  }
  return at;
}

std::uint32_t Dictionary::find(std::string_view bytes, std::uint32_t size) const {
  return slots_[slot_of(bytes, size, hash_of(bytes))].id;
}

std::uint32_t Dictionary::intern(std::string_view bytes, std::uint32_t size) {
  const std::uint32_t hash = hash_of(bytes);
  std::size_t at = slot_of(bytes, size, hash);
  if (slots_[at].id != 0) return slots_[at].id;
  if ((entries_.size() + 1) * 4 > slots_.size() * 3) {
    grow(slots_.size() * 2);
    at = slot_of(bytes, size, hash);
  }
  ADBROOK_ASSERT(entries_.size() < 0xFFFFFFFEu, "a dictionary has fewer than 2^32 entries");
  entries_.push_back({store(bytes), size, hash});
  slots_[at] = {hash, count()};
  return count();
}

const char* Dictionary::store(std::string_view bytes) {
  if (bytes.size() > block_left_) {
    const std::size_t size = std::max(kBlockSize, bytes.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    block_next_ = blocks_.back().get();
    block_left_ = size;
    block_bytes_ += size;
  }
  char* stored = block_next_;
  if (!bytes.empty()) std::memcpy(stored, bytes.data(), bytes.size());
  block_next_ += bytes.size();
  block_left_ -= bytes.size();
  return stored;
}

void Dictionary::grow(std::size_t slot_count) {
  slots_.assign(slot_count, {});
  for (std::uint32_t id = 1; id <= count(); ++id) {
    const std::uint32_t hash = entries_[id - 1].hash;
    std::size_t at = hash & (slot_count - 1);
    while (slots_[at].id != 0) at = (at + 1) & (slot_count - 1);
    slots_[at] = {hash, id};
  }
}

std::string_view Dictionary::text(std::uint32_t id) const {
  if (id == 0 || id > count()) return {};
  const Entry& entry = entries_[id - 1];
  return (entry.size & kNumberBit) ? std::string_view{} : std::string_view(entry.bytes, entry.size);
}

std::optional<std::int64_t> Dictionary::number(std::uint32_t id) const {
  if (id == 0 || id > count()) return std::nullopt;
  const Entry& entry = entries_[id - 1];
  if (!(entry.size & kNumberBit)) return std::nullopt;
  std::int64_t number;
  std::memcpy(&number, entry.bytes, sizeof number);
  return number;
}

Bytes Dictionary::memory() const {
  return {static_cast<std::int64_t>(
      entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(Slot) + block_bytes_ +
      blocks_.capacity() * sizeof(blocks_[0]) + (blocks_.size() + 3) * kAllocationHead)};
}

void Dictionary::save(Checkpoint& checkpoint, std::string_view name) {
  const std::string blob = blob_name(name, "entries");
  const bool extend = checkpoint.can_extend(blob, saved_bytes_);
  if (saved_count_ == count() && checkpoint.size(blob) == saved_bytes_) return;
  if (!extend) saved_bytes_ = saved_count_ = 0;
  Buffer bytes;
  for (; saved_count_ < count(); ++saved_count_) {
    const Entry& entry = entries_[saved_count_];
    append_le(bytes, entry.size);
    append(bytes, as_bytes({entry.bytes, entry.size & ~kNumberBit}));
  }
  saved_bytes_ += bytes.size();
  extend ? checkpoint.extend(blob, bytes) : checkpoint.replace(blob, bytes);
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, count());
  checkpoint.replace(blob_name(name, "meta"), meta);
}

Result<void> Dictionary::load(const Checkpoint& checkpoint, std::string_view name) {
  *this = Dictionary(options_);
  const auto meta = checkpoint.read(blob_name(name, "meta"));
  if (!meta) return pass(meta.error());
  BlobReader head(*meta);
  const auto version = head.number<std::uint32_t>();
  const auto entry_count = head.number<std::uint32_t>();
  if (!head.ended_well() || version != kStoreVersion) return unreadable_blob(name, "meta");
  const auto bytes = checkpoint.read(blob_name(name, "entries"));
  if (!bytes) return pass(bytes.error());
  BlobReader reader(*bytes);
  for (std::uint32_t id = 1; id <= entry_count; ++id) {
    const auto size = reader.number<std::uint32_t>();
    const std::string_view text = as_text(reader.bytes(size & ~kNumberBit));
    const bool fits = (size & kNumberBit) == 0 || text.size() == sizeof(std::int64_t);
    if (!reader.good() || !fits || intern(text, size) != id) {
      return unreadable_blob(name, "entries");
    }
  }
  if (!reader.ended_well()) return unreadable_blob(name, "entries");
  saved_count_ = entry_count;
  saved_bytes_ = bytes->size();
  return {};
}

}  // namespace adbrook::state
