#include "log/partition.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "record/batch.h"

namespace adbrook::log {
namespace {

// One node has one leader for ever.
constexpr std::int32_t kLeaderEpoch = 0;

// Every change of the ends comes through here.
void check(const Ends& ends) {
  ADBROOK_ASSERT(ends.start <= ends.stable && ends.stable <= ends.visible &&
                     ends.visible <= ends.durable && ends.durable <= ends.written,
                 "last stable <= visible <= durable <= written");
}

void wake(std::multimap<Offset, io::Step>& waiting, Offset below, std::vector<io::Step>& woken) {
  const auto end = waiting.lower_bound(below);
  for (auto waiter = waiting.begin(); waiter != end; ++waiter)
    woken.push_back(std::move(waiter->second));
  waiting.erase(waiting.begin(), end);
}

}  // namespace

Result<BatchFacts> batch_facts(ByteView batch, const record::BatchHeader& header) {
  BatchFacts facts{.offset_count = std::int64_t{header.last_offset_delta} + 1,
                   .max_timestamp = header.max_timestamp};
  if (header.producer_id < 0) return facts;
  facts.producer = {.id = header.producer_id,
                    .epoch = header.producer_epoch,
                    .first_sequence = header.base_sequence,
                    .transactional = header.transactional()};
  if (header.control()) {
    const auto marker = record::read_transaction_marker(batch);
    if (!marker) return pass(marker.error());
    facts.producer.marker = *marker;
  } else {
    facts.producer.last_sequence = sequence_after(header.base_sequence, header.last_offset_delta);
  }
  return facts;
}

Partition::Partition(io::FileSystem& files, PartitionKey key, std::string directory,
                     ConfigPtr config, const CheckpointedPartition& kept)
    : files_(files),
      key_(key),
      directory_(std::move(directory)),
      config_(std::move(config)),
      cleanup_(cleanup_policy(*config_)),
      next_(kept.next),
      last_append_time_(kept.last_append_time) {
  for (const SegmentExtent& extent : kept.segments)
    readers.segments.push_back(std::make_shared<Segment>(files, directory_, extent));
  if (!kept.segments.empty()) {
    active_ = readers.segments.back();
    active_base_ = kept.segments.back().base;
    active_since_ = kept.segments.back().first_append_time;
  }
  producers_.restore(kept.producers);
  for (const AbortedTransaction& transaction : kept.aborted) readers.aborted.add(transaction);
  readers.aborted.drop_below(kept.start);
  readers.compacted_to = kept.compacted_to;
  readers.ends.start = kept.start;
  move_ends();
}

Offset Partition::Readers::hold_floor() const {
  Offset floor{std::numeric_limits<std::int64_t>::max()};
  for (const auto& [holder, offset] : holds) floor = std::min(floor, offset);
  return floor;
}

void Partition::Readers::advance_start(Offset start,
                                       std::vector<std::shared_ptr<Segment>>& dropped) {
  ends.start = std::max(ends.start, start);
  ends.stable = std::max(ends.stable, ends.start);
  check(ends);
  aborted.drop_below(ends.start);
  auto end = segments.begin();
  while (segments.end() - end > 1 && (*(end + 1))->base() <= ends.start) ++end;
  dropped.insert(dropped.end(), segments.begin(), end);
  segments.erase(segments.begin(), end);
}

std::uint64_t Partition::Readers::size_on_disk() const {
  std::uint64_t size = 0;
  for (const auto& segment : segments) {
    const SegmentExtent extent = segment->extent();
    size += extent.log_size + std::uint64_t{extent.batch_count} * kSegmentRowSize;
  }
  return size;
}

Result<void> Partition::roll() {
  const SegmentExtent extent{.base = next_};
  auto segment = std::make_shared<Segment>(files_, directory_, extent);
  if (auto done = segment->open_for_append(); !done) return done;
  directory_unsynced_ = true;
  // Sealed when its last staged batch is written, closed when a checkpoint has synced it. A new
  // segment that got no batch because another partition had no room is used by the next append.
  if (active_ && active_->opened()) sealing_.push_back(active_);
  active_unsynced_ = false;
  active_ = segment;
  active_base_ = next_;
  fresh_.push_back(std::move(segment));
  return {};
}

// Whether the active segment may not take these any more.
bool Partition::is_full(const Needed& needed, Timestamp now) const {
  if (active_->staged_end() == 0) return false;
  const bool too_big =
      active_->staged_end() + needed.size > static_cast<std::size_t>(config_->segment_bytes.count);
  // Rows count offsets from the base in 32 bits.
  const bool too_long =
      next_ + needed.offset_count - active_base_ > std::numeric_limits<std::uint32_t>::max();
  // Nothing is compacted before its segment is full.
  Millis time_max = config_->segment_time;
  if (cleanup_.by_key && cleanup_.lag_max > Millis(0) &&
      (time_max <= Millis(0) || cleanup_.lag_max < time_max))
    time_max = cleanup_.lag_max;
  const bool too_old = time_max > Millis(0) && active_since_ + time_max < now;
  return too_big || too_long || too_old;
}

Result<void> Partition::make_room(const Needed& needed, Timestamp now) {
  if (!active_ || is_full(needed, now)) {
    if (auto done = roll(); !done) return done;
  } else if (!active_->opened()) {
    if (auto done = active_->open_for_append(); !done) return done;
  }
  return active_->reserve(needed.size, needed.batch_count);
}

SegmentRow Partition::take(std::span<std::byte> batch, const BatchFacts& facts, Timestamp now) {
  last_append_time_ = append_time(now);
  if (active_->staged_end() == 0) active_since_ = last_append_time_;
  record::patch_base(batch, next_, kLeaderEpoch);
  const SegmentRow row{.first = next_,
                       .position = active_->staged_end(),
                       .size = static_cast<std::uint32_t>(batch.size()),
                       .append_time = last_append_time_,
                       .max_timestamp = facts.max_timestamp};
  active_->stage(row, batch);
  if (writing_.empty() || writing_.back() != active_) writing_.push_back(active_);
  active_unsynced_ = true;
  if (facts.producer.id >= 0) {
    if (const auto aborted = producers_.apply(facts.producer, next_, last_append_time_))
      ended_.push_back(*aborted);
  }
  next_ = next_ + facts.offset_count;
  return row;
}

Result<void> Partition::write_staged(GatheredBytes& scratch) {
  for (const auto& segment : writing_)
    if (auto done = segment->write_staged(scratch); !done) return done;
  for (const auto& segment : sealing_) {
    if (auto done = segment->seal(); !done) return done;
    sealed_unsynced_.push_back(segment);
  }
  sealing_.clear();
  return {};
}

void Partition::publish(std::vector<io::Step>& woken) {
  for (const auto& segment : writing_) segment->publish();
  writing_.clear();
  // An empty one waits for its first batch: a published segment holds at least one.
  std::erase_if(fresh_, [&](const std::shared_ptr<Segment>& segment) {
    if (segment->staged_end() == 0) return false;
    readers.segments.push_back(segment);
    return true;
  });
  for (const AbortedTransaction& transaction : ended_) readers.aborted.add(transaction);
  ended_.clear();
  move_ends();
  wake(readers.waiting, readers.ends.visible, woken);
  wake(readers.waiting_stable, readers.ends.stable, woken);
}

// Without replicas three ends move together; written moves ahead only between here and the lock,
// where nobody can look.
void Partition::move_ends() {
  const Offset start = readers.ends.start;
  const Offset stable = std::max(start, producers_.first_open().value_or(next_));
  readers.ends = {
      .start = start, .stable = stable, .visible = next_, .durable = next_, .written = next_};
  check(readers.ends);
}

CheckpointedPartition Partition::describe() const {
  CheckpointedPartition kept{
      .start = readers.ends.start, .next = next_, .last_append_time = last_append_time_};
  for (const auto& segment : readers.segments) kept.segments.push_back(segment->extent());
  kept.compacted_to = readers.compacted_to;
  kept.producers = producers_.describe();
  kept.aborted = readers.aborted.describe();
  return kept;
}

Partition::Unsynced Partition::take_unsynced() {
  Unsynced unsynced{
      .sealed = std::move(sealed_unsynced_), .open = sealing_, .directory = directory_unsynced_};
  // A full segment whose last group is not written yet is still open: seal() comes after that.
  if (active_unsynced_) unsynced.open.push_back(active_);
  sealed_unsynced_.clear();
  active_unsynced_ = false;
  directory_unsynced_ = false;
  return unsynced;
}

}  // namespace adbrook::log
