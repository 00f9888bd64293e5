#include "state/key_value_store.h"

#include <algorithm>
#include <bit>
#include <set>

#include "base/assert.h"
#include "base/copy_bytes.h"
#include "base/hash.h"
#include "io/huge_pages.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"
#include "state/table_sources.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kStoreVersion = 1;
constexpr std::uint64_t kPartitionsMax = 256;
constexpr std::uint64_t kBudgetPerPartition = 32 << 10;

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
  partition_bytes_ = 0;
}

std::uint64_t KeyValueStore::hash(ByteView key) const { return seeded_hash(as_text(key), seed_); }

void KeyValueStore::open(Checkpoint& checkpoint) {
  run_files_ = checkpoint.runs();
  trouble_ = check_budget(options_.budget, options_.over_budget);
}

std::optional<ByteView> KeyValueStore::spilled_value(const Partition& partition, ByteView key,
                                                     std::uint64_t hashed) const {
  RunEntry entry;
  const auto found = partition.runs.find(key, hashed, {}, entry, block_);
  if (!found && trouble_) trouble_ = std::unexpected(found.error());
  if (!found || !*found || entry.gone) return std::nullopt;
  return entry.value;
}

std::optional<ByteView> KeyValueStore::get(ByteView key) const {
  const std::uint64_t hashed = hash(key);
  const Partition& partition = partition_of(hashed);
  const std::uint32_t record = partition.table.find(key, hashed);
  if (record == KeyTable::kNone) return spilled_value(partition, key, hashed);
  if (partition.table.gone(record)) return std::nullopt;
  return partition.table.value(record);
}

// What lies on disk is copied into memory and counts from there.
std::span<std::byte> KeyValueStore::upsert(ByteView key, std::size_t size) {
  make_room();
  const std::uint64_t hashed = hash(key);
  Partition& partition = partition_of(hashed);
  KeyTable& table = partition.table;
  const std::size_t memory_before = partition.memory();
  table.tidy(partition.shadows(), seed_);
  const std::uint32_t known = table.find(key, hashed);
  std::optional<ByteView> spilled;
  if (known == KeyTable::kNone) spilled = spilled_value(partition, key, hashed);
  const bool is_new = known == KeyTable::kNone ? !spilled : table.gone(known);
  const std::span<std::byte> value = table.value(table.set(key, hashed, size));
  if (spilled && spilled->size() == size) copy_bytes(*spilled, value.data());
  partition.count += is_new ? 1 : 0;
  count_ += is_new ? 1 : 0;
  partition_bytes_ += partition.memory() - memory_before;
  return value;
}

void KeyValueStore::put(ByteView key, ByteView value) {
  copy_bytes(value, upsert(key, value.size()).data());
}

bool KeyValueStore::erase(ByteView key) {
  make_room();
  const std::uint64_t hashed = hash(key);
  Partition& partition = partition_of(hashed);
  KeyTable& table = partition.table;
  const std::uint32_t known = table.find(key, hashed);
  const bool there = known == KeyTable::kNone ? spilled_value(partition, key, hashed).has_value()
                                              : !table.gone(known);
  if (!there) return false;
  const std::size_t memory_before = partition.memory();
  table.tidy(partition.shadows(), seed_);
  table.erase(key, hashed, partition.shadows());
  --partition.count;
  --count_;
  partition_bytes_ += partition.memory() - memory_before;
  return true;
}

// Partitions are filled alike, so that the one whose turn it is holds what is cold as well as any.
void KeyValueStore::make_room() {
  const BudgetMarks marks(options_.budget);
  const auto used = [&] { return static_cast<std::size_t>(memory().count); };
  if (options_.over_budget != OverBudget::spill || used() <= marks.high || !trouble_) return;
  ADBROOK_ASSERT(run_files_ != nullptr, "a store that spills was opened");
  if (table_bytes() < marks.worth_spilling) return;
  SpillPlace place{run_files_};
  for (std::size_t n = 0; n < partitions_.size() && used() > marks.low && trouble_; ++n) {
    spill(partitions_[next_spilled_], place);
    next_spilled_ = (next_spilled_ + 1) & partition_mask_;
  }
  // The budget is one of resident memory: what was freed must not stay with the allocator.
  if (place.position >= kWorthGivingBack) io::give_back_free_pages();
}

void KeyValueStore::spill(Partition& partition, SpillPlace& place) {
  if (partition.table.used() == 0) return;
  const std::size_t memory_before = partition.memory();
  trouble_ = partition.spill(place, seed_);
  partition_bytes_ += partition.memory() - memory_before;
}

void KeyValueStore::visit(Visit<ByteView, ByteView> f) const {
  std::vector<std::unique_ptr<EntrySource>> sources;
  for (const Partition& partition : partitions_) {
    if (partition.table.record_count() != 0)
      sources.push_back(std::make_unique<KeyTableEntries>(partition.table));
    partition.runs.add_sources(sources);
  }
  MergedEntries merged(std::move(sources), false);
  for (RunEntry entry; merged.next(entry);) f(entry.key, entry.value);
  if (!merged.result() && trouble_) trouble_ = merged.result();
}

Bytes KeyValueStore::memory() const {
  return {static_cast<std::int64_t>(partition_bytes_ + partitions_.capacity() * sizeof(Partition) +
                                    block_.capacity())};
}

// Of what could be spilled.
std::size_t KeyValueStore::table_bytes() const {
  std::size_t bytes = 0;
  for (const Partition& partition : partitions_) bytes += partition.table.memory();
  return bytes;
}

bool KeyValueStore::full() const {
  if (memory() < options_.budget) return false;
  return options_.over_budget == OverBudget::wait ||
         table_bytes() < BudgetMarks(options_.budget).worth_spilling;
}

void KeyValueStore::save(Checkpoint& checkpoint, std::string_view name) {
  if (!trouble_) checkpoint.spoil(trouble_.error());
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, seed_);
  append_le(meta, static_cast<std::uint32_t>(partitions_.size()));
  std::set<std::string> kept{blob_name(name, "meta")};
  for (std::size_t number = 0; number < partitions_.size(); ++number)
    partitions_[number].save(checkpoint, {name, partition_blob(name, number)}, meta, kept);
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
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
  Buffer scratch;
  for (std::size_t number = 0; number < partition_count; ++number) {
    Partition& partition = partitions_[number];
    const TablePlace place{name, partition_blob(name, number)};
    if (auto done = partition.load(checkpoint, place, reader, scratch, seed_); !done) return done;
    count_ += partition.count;
    partition_bytes_ += partition.memory();
  }
  return reader.ended_well() ? Result<void>{} : unreadable_blob(name, "meta");
}

}  // namespace adbrook::state
