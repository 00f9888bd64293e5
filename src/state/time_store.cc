#include "state/time_store.h"

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "base/hash.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kStoreVersion = 1;
constexpr Millis kBucketMax{0xFFFFFFFFll};  // a bucket's times have 32 bits
constexpr std::uint64_t kSmallBlob = 4096;  // below it a rewrite costs nothing

}  // namespace

TimeStore::TimeStore(TimeStoreOptions options)
    : options_(options),
      seed_(options.hash_seed),
      buckets_(std::clamp(options.bucket, Millis(1), kBucketMax)) {}

std::uint64_t TimeStore::hash(ByteView key) const { return seeded_hash(as_text(key), seed_); }

TimeStore::Bucket& TimeStore::bucket_at(Timestamp time) {
  Bucket& bucket = buckets_.at(time);
  bucket.start = buckets_.start_of(time);
  return bucket;
}

// Runs f, which changes the bucket's table, and keeps the sum of the memory.
template <class F>
auto TimeStore::changing(Bucket& bucket, F f) {
  const std::size_t memory_before = bucket.table.memory();
  const std::size_t count_before = bucket.table.count();
  bucket.table.tidy(false, [&](ByteView key) { return hash(key); });
  const auto result = f(bucket.table);
  table_bytes_ += bucket.table.memory() - memory_before;
  count_ += bucket.table.count() - count_before;
  return result;
}

std::span<std::byte> TimeStore::set(Bucket& bucket, ByteView key, std::uint64_t hashed,
                                    Moment moment, std::size_t size) {
  return changing(
      bucket, [&](TimeTable& table) { return table.value(table.set(key, hashed, moment, size)); });
}

void TimeStore::add(ByteView key, Timestamp time, ByteView value) {
  if (time < limit_) return;
  const std::uint64_t hashed = hash(key);
  Bucket& bucket = bucket_at(time);
  Moment moment = moment_in(bucket, time);
  const TimeTable& table = bucket.table;
  const std::uint32_t known = table.find_key(key, hashed);
  std::uint32_t at = known == TimeTable::kNone ? TimeTable::kNone : table.newest(known);
  while (at != TimeTable::kNone && (table.moment(at).delta > moment.delta ||
                                    (table.gone(at) && table.moment(at).delta == moment.delta)))
    at = table.older(at);
  if (at != TimeTable::kNone && table.moment(at).delta == moment.delta)
    moment.sequence = table.moment(at).sequence + 1;
  std::ranges::copy(value, set(bucket, key, hashed, moment, value.size()).begin());
}

std::optional<ByteView> TimeStore::get(ByteView key, Timestamp time) const {
  if (time < limit_) return std::nullopt;
  const Bucket* bucket = buckets_.find(time);
  if (bucket == nullptr) return std::nullopt;
  const TimeTable& table = bucket->table;
  const std::uint32_t known = table.find_key(key, hash(key));
  if (known == TimeTable::kNone) return std::nullopt;
  const std::uint32_t entry = table.find(known, moment_in(*bucket, time));
  if (entry == TimeTable::kNone || table.gone(entry)) return std::nullopt;
  return table.value(entry);
}

std::span<std::byte> TimeStore::upsert(ByteView key, Timestamp time, std::size_t size) {
  if (time < limit_) {
    dropped_.assign(size, std::byte{0});
    return dropped_;
  }
  Bucket& bucket = bucket_at(time);
  return set(bucket, key, hash(key), moment_in(bucket, time), size);
}

void TimeStore::put(ByteView key, Timestamp time, ByteView value) {
  if (time < limit_) return;
  std::ranges::copy(value, upsert(key, time, value.size()).begin());
}

bool TimeStore::erase(ByteView key, Timestamp time, std::uint32_t sequence) {
  if (time < limit_) return false;
  Bucket* bucket = buckets_.find(time);
  if (bucket == nullptr) return false;
  const std::size_t before = count_;
  changing(*bucket, [&](TimeTable& table) {
    table.erase(key, hash(key), moment_in(*bucket, time, sequence), false);
    return true;
  });
  return count_ < before;
}

std::optional<TimeStore::Deltas> TimeStore::deltas_in(const Bucket& bucket, Timestamp first,
                                                      Timestamp last) const {
  const Timestamp from = std::max({first, limit_, bucket.start});
  const Timestamp to = std::min(last, bucket.start + (buckets_.bucket_size() - Millis(1)));
  if (from > to) return std::nullopt;
  return Deltas{moment_in(bucket, from).delta, moment_in(bucket, to).delta};
}

// f(bucket, deltas) for those that have a part of it.
template <class F>
void TimeStore::for_buckets(Timestamp first, Timestamp last, F f) const {
  const Timestamp from = std::max(first, limit_);
  if (from > last) return;
  const auto begin = buckets_.lower_bound(buckets_.start_of(from));
  for (auto at = begin; at != buckets_.end() && at->first <= last; ++at)
    if (const auto deltas = deltas_in(at->second, first, last)) f(at->second, *deltas);
}

// The chain leads from new to old, and is asked for from old to new.
void TimeStore::visit_key(ByteView key, Timestamp first, Timestamp last, KeyVisit f) const {
  const std::uint64_t hashed = hash(key);
  for_buckets(first, last, [&](const Bucket& bucket, Deltas deltas) {
    const TimeTable& table = bucket.table;
    const std::uint32_t known = table.find_key(key, hashed);
    if (known == TimeTable::kNone) return;
    chain_.clear();
    for (std::uint32_t at = table.newest(known); at != TimeTable::kNone; at = table.older(at)) {
      const std::uint32_t delta = table.moment(at).delta;
      if (delta < deltas.first) break;
      if (delta <= deltas.last && !table.gone(at)) chain_.push_back(at);
    }
    for (auto at = chain_.rbegin(); at != chain_.rend(); ++at) {
      const Moment moment = table.moment(*at);
      f(bucket.start + Millis(moment.delta), moment.sequence, table.value(*at));
    }
  });
}

void TimeStore::visit(Timestamp first, Timestamp last, EntryVisit f) const {
  struct Found {
    Moment moment;
    ByteView key, value;
    bool operator<(const Found& other) const {
      if (moment.delta != other.moment.delta) return moment.delta < other.moment.delta;
      const int order = as_text(key).compare(as_text(other.key));
      return order != 0 ? order < 0 : moment.sequence < other.moment.sequence;
    }
  };
  std::vector<Found> found;
  for_buckets(first, last, [&](const Bucket& bucket, Deltas deltas) {
    found.clear();
    const TimeTable& table = bucket.table;
    table.for_each([&](std::uint32_t key, std::uint32_t entry) {
      const Moment moment = table.moment(entry);
      if (moment.delta >= deltas.first && moment.delta <= deltas.last && !table.gone(entry))
        found.push_back({moment, table.key_bytes(key), table.value(entry)});
    });
    std::ranges::sort(found, std::less<>{});
    for (const Found& one : found)
      f(one.key, bucket.start + Millis(one.moment.delta), one.moment.sequence, one.value);
  });
}

void TimeStore::expire(Timestamp before) {
  if (before <= limit_) return;
  limit_ = before;
  while (!buckets_.empty()) {
    const auto first = buckets_.begin();
    if (first->first + buckets_.bucket_size() > limit_) break;
    count_ -= first->second.table.count();
    table_bytes_ -= first->second.table.memory();
    buckets_.erase(first);
  }
}

Bytes TimeStore::memory() const {
  return {static_cast<std::int64_t>(table_bytes_ + buckets_.node_bytes() +
                                    chain_.capacity() * sizeof(chain_[0]) + dropped_.capacity())};
}

void TimeStore::save(Checkpoint& checkpoint, std::string_view name) {
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, seed_);
  append_le(meta, static_cast<std::int64_t>(buckets_.bucket_size().count()));
  append_le(meta, limit_.ms);
  append_le(meta, static_cast<std::uint32_t>(buckets_.size()));
  std::set<std::string> kept{blob_name(name, "meta")};
  for (auto& [start, bucket] : buckets_) {
    const std::string blob = blob_name(name, std::to_string(start.ms));
    save_bucket(checkpoint, blob, bucket);
    append_le(meta, start.ms);
    append_le(meta, bucket.saved_size);
    append_le(meta, static_cast<std::uint64_t>(bucket.table.count()));
    if (bucket.saved_size != 0) kept.insert(blob);
  }
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
}

// Changes go behind what is there, until that would be half garbage.
void TimeStore::save_bucket(Checkpoint& checkpoint, const std::string& blob, Bucket& bucket) {
  TimeTable& table = bucket.table;
  // An empty blob is none.
  const std::uint64_t stored = checkpoint.size(blob).value_or(0);
  const bool stored_as_known = stored == bucket.saved_size;
  if (stored_as_known && !table.changed()) return;
  Buffer bytes;
  if (stored_as_known && checkpoint.can_extend(blob, stored)) {
    table.append_changes(bytes);
    if (stored + bytes.size() <= 2 * table.encoded_size() + kSmallBlob) {
      checkpoint.extend(blob, bytes);
      bucket.saved_size = stored + bytes.size();
      return;
    }
    bytes.clear();
  }
  table.append_all(bytes, false);
  checkpoint.replace(blob, bytes);
  bucket.saved_size = bytes.size();
}

Result<void> TimeStore::load(const Checkpoint& checkpoint, std::string_view name) {
  const auto meta = checkpoint.read(blob_name(name, "meta"));
  if (!meta) return pass(meta.error());
  BlobReader reader(*meta);
  const auto version = reader.number<std::uint32_t>();
  seed_ = reader.number<std::uint64_t>();
  const Millis size{reader.number<std::int64_t>()};
  limit_ = {reader.number<std::int64_t>()};
  const auto bucket_count = reader.number<std::uint32_t>();
  if (version != kStoreVersion || size < Millis(1) || size > kBucketMax)
    return unreadable_blob(name, "meta");
  // As stored: blobs and buckets stay one to one.
  buckets_ = TimeBuckets<Bucket>(size);
  count_ = table_bytes_ = 0;
  for (std::uint32_t i = 0; i < bucket_count; ++i) {
    const Timestamp start{reader.number<std::int64_t>()};
    const auto saved_size = reader.number<std::uint64_t>();
    const auto count = reader.number<std::uint64_t>();
    if (!reader.good() || buckets_.start_of(start) != start) return unreadable_blob(name, "meta");
    if (auto done = load_bucket(checkpoint, name, start, saved_size, count); !done) return done;
  }
  return reader.ended_well() ? Result<void>{} : unreadable_blob(name, "meta");
}

Result<void> TimeStore::load_bucket(const Checkpoint& checkpoint, std::string_view name,
                                    Timestamp start, std::uint64_t size, std::uint64_t count) {
  Bucket& bucket = bucket_at(start);
  if (size == 0 && count == 0) return {};
  const std::string blob = blob_name(name, std::to_string(start.ms));
  const auto bytes = checkpoint.read(blob);
  if (!bytes) return pass(bytes.error());
  const auto hash_of = [&](ByteView key) { return hash(key); };
  if (bytes->size() != size ||
      !bucket.table.load(*bytes, buckets_.bucket_size().count(), false, hash_of) ||
      bucket.table.count() != count)
    return unreadable_blob(name, blob);
  bucket.table.mark_saved();
  bucket.saved_size = size;
  count_ += count;
  table_bytes_ += bucket.table.memory();
  return {};
}

}  // namespace adbrook::state
