#include "state/seen_store.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "base/assert.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kStoreVersion = 1;
// The largest whole number of days whose milliseconds fit in the 30 bits of an entry.
constexpr Millis kCoarseBucket = std::chrono::hours(24 * 12);
constexpr int kBucketsPerHorizon = 24;
// A bucket costs a chunk at least; past this many, outliers share coarse ones.
constexpr std::size_t kFineBucketsMax = 1000;
constexpr std::size_t kNumbersMax = 1u << 16;  // they have 16 bits in a slot
constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kSpareChunksMin = 64;  // kept, so that a steady stream allocates nothing
constexpr std::size_t kAllocationHead = 16;  // what the allocator keeps beside a chunk
constexpr std::size_t kAhead = 32;           // entries between a prefetch and its use

// A slot: 16 bits of the hash, the bucket's number (from 1, so that no slot is 0), the index in it.
constexpr std::uint64_t make_slot(std::uint64_t hash, std::uint32_t number, std::uint32_t index) {
  return (hash << 48) | (std::uint64_t{number} << 32) | index;
}
constexpr bool same_tag(std::uint64_t slot, std::uint64_t hash) {
  return (slot >> 48) == (hash & 0xFFFF);
}
constexpr std::uint32_t number_of(std::uint64_t slot) { return (slot >> 32) & 0xFFFF; }
constexpr std::uint32_t index_of(std::uint64_t slot) { return static_cast<std::uint32_t>(slot); }

Millis fine_bucket(const SeenOptions& options) {
  const Millis wanted =
      options.bucket.count() > 0 ? options.bucket : options.horizon / kBucketsPerHorizon;
  return std::clamp(wanted, Millis(1), kCoarseBucket);
}

}  // namespace

SeenStore::SeenStore(SeenOptions options)
    : options_(options), fine_(fine_bucket(options)), coarse_(kCoarseBucket) {
  clear();
}

std::optional<Seen> SeenStore::find(Uuid id, Timestamp watermark) const {
  const std::uint64_t wanted = hash(id);
  for (std::size_t at = home_of(wanted); slots_[at] != 0; at = next(at)) {
    const std::uint64_t slot = slots_[at];
    if (!same_tag(slot, wanted)) continue;
    const Bucket* bucket = numbered_[number_of(slot)];
    if (bucket == nullptr || entry_of(*bucket, index_of(slot)).id != id) continue;
    const Seen seen = seen_of(*bucket, index_of(slot));
    // The same id may be there twice: past its horizon it was new again.
    if (alive(seen.time, watermark)) return seen;
  }
  return std::nullopt;
}

SeenStore::Inserted SeenStore::find_or_insert(Uuid id, Timestamp time, Timestamp watermark) {
  if ((used_slots_ + 1) * 4 > slots_.size() * 3) rebuild_index();
  const std::uint64_t wanted = hash(id);
  constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t reusable = kNone;
  std::size_t at = home_of(wanted);
  for (; slots_[at] != 0; at = next(at)) {
    const std::uint64_t slot = slots_[at];
    const bool same = same_tag(slot, wanted);
    if (!same && !has_freed_numbers_) continue;
    const Bucket* bucket = numbered_[number_of(slot)];
    if (bucket == nullptr) {
      if (reusable == kNone) reusable = at;
    } else if (same && entry_of(*bucket, index_of(slot)).id == id) {
      const Seen seen = seen_of(*bucket, index_of(slot));
      if (alive(seen.time, watermark)) return {seen, false};
    }
  }
  if (reusable == kNone) {
    reusable = at;
    ++used_slots_;
  }
  // A new bucket may rebuild the index, which then holds the slot elsewhere.
  const std::uint64_t* index_before = slots_.begin();
  Bucket& bucket = bucket_for(time);
  const std::uint32_t index = append(bucket, time, {id, 0, kNoLink});
  if (slots_.begin() == index_before) {
    slots_[reusable] = make_slot(wanted, bucket.number, index);
  } else {
    place(wanted, bucket, index);
  }
  return {seen_of(bucket, index), true};
}

SeenStore::Bucket& SeenStore::bucket_for(Timestamp time) {
  if (Bucket* fine = fine_.find(time)) return *fine;
  auto& buckets = fine_.size() < kFineBucketsMax ? fine_ : coarse_;
  if (Bucket* coarse = buckets.find(time)) return *coarse;
  ADBROOK_ASSERT(numbered_.size() < kNumbersMax, "event times lie within a thousand years");
  return adopt(buckets.at(time), buckets.start_of(time));
}

SeenStore::Bucket& SeenStore::adopt(Bucket& bucket, Timestamp start) {
  bucket.start = start;
  bucket.number = static_cast<std::uint32_t>(numbered_.size());
  numbered_.push_back(&bucket);
  return bucket;
}

std::uint32_t SeenStore::append(Bucket& bucket, Timestamp time, const Entry& entry) {
  const std::uint32_t index = bucket.count++;
  if (index == bucket.chunks.size() * kChunkEntries) {
    if (spare_chunks_.empty()) {
      bucket.chunks.push_back(std::make_unique_for_overwrite<Chunk>());
    } else {
      bucket.chunks.push_back(std::move(spare_chunks_.back()));
      spare_chunks_.pop_back();
    }
    ++chunk_count_;
  }
  Entry& at = entry_of(bucket, index);
  at = entry;
  at.when = static_cast<std::uint32_t>((time - bucket.start).count()) | (entry.when & kExcluded);
  if (time > bucket.newest) {
    bucket.newest = time;
    next_expiry_ = std::min(next_expiry_, time + options_.horizon);
  }
  ++count_;
  return index;
}

SeenStore::Entry& SeenStore::changed(SeenRef ref) {
  Bucket* bucket = ref.bucket < numbered_.size() ? numbered_[ref.bucket] : nullptr;
  ADBROOK_ASSERT(bucket != nullptr && ref.index < bucket->count,
                 "a SeenRef is used before the next expire()");
  if (ref.index < bucket->saved_count) bucket->saved_part_changed = true;
  return entry_of(*bucket, ref.index);
}

void SeenStore::set_link(SeenRef ref, std::uint32_t link) { changed(ref).link = link; }

void SeenStore::set_excluded(SeenRef ref) { changed(ref).when |= kExcluded; }

void SeenStore::expire(Timestamp watermark) {
  watermark_ = std::max(watermark_, watermark);
  if (watermark <= next_expiry_) return;
  next_expiry_ = Timestamp::highest();
  expire_in(fine_, watermark);
  expire_in(coarse_, watermark);
  const std::size_t spare_max = kSpareChunksMin + chunk_count_ / 8;
  if (spare_chunks_.size() > spare_max) spare_chunks_.resize(spare_max);
  const bool sparse = slots_.size() > kSlotsMin * 16 && count_ * 8 < slots_.size();
  if (sparse || numbered_.size() > kNumbersMax / 2) renumber();
}

void SeenStore::expire_in(TimeBuckets<Bucket>& buckets, Timestamp watermark) {
  for (auto at = buckets.begin(); at != buckets.end();) {
    Bucket& bucket = at->second;
    if (alive(bucket.newest, watermark)) {
      next_expiry_ = std::min(next_expiry_, bucket.newest + options_.horizon);
      ++at;
      continue;
    }
    numbered_[bucket.number] = nullptr;
    has_freed_numbers_ = true;
    count_ -= bucket.count;
    chunk_count_ -= bucket.chunks.size();
    std::ranges::move(bucket.chunks, std::back_inserter(spare_chunks_));
    at = buckets.erase(at);
  }
}

// The buckets hold all that the index needs: the old one is freed before the new one is made. It is
// used between 50 and 75 %, which is 11 to 16 bytes per entry.
void SeenStore::rebuild_index() {
  slots_ = {};
  slots_ = SlotArray(std::max(kSlotsMin, (count_ + 1) * 2));
  used_slots_ = 0;
  has_freed_numbers_ = false;
  for (auto* buckets : {&fine_, &coarse_})
    for (const auto& [start, bucket] : *buckets) add_to_index(bucket);
}

// Only where no SeenRef is alive: they go by these numbers.
void SeenStore::renumber() {
  numbered_.assign(1, nullptr);
  for (auto* buckets : {&fine_, &coarse_})
    for (auto& [start, bucket] : *buckets) adopt(bucket, start);
  rebuild_index();
}

void SeenStore::add_to_index(const Bucket& bucket) {
  std::uint64_t hashes[kAhead];
  const std::uint32_t count = bucket.count;
  for (std::uint32_t i = 0; i < count + kAhead; ++i) {
    if (i >= kAhead) {
      const std::uint32_t ready = i - kAhead;
      if (alive(time_of(bucket, entry_of(bucket, ready)), watermark_)) {
        place(hashes[ready % kAhead], bucket, ready);
      }
    }
    if (i < count) {
      hashes[i % kAhead] = hash(entry_of(bucket, i).id);
      __builtin_prefetch(slots_.begin() + home_of(hashes[i % kAhead]), 1);
    }
  }
}

void SeenStore::place(std::uint64_t hash, const Bucket& bucket, std::uint32_t index) {
  std::size_t at = home_of(hash);
  while (slots_[at] != 0) at = next(at);
  slots_[at] = make_slot(hash, bucket.number, index);
  ++used_slots_;
}

void SeenStore::clear() {
  fine_.clear();
  coarse_.clear();
  spare_chunks_.clear();
  count_ = chunk_count_ = 0;
  watermark_ = Timestamp::lowest();
  next_expiry_ = Timestamp::highest();
  renumber();
}

Bytes SeenStore::memory() const {
  std::size_t bytes = slots_.memory();
  bytes += (chunk_count_ + spare_chunks_.size()) * (sizeof(Chunk) + kAllocationHead);
  bytes += (numbered_.capacity() + spare_chunks_.capacity()) * sizeof(void*);
  bytes += fine_.node_bytes() + coarse_.node_bytes();
  for (const auto* buckets : {&fine_, &coarse_}) {
    for (const auto& [start, bucket] : *buckets) {
      bytes += bucket.chunks.capacity() * sizeof(void*) + kAllocationHead;
    }
  }
  return {static_cast<std::int64_t>(bytes)};
}

std::string SeenStore::bucket_blob(std::string_view name, Millis size, Timestamp start) {
  return blob_name(name, std::to_string(size.count()) + "/" + std::to_string(start.ms));
}

void SeenStore::save(Checkpoint& checkpoint, std::string_view name) {
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, static_cast<std::uint32_t>(fine_.size() + coarse_.size()));
  std::set<std::string> kept{blob_name(name, "meta")};
  for (auto* buckets : {&fine_, &coarse_}) {
    for (auto& [start, bucket] : *buckets) {
      append_le(meta, start.ms);
      append_le(meta, static_cast<std::int64_t>(buckets->bucket_size().count()));
      append_le(meta, bucket.count);
      const std::string blob = bucket_blob(name, buckets->bucket_size(), start);
      save_bucket(checkpoint, blob, bucket);
      kept.insert(blob);
    }
  }
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
}

void SeenStore::save_bucket(Checkpoint& checkpoint, const std::string& blob, Bucket& bucket) {
  const auto saved_size = std::uint64_t{bucket.saved_count} * sizeof(Entry);
  const bool same_so_far =
      !bucket.saved_part_changed && checkpoint.size(blob).value_or(0) == saved_size;
  if (same_so_far && bucket.saved_count == bucket.count) return;
  const bool extend = same_so_far && checkpoint.can_extend(blob, saved_size);
  Buffer bytes;
  std::uint32_t index = extend ? bucket.saved_count : 0;
  bytes.reserve((bucket.count - index) * sizeof(Entry));
  while (index < bucket.count) {
    const auto in_chunk = index % kChunkEntries;
    const auto count = std::min<std::size_t>(kChunkEntries - in_chunk, bucket.count - index);
    adbrook::append(bytes, bytes_of(&entry_of(bucket, index), count));
    index += static_cast<std::uint32_t>(count);
  }
  extend ? checkpoint.extend(blob, bytes) : checkpoint.replace(blob, bytes);
  bucket.saved_count = bucket.count;
  bucket.saved_part_changed = false;
}

Result<void> SeenStore::load(const Checkpoint& checkpoint, std::string_view name) {
  clear();
  const auto meta = checkpoint.read(blob_name(name, "meta"));
  if (!meta) return pass(meta.error());
  BlobReader reader(*meta);
  if (reader.number<std::uint32_t>() != kStoreVersion) return unreadable_blob(name, "meta");
  const auto bucket_count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < bucket_count && reader.good(); ++i) {
    const Timestamp start{reader.number<std::int64_t>()};
    const Millis size{reader.number<std::int64_t>()};
    const auto count = reader.number<std::uint32_t>();
    if (!reader.good() || count == 0) return unreadable_blob(name, "meta");
    if (auto done = load_bucket(checkpoint, name, size, start, count); !done) return done;
  }
  if (!reader.ended_well()) return unreadable_blob(name, "meta");
  renumber();
  return {};
}

Result<void> SeenStore::load_bucket(const Checkpoint& checkpoint, std::string_view name,
                                    Millis size, Timestamp start, std::uint32_t count) {
  const std::string blob = bucket_blob(name, size, start);
  const auto bytes = checkpoint.read(blob);
  if (!bytes) return pass(bytes.error());
  if (bytes->size() != std::uint64_t{count} * sizeof(Entry)) return unreadable_blob(name, blob);
  // A bucket of another size, from before a setting was changed, is dealt out by the times.
  const bool same_size = size == fine_.bucket_size() || size == kCoarseBucket;
  auto& buckets = size == fine_.bucket_size() ? fine_ : coarse_;
  if (same_size && buckets.start_of(start) != start) return unreadable_blob(name, blob);
  Bucket* bucket = same_size ? &adopt(buckets.at(start), start) : nullptr;
  for (std::uint32_t i = 0; i < count; ++i) {
    Entry entry;
    std::memcpy(static_cast<void*>(&entry), bytes->data() + i * sizeof entry, sizeof entry);
    const Timestamp time = start + Millis(entry.when & kWhenMask);
    if (time - start >= size) return unreadable_blob(name, blob);
    append(same_size ? *bucket : bucket_for(time), time, entry);
  }
  if (same_size) bucket->saved_count = count;
  return {};
}

}  // namespace adbrook::state
