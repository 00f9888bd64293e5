// The members of Cells, apart from its contract; included by cells.h only.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "state/blob_reader.h"
#include "state/packed_words.h"

namespace adbrook::state {

template <auto kRules>
Cells<kRules>::Cells(CellOptions options)
    : options_(std::move(options)),
      key_words_((options_.dimensions + 1) / 2),
      row_words_(key_words_ + kRules.size()) {
  ADBROOK_ASSERT(options_.dimensions <= kCellDimensionsMax, "a view has at most 8 dimensions");
  ADBROOK_ASSERT(!options_.tiers.empty() && options_.tiers.size() <= kCellTiersMax,
                 "a view has one to three tiers");
  Millis finer(1);
  for (const CellTier& tier : options_.tiers) {
    ADBROOK_ASSERT(tier.bucket >= finer && tier.bucket % finer == Millis(0),
                   "a tier's bucket is a multiple of the finer one");
    finer = tier.bucket;
    tiers_.emplace_back(tier.bucket);
  }
}

template <auto kRules>
void Cells<kRules>::add(Timestamp time, const CellKey& key, const Measures& deltas) {
  KeyWords words;
  static_assert(sizeof words == sizeof key.ids);
  std::memcpy(words.data(), key.ids.data(), sizeof words);
  Bucket& bucket = tiers_[0].at(time);
  bucket.dirty = true;
  combine(find_or_add(bucket, words.data()) + key_words_, deltas.data());
}

template <auto kRules>
std::uint64_t Cells<kRules>::hash(const std::uint64_t* key) const {
  std::uint64_t mixed = options_.hash_seed ^ 0xA0761D6478BD642Full;
  for (std::size_t i = 0; i < key_words_; ++i) {
    const auto product = static_cast<unsigned __int128>(mixed ^ key[i]) * 0xE7037ED1A0B428DBull;
    mixed = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  return mixed;
}

// One to four words: a loop is quicker than a call of memcmp.
template <auto kRules>
bool Cells<kRules>::same_key(const std::uint64_t* a, const std::uint64_t* b) const {
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < key_words_; ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

// The slot that has it, or the empty one where it belongs.
template <auto kRules>
std::size_t Cells<kRules>::slot_of(const Bucket& bucket, const std::uint64_t* key,
                                   std::uint64_t hash) const {
  const std::size_t mask = bucket.slots.size() - 1;
  const std::uint64_t* slots = bucket.slots.data();
  std::size_t at = hash & mask;
  for (; slots[at] != 0; at = (at + 1) & mask) {
    if ((slots[at] >> 32) != (hash >> 32)) continue;
    const auto index = static_cast<std::uint32_t>(slots[at]) - 1;
    if (same_key(key, bucket.rows.data() + index * row_words_)) break;
  }
  return at;
}

template <auto kRules>
std::uint64_t* Cells<kRules>::find_or_add(Bucket& bucket, const std::uint64_t* key) {
  const std::uint64_t mixed = hash(key);
  std::size_t at = slot_of(bucket, key, mixed);
  if (bucket.slots[at] == 0) {
    const std::size_t size_before = size_of(bucket);
    if ((bucket.count + std::size_t{1}) * 4 > bucket.slots.size() * 3) {
      grow(bucket);
      at = slot_of(bucket, key, mixed);
    }
    bucket.rows.resize(bucket.rows.size() + row_words_);
    std::copy_n(key, key_words_, bucket.rows.end() - static_cast<std::ptrdiff_t>(row_words_));
    bucket.slots[at] = (mixed >> 32 << 32) | ++bucket.count;
    bucket_bytes_ += size_of(bucket) - size_before;
  }
  const auto index = static_cast<std::uint32_t>(bucket.slots[at]) - 1;
  return bucket.rows.data() + index * row_words_;
}

template <auto kRules>
void Cells<kRules>::grow(Bucket& bucket) const {
  bucket.slots.assign(bucket.slots.size() * 2, 0);
  const std::size_t mask = bucket.slots.size() - 1;
  for (std::uint32_t index = 0; index < bucket.count; ++index) {
    const std::uint64_t mixed = hash(bucket.rows.data() + index * row_words_);
    std::size_t at = mixed & mask;
    while (bucket.slots[at] != 0) at = (at + 1) & mask;
    bucket.slots[at] = (mixed >> 32 << 32) | (index + 1);
  }
}

template <auto kRules>
void Cells<kRules>::combine(std::uint64_t* into, const std::uint64_t* deltas) {
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    ((into[kIndex] = kRules[kIndex] == Combine::sum ? into[kIndex] + deltas[kIndex]
                                                    : into[kIndex] ^ deltas[kIndex]),
     ...);
  }(std::make_index_sequence<kRules.size()>{});
}

template <auto kRules>
void Cells<kRules>::advance(Timestamp watermark) {
  // From fine to coarse: after a jump a bucket goes through all tiers at once.
  for (std::size_t tier = 0; tier + 1 < tiers_.size(); ++tier) {
    const Millis kept = options_.tiers[tier].bucket + options_.tiers[tier].retention;
    auto& buckets = tiers_[tier];
    while (!buckets.empty() && watermark > buckets.begin()->first + kept) {
      fold(buckets.begin()->second, tiers_[tier + 1].at(buckets.begin()->first));
      bucket_bytes_ -= size_of(buckets.begin()->second);
      buckets.erase(buckets.begin());
    }
  }
}

template <auto kRules>
void Cells<kRules>::fold(const Bucket& from, Bucket& into) {
  for (std::uint32_t index = 0; index < from.count; ++index) {
    const std::uint64_t* row = from.rows.data() + index * row_words_;
    combine(find_or_add(into, row) + key_words_, row + key_words_);
  }
  into.dirty = true;
}

template <auto kRules>
template <class F>
void Cells<kRules>::for_each(TimeRange range, F&& f) const {
  for (std::size_t tier = 0; tier < tiers_.size(); ++tier) {
    const auto& buckets = tiers_[tier];
    const Millis size = buckets.bucket_size();
    auto at = buckets.lower_bound(range.begin - size + Millis(1));
    for (; at != buckets.end() && at->first < range.end; ++at) {
      for_each_in(at->second, {tier, at->first, size}, f);
    }
  }
}

template <auto kRules>
template <class F>
void Cells<kRules>::for_each_in(const Bucket& bucket, const CellBucket& place, F& f) const {
  CellKey key;
  Measures measures;
  for (std::uint32_t index = 0; index < bucket.count; ++index) {
    const std::uint64_t* row = bucket.rows.data() + index * row_words_;
    std::memcpy(key.ids.data(), row, key_words_ * sizeof *row);
    std::copy_n(row + key_words_, measures.size(), measures.begin());
    f(place, std::span<const std::uint32_t>(key.ids.data(), options_.dimensions),
      std::as_const(measures));
  }
}

template <auto kRules>
std::size_t Cells<kRules>::count() const {
  std::size_t count = 0;
  for (const auto& buckets : tiers_) {
    for (const auto& [start, bucket] : buckets) count += bucket.count;
  }
  return count;
}

template <auto kRules>
Bytes Cells<kRules>::memory() const {
  std::size_t bytes = tiers_.capacity() * sizeof(tiers_[0]) + bucket_bytes_;
  for (const auto& buckets : tiers_) bytes += buckets.node_bytes();
  return {static_cast<std::int64_t>(bytes)};
}

// An empty bucket counts as nothing, so that one that is made needs no bookkeeping.
template <auto kRules>
std::size_t Cells<kRules>::size_of(const Bucket& bucket) {
  if (bucket.count == 0) return 0;
  return (bucket.rows.capacity() + bucket.slots.capacity()) * sizeof(std::uint64_t) +
         2 * kAllocationHead;
}

template <auto kRules>
std::string Cells<kRules>::bucket_blob(std::string_view name, std::size_t tier, Timestamp start) {
  return blob_name(name, std::to_string(tier) + "/" + std::to_string(start.ms));
}

template <auto kRules>
void Cells<kRules>::save(Checkpoint& checkpoint, std::string_view name) {
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, static_cast<std::uint32_t>(options_.dimensions));
  append_le(meta, static_cast<std::uint32_t>(kRules.size()));
  std::uint32_t bucket_count = 0;
  for (const auto& buckets : tiers_) bucket_count += static_cast<std::uint32_t>(buckets.size());
  append_le(meta, bucket_count);
  std::set<std::string> kept{blob_name(name, "meta")};
  for (std::size_t tier = 0; tier < tiers_.size(); ++tier) {
    save_tier(tier, checkpoint, name, meta, kept);
  }
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
}

template <auto kRules>
void Cells<kRules>::save_tier(std::size_t tier, Checkpoint& checkpoint, std::string_view name,
                              Buffer& meta, std::set<std::string>& kept) {
  Buffer bytes;
  for (auto& [start, bucket] : tiers_[tier]) {
    append_le(meta, static_cast<std::uint32_t>(tier));
    append_le(meta, start.ms);
    append_le(meta, static_cast<std::int64_t>(tiers_[tier].bucket_size().count()));
    append_le(meta, bucket.count);
    const std::string blob = bucket_blob(name, tier, start);
    // A bucket that was not touched since the last checkpoint hardly grows any more.
    if (!bucket.dirty) {
      bucket_bytes_ -= size_of(bucket);
      bucket.rows.shrink_to_fit();
      bucket_bytes_ += size_of(bucket);
    }
    if (bucket.dirty || !checkpoint.size(blob)) checkpoint.replace(blob, packed(bucket, bytes));
    bucket.dirty = false;
    kept.insert(blob);
  }
}

template <auto kRules>
ByteView Cells<kRules>::packed(const Bucket& bucket, Buffer& into) const {
  into.resize(bucket.count * packed_size_max(row_words_));
  std::byte* to = into.data();
  for (std::uint32_t index = 0; index < bucket.count; ++index)
    to = pack_words(to, {bucket.rows.data() + index * row_words_, row_words_});
  return {into.data(), to};
}

template <auto kRules>
Result<void> Cells<kRules>::load(const Checkpoint& checkpoint, std::string_view name) {
  for (auto& buckets : tiers_) buckets.clear();
  bucket_bytes_ = 0;
  const auto meta = checkpoint.read(blob_name(name, "meta"));
  if (!meta) return pass(meta.error());
  BlobReader reader(*meta);
  const bool known = reader.number<std::uint32_t>() == kStoreVersion &&
                     reader.number<std::uint32_t>() == options_.dimensions &&
                     reader.number<std::uint32_t>() == kRules.size();
  if (!known) return unreadable_blob(name, "meta");
  const auto bucket_count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < bucket_count; ++i) {
    const auto tier = reader.number<std::uint32_t>();
    const Timestamp start{reader.number<std::int64_t>()};
    const Millis size{reader.number<std::int64_t>()};
    const auto count = reader.number<std::uint32_t>();
    if (!reader.good() || tier >= tiers_.size() || size != tiers_[tier].bucket_size() ||
        tiers_[tier].start_of(start) != start) {
      return unreadable_blob(name, "meta");
    }
    const std::string blob = bucket_blob(name, tier, start);
    const auto bytes = checkpoint.read(blob);
    if (!bytes) return pass(bytes.error());
    if (!decode(*bytes, tiers_[tier].at(start), count)) return unreadable_blob(name, blob);
  }
  if (!reader.ended_well()) return unreadable_blob(name, "meta");
  return {};
}

template <auto kRules>
bool Cells<kRules>::decode(ByteView bytes, Bucket& bucket, std::uint32_t count) {
  // A row has its head at least, so that a count that lies reserves no memory.
  if (bytes.size() < std::uint64_t{count} * ((row_words_ + 1) / 2)) return false;
  bucket.rows.resize(count * row_words_);
  BlobReader reader(bytes);
  for (std::uint32_t index = 0; index < count; ++index)
    if (!unpack_words(reader, {bucket.rows.data() + index * row_words_, row_words_})) return false;
  if (!reader.ended_well()) return false;
  bucket.count = count;
  while (count * std::size_t{4} > bucket.slots.size() * 3) {
    bucket.slots.resize(bucket.slots.size() * 2);
  }
  bucket.slots.resize(bucket.slots.size() / 2);
  grow(bucket);
  bucket.dirty = false;
  bucket_bytes_ += size_of(bucket);
  return true;
}

}  // namespace adbrook::state
