#include "state/time_store.h"

#include <algorithm>
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
constexpr Millis kBucketMax{0xFFFFFFFFll};  // a bucket's times have 32 bits
// A table below it is not worth a run, unless there is nothing else.
constexpr std::size_t kSpillMin = 64 << 10;

std::string bucket_blob(std::string_view name, Timestamp start) {
  return blob_name(name, std::to_string(start.ms));
}

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

void TimeStore::open(Checkpoint& checkpoint) {
  run_files_ = checkpoint.runs();
  trouble_ = check_budget(options_.budget, options_.over_budget);
  if (options_.bucket < Millis(1) || options_.bucket > kBucketMax)
    trouble_ = fail(ErrorKind::invalid, "cannot open a store with buckets of " +
                                            std::to_string(options_.bucket.count()) +
                                            " ms: the times in one have 32 bits; choose 1 ms to 49 "
                                            "days");
}

// In memory; kNone when the table does not say.
std::uint32_t TimeStore::find(const Bucket& bucket, ByteView key, std::uint64_t hashed,
                              Moment moment) const {
  const std::uint32_t known = bucket.table.find_key(key, hashed);
  return known == TimeTable::kNone ? known : bucket.table.find(known, moment);
}

std::optional<ByteView> TimeStore::spilled_value(const Bucket& bucket, ByteView key,
                                                 std::uint64_t hashed, Moment moment) const {
  RunEntry entry;
  const auto found = bucket.runs.find(key, hashed, moment, entry, block_);
  if (!found) keep_error(std::unexpected(found.error()));
  if (!found || !*found || entry.gone) return std::nullopt;
  return entry.value;
}

// What lies on disk is copied into memory and counts from there.
std::span<std::byte> TimeStore::set(Bucket& bucket, ByteView key, std::uint64_t hashed,
                                    Moment moment, std::size_t size) {
  TimeTable& table = bucket.table;
  const std::size_t memory_before = bucket.memory();
  table.tidy(bucket.shadows(), seed_);
  const std::size_t live_before = table.count();
  std::optional<ByteView> spilled;
  if (bucket.shadows() && find(bucket, key, hashed, moment) == TimeTable::kNone)
    spilled = spilled_value(bucket, key, hashed, moment);
  const std::span<std::byte> value = table.value(table.set(key, hashed, moment, size));
  if (spilled && spilled->size() == size) copy_bytes(*spilled, value.data());
  const std::size_t added = spilled ? 0 : table.count() - live_before;
  bucket.count += added;
  count_ += added;
  bucket_bytes_ += bucket.memory() - memory_before;
  return value;
}

// One above the highest there is of this time.
std::uint32_t TimeStore::next_sequence(const Bucket& bucket, ByteView key, std::uint64_t hashed,
                                       std::uint32_t delta) const {
  std::uint32_t next = 0;
  if (bucket.runs.may_have(hashed)) {
    MergedEntries entries = entries_of(bucket, key, hashed, delta);
    for (RunEntry entry; entries.next(entry);) {
      if (entry.moment.delta != delta || as_text(entry.key) != as_text(key)) break;
      next = entry.moment.sequence + 1;
    }
    keep_error(entries.result());
    return next;
  }
  const TimeTable& table = bucket.table;
  const std::uint32_t known = table.find_key(key, hashed);
  std::uint32_t at = known == TimeTable::kNone ? TimeTable::kNone : table.newest(known);
  for (; at != TimeTable::kNone; at = table.older(at)) {
    const Moment moment = table.moment(at);
    if (moment.delta < delta) break;
    if (moment.delta == delta && !table.gone(at)) return moment.sequence + 1;
  }
  return next;
}

void TimeStore::add(ByteView key, Timestamp time, ByteView value) {
  if (time < limit_) return;
  make_room();
  const std::uint64_t hashed = hash(key);
  Bucket& bucket = bucket_at(time);
  Moment moment = moment_in(bucket, time);
  moment.sequence = next_sequence(bucket, key, hashed, moment.delta);
  copy_bytes(value, set(bucket, key, hashed, moment, value.size()).data());
}

std::optional<ByteView> TimeStore::get(ByteView key, Timestamp time) const {
  if (time < limit_) return std::nullopt;
  const Bucket* bucket = buckets_.find(time);
  if (bucket == nullptr) return std::nullopt;
  const std::uint64_t hashed = hash(key);
  const Moment moment = moment_in(*bucket, time);
  const std::uint32_t entry = find(*bucket, key, hashed, moment);
  if (entry == TimeTable::kNone) return spilled_value(*bucket, key, hashed, moment);
  if (bucket->table.gone(entry)) return std::nullopt;
  return bucket->table.value(entry);
}

std::span<std::byte> TimeStore::upsert(ByteView key, Timestamp time, std::size_t size) {
  if (time < limit_) {
    dropped_.assign(size, std::byte{0});
    return dropped_;
  }
  make_room();
  Bucket& bucket = bucket_at(time);
  return set(bucket, key, hash(key), moment_in(bucket, time), size);
}

void TimeStore::put(ByteView key, Timestamp time, ByteView value) {
  if (time < limit_) return;
  copy_bytes(value, upsert(key, time, value.size()).data());
}

bool TimeStore::erase(ByteView key, Timestamp time, std::uint32_t sequence) {
  if (time < limit_) return false;
  make_room();
  Bucket* bucket = buckets_.find(time);
  if (bucket == nullptr) return false;
  const std::uint64_t hashed = hash(key);
  const Moment moment = moment_in(*bucket, time, sequence);
  const std::uint32_t entry = find(*bucket, key, hashed, moment);
  const bool there = entry == TimeTable::kNone
                         ? spilled_value(*bucket, key, hashed, moment).has_value()
                         : !bucket->table.gone(entry);
  if (!there) return false;
  const std::size_t memory_before = bucket->memory();
  bucket->table.tidy(bucket->shadows(), seed_);
  bucket->table.erase(key, hashed, moment, bucket->shadows());
  --bucket->count;
  --count_;
  bucket_bytes_ += bucket->memory() - memory_before;
  return true;
}

// The oldest buckets are the coldest. Late entries of one that was spilled stay until they are
// many, or until nothing else is left.
void TimeStore::make_room() {
  const BudgetMarks marks(options_.budget);
  const auto used = [&] { return static_cast<std::size_t>(memory().count); };
  if (options_.over_budget != OverBudget::spill || used() <= marks.high || !trouble_) return;
  ADBROOK_ASSERT(run_files_ != nullptr, "a store that spills was opened");
  if (table_bytes() < marks.worth_spilling) return;
  SpillPlace place{run_files_};
  for (const std::size_t least : {kSpillMin, std::size_t{1}}) {
    for (auto& [start, bucket] : buckets_) {
      if (used() <= marks.low || !trouble_) break;
      if (bucket.table.used() >= least) spill(bucket, place);
    }
  }
  // The budget is one of resident memory: what was freed must not stay with the allocator.
  if (place.position >= kWorthGivingBack) io::give_back_free_pages();
}

void TimeStore::spill(Bucket& bucket, SpillPlace& place) {
  const std::size_t memory_before = bucket.memory();
  trouble_ = bucket.spill(place, seed_);
  bucket_bytes_ += bucket.memory() - memory_before;
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

void TimeStore::visit_key(ByteView key, Timestamp first, Timestamp last, KeyVisit f) const {
  const std::uint64_t hashed = hash(key);
  for_buckets(first, last, [&](const Bucket& bucket, Deltas deltas) {
    if (bucket.runs.may_have(hashed)) {
      fetch_merged(bucket, key, hashed, deltas, f);
    } else {
      fetch_from_table(bucket, key, hashed, deltas, f);
    }
  });
}

// The chain leads from new to old, and is asked for from old to new.
void TimeStore::fetch_from_table(const Bucket& bucket, ByteView key, std::uint64_t hashed,
                                 Deltas deltas, KeyVisit f) const {
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
}

// Those of the key from a time on, and then those of other keys.
MergedEntries TimeStore::entries_of(const Bucket& bucket, ByteView key, std::uint64_t hashed,
                                    std::uint32_t first_delta) const {
  std::vector<std::unique_ptr<EntrySource>> sources;
  const Moment from{first_delta, 0};
  const std::uint32_t known = bucket.table.find_key(key, hashed);
  if (known != TimeTable::kNone)
    sources.push_back(std::make_unique<TimeTableEntries>(bucket.table, known, from));
  bucket.runs.add_sources(sources, key, hashed, from);
  return MergedEntries(std::move(sources), false);
}

void TimeStore::fetch_merged(const Bucket& bucket, ByteView key, std::uint64_t hashed,
                             Deltas deltas, KeyVisit f) const {
  MergedEntries entries = entries_of(bucket, key, hashed, deltas.first);
  for (RunEntry entry; entries.next(entry);) {
    if (entry.moment.delta > deltas.last || as_text(entry.key) != as_text(key)) break;
    f(bucket.start + Millis(entry.moment.delta), entry.moment.sequence, entry.value);
  }
  keep_error(entries.result());
}

void TimeStore::visit(Timestamp first, Timestamp last, EntryVisit f) const {
  for_buckets(first, last,
              [&](const Bucket& bucket, Deltas deltas) { visit_bucket(bucket, deltas, f); });
}

// Buckets are in order of their keys; this is by time first, and each time is small enough to be
// sorted: entries that come from disk are copied, those in memory are not.
void TimeStore::visit_bucket(const Bucket& bucket, Deltas deltas, EntryVisit f) const {
  std::vector<std::unique_ptr<EntrySource>> sources;
  sources.push_back(std::make_unique<TimeTableEntries>(bucket.table));
  bucket.runs.add_sources(sources);
  MergedEntries entries(std::move(sources), false);
  std::vector<RunEntry> found;
  ByteArena copies;
  const auto kept = [&](ByteView bytes) -> ByteView {
    if (!bucket.shadows() || bytes.empty()) return bytes;
    std::byte* copy = copies.at(copies.allocate(bytes.size()));
    copy_bytes(bytes, copy);
    return {copy, bytes.size()};
  };
  for (RunEntry entry; entries.next(entry);) {
    if (entry.moment.delta < deltas.first || entry.moment.delta > deltas.last) continue;
    found.push_back({kept(entry.key), entry.moment, false, kept(entry.value)});
  }
  keep_error(entries.result());
  // The keys are in order already.
  std::ranges::stable_sort(found, {}, [](const RunEntry& one) { return one.moment.delta; });
  for (const RunEntry& one : found)
    f(one.key, bucket.start + Millis(one.moment.delta), one.moment.sequence, one.value);
}

void TimeStore::expire(Timestamp before) {
  if (before <= limit_) return;
  limit_ = before;
  while (!buckets_.empty()) {
    const auto first = buckets_.begin();
    if (first->first + buckets_.bucket_size() > limit_) break;
    count_ -= first->second.count;
    bucket_bytes_ -= first->second.memory();
    buckets_.erase(first);
  }
}

Bytes TimeStore::memory() const {
  return {static_cast<std::int64_t>(bucket_bytes_ + buckets_.node_bytes() +
                                    chain_.capacity() * sizeof(chain_[0]) + dropped_.capacity() +
                                    block_.capacity())};
}

// Of what could be spilled.
std::size_t TimeStore::table_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [start, bucket] : buckets_) bytes += bucket.table.memory();
  return bytes;
}

bool TimeStore::full() const {
  if (memory() < options_.budget) return false;
  return options_.over_budget == OverBudget::wait ||
         table_bytes() < BudgetMarks(options_.budget).worth_spilling;
}

void TimeStore::save(Checkpoint& checkpoint, std::string_view name) {
  if (!trouble_) checkpoint.spoil(trouble_.error());
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, seed_);
  append_le(meta, static_cast<std::int64_t>(buckets_.bucket_size().count()));
  append_le(meta, limit_.ms);
  append_le(meta, static_cast<std::uint32_t>(buckets_.size()));
  std::set<std::string> kept{blob_name(name, "meta")};
  for (auto& [start, bucket] : buckets_) {
    append_le(meta, start.ms);
    bucket.save(checkpoint, {name, bucket_blob(name, start)}, meta, kept);
  }
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
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
  count_ = bucket_bytes_ = 0;
  Buffer scratch;
  for (std::uint32_t i = 0; i < bucket_count; ++i)
    if (auto done = load_bucket(checkpoint, name, reader, scratch); !done) return done;
  return reader.ended_well() ? Result<void>{} : unreadable_blob(name, "meta");
}

Result<void> TimeStore::load_bucket(const Checkpoint& checkpoint, std::string_view name,
                                    BlobReader& meta, Buffer& scratch) {
  const Timestamp start{meta.number<std::int64_t>()};
  if (!meta.good() || buckets_.start_of(start) != start) return unreadable_blob(name, "meta");
  Bucket& bucket = bucket_at(start);
  if (auto done = bucket.load(checkpoint, {name, bucket_blob(name, start)}, meta, scratch, seed_,
                              buckets_.bucket_size().count());
      !done)
    return done;
  count_ += bucket.count;
  bucket_bytes_ += bucket.memory();
  return {};
}

}  // namespace adbrook::state
