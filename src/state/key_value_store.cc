#include "state/key_value_store.h"

#include <algorithm>
#include <bit>
#include <set>

#include "base/assert.h"
#include "base/hash.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kStoreVersion = 1;
constexpr std::uint64_t kPartitionsMax = 256;
constexpr std::uint64_t kBudgetPerPartition = 1 << 20;
constexpr std::uint64_t kSmallBlob = 4096;  // below it a rewrite costs nothing

std::string partition_blob(std::string_view name, std::size_t number) {
  return blob_name(name, std::to_string(number));
}

}  // namespace

KeyValueStore::KeyValueStore(KeyValueStoreOptions options)
    : options_(options), seed_(options.hash_seed) {
  const auto wanted = static_cast<std::uint64_t>(options.budget.count) / kBudgetPerPartition;
  make_partitions(std::bit_floor(std::clamp<std::uint64_t>(wanted, 1, kPartitionsMax)));
}

void KeyValueStore::make_partitions(std::size_t count) {
  partitions_.clear();
  partitions_.resize(count);
  partition_mask_ = count - 1;
  count_ = 0;
  table_bytes_ = 0;
}

std::uint64_t KeyValueStore::hash(ByteView key) const { return seeded_hash(as_text(key), seed_); }

// Runs f, which changes the partition's table, and keeps the sum of the memory.
template <class F>
auto KeyValueStore::changing(Partition& partition, F f) {
  const std::size_t memory_before = partition.table.memory();
  const std::size_t count_before = partition.table.count();
  partition.table.tidy(false, [&](ByteView key) { return hash(key); });
  const auto result = f(partition.table);
  table_bytes_ += partition.table.memory() - memory_before;
  count_ += partition.table.count() - count_before;
  return result;
}

std::optional<ByteView> KeyValueStore::get(ByteView key) const {
  const std::uint64_t hashed = hash(key);
  const KeyTable& table = partition_of(hashed).table;
  const std::uint32_t record = table.find(key, hashed);
  if (record == KeyTable::kNone || table.gone(record)) return std::nullopt;
  return table.value(record);
}

std::span<std::byte> KeyValueStore::upsert(ByteView key, std::size_t size) {
  const std::uint64_t hashed = hash(key);
  return changing(partition_of(hashed),
                  [&](KeyTable& table) { return table.value(table.set(key, hashed, size)); });
}

void KeyValueStore::put(ByteView key, ByteView value) {
  std::ranges::copy(value, upsert(key, value.size()).begin());
}

bool KeyValueStore::erase(ByteView key) {
  const std::uint64_t hashed = hash(key);
  const std::size_t before = count_;
  changing(partition_of(hashed), [&](KeyTable& table) {
    table.erase(key, hashed, false);
    return true;
  });
  return count_ < before;
}

// Sorts pointers, not entries.
void KeyValueStore::visit(Visit<ByteView, ByteView> f) const {
  struct Found {
    ByteView key, value;
  };
  std::vector<Found> found;
  found.reserve(count_);
  for (const Partition& partition : partitions_) {
    partition.table.for_each([&](std::uint32_t record) {
      if (!partition.table.gone(record))
        found.push_back({partition.table.key(record), partition.table.value(record)});
    });
  }
  std::ranges::sort(found, {}, [](const Found& one) { return as_text(one.key); });
  for (const Found& one : found) f(one.key, one.value);
}

Bytes KeyValueStore::memory() const {
  return {static_cast<std::int64_t>(table_bytes_ + partitions_.capacity() * sizeof(Partition))};
}

void KeyValueStore::save(Checkpoint& checkpoint, std::string_view name) {
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, seed_);
  append_le(meta, static_cast<std::uint32_t>(partitions_.size()));
  std::set<std::string> kept{blob_name(name, "meta")};
  for (std::size_t number = 0; number < partitions_.size(); ++number) {
    Partition& partition = partitions_[number];
    const std::string blob = partition_blob(name, number);
    save_partition(checkpoint, blob, partition);
    append_le(meta, partition.saved_size);
    append_le(meta, static_cast<std::uint64_t>(partition.table.count()));
    if (partition.saved_size != 0) kept.insert(blob);
  }
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
}

// Changes go behind what is there, until that would be half garbage.
void KeyValueStore::save_partition(Checkpoint& checkpoint, const std::string& blob,
                                   Partition& partition) {
  KeyTable& table = partition.table;
  // An empty blob is none.
  const std::uint64_t stored = checkpoint.size(blob).value_or(0);
  const bool stored_as_known = stored == partition.saved_size;
  if (stored_as_known && !table.changed()) return;
  Buffer bytes;
  if (stored_as_known && checkpoint.can_extend(blob, stored)) {
    Buffer changes;
    table.append_changes(changes);
    if (stored + changes.size() <= 2 * table.encoded_size() + kSmallBlob) {
      checkpoint.extend(blob, changes);
      partition.saved_size = stored + changes.size();
      return;
    }
  }
  table.append_all(bytes, false);
  checkpoint.replace(blob, bytes);
  partition.saved_size = bytes.size();
}

Result<void> KeyValueStore::load(const Checkpoint& checkpoint, std::string_view name) {
  const auto meta = checkpoint.read(blob_name(name, "meta"));
  if (!meta) return pass(meta.error());
  BlobReader reader(*meta);
  const auto version = reader.number<std::uint32_t>();
  seed_ = reader.number<std::uint64_t>();
  const auto partition_count = reader.number<std::uint32_t>();
  if (version != kStoreVersion || !std::has_single_bit(partition_count) ||
      partition_count > kPartitionsMax)
    return unreadable_blob(name, "meta");
  make_partitions(partition_count);
  for (std::size_t number = 0; number < partition_count; ++number) {
    Partition& partition = partitions_[number];
    partition.saved_size = reader.number<std::uint64_t>();
    const auto count = reader.number<std::uint64_t>();
    if (partition.saved_size == 0 && count == 0) continue;
    const std::string blob = partition_blob(name, number);
    const auto bytes = checkpoint.read(blob);
    if (!bytes) return pass(bytes.error());
    KeyTable& table = partition.table;
    const auto hash_of = [&](ByteView key) { return hash(key); };
    if (bytes->size() != partition.saved_size || !table.load(*bytes, false, hash_of) ||
        table.count() != count)
      return unreadable_blob(name, blob);
    table.mark_saved();
    count_ += table.count();
    table_bytes_ += table.memory();
  }
  return reader.ended_well() ? Result<void>{} : unreadable_blob(name, "meta");
}

}  // namespace adbrook::state
