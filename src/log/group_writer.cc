#include "log/group_writer.h"

#include <algorithm>

#include "base/assert.h"
#include "io/failpoint.h"
#include "record/batch.h"

namespace adbrook::log {
namespace {

// Errors after which nothing was kept and the next append may succeed.
bool is_passing(const AppendRefusal& error) {
  return error.rule != AppendRule::none || error.kind == ErrorKind::disk_full ||
         error.kind == ErrorKind::overloaded || error.kind == ErrorKind::not_found;
}

}  // namespace

GroupWriter::GroupWriter(LogState& state, Wal& wal, Health& health, io::Clock& clock,
                         Metrics& metrics, Millis producer_expiration)
    : state_(state),
      wal_(wal),
      health_(health),
      clock_(clock),
      producer_expiration_(producer_expiration),
      append_count_(metrics.counter("adbrook_log_appends_total", "Appends acknowledged.")),
      append_bytes_(metrics.counter("adbrook_log_appended_bytes_total",
                                    "Bytes of acknowledged appends, as write-ahead entries.")),
      failure_count_(metrics.counter("adbrook_log_append_failures_total",
                                     "Appends that reached the writer and failed there.")),
      duplicate_count_(metrics.counter("adbrook_log_duplicate_batches_total",
                                       "Batches of idempotent producers that were here already.")) {
}

void GroupWriter::write(std::vector<QueuedAppend> group, GroupOutcome& outcome) {
  now_ = clock_.now();
  for (QueuedAppend& append : group) {
    // Its answer has its place before there is one, whatever becomes of those around it.
    const std::size_t place = outcome.finished.size();
    outcome.finished.push_back({std::move(append.done), {}});
    if (append.refusal) {
      outcome.finished[place].result = std::unexpected(std::move(*append.refusal));
      continue;
    }
    auto accepted = accept(append, place, outcome);
    if (accepted) continue;
    // What became of those before it does not depend on what it failed with.
    flush(outcome);
    AppendRefusal refusal = std::move(accepted.error());
    if (!is_passing(refusal)) {
      health_.fail(refusal);
      refusal.kind = ErrorKind::io_failed;
    }
    if (refusal.kind == ErrorKind::disk_full) health_.set_disk_full(true);
    refuse(place, std::move(refusal), outcome);
  }
  flush(outcome);
}

GroupWriter::Done GroupWriter::accept(QueuedAppend& append, std::size_t place,
                                      GroupOutcome& outcome) {
  // An entry never spans files. The group so far is finished in this one: it has its answers
  // sooner.
  if (!wal_.fits(append.entry_size) && !health_.failed()) {
    flush(outcome);
    if (!health_.failed()) {
      if (auto done = wal_.roll(); !done) return pass(std::move(done.error()));
    }
  }
  if (health_.failed()) return fail(ErrorKind::io_failed, health_.trouble());
  if (auto done = find_partitions(append); !done) return done;
  if (auto done = find_known(append); !done) return done;
  if (auto done = make_room(append); !done) return done;
  sync_ = sync_ || needs_sync(append);
  auto batches = take(append);
  accepted_.push_back({std::move(append), std::move(batches), place});
  return {};
}

// A topic may relax its own durability, never that of what is appended beside it.
bool GroupWriter::needs_sync(const QueuedAppend& append) const {
  return append.what.batches.empty() ||
         std::ranges::any_of(partitions_, [](const LogState::PartitionPtr& partition) {
           return partition->config()->durability == Durability::sync;
         });
}

GroupWriter::Done GroupWriter::find_partitions(const QueuedAppend& append) {
  partitions_.clear();
  for (const BatchToAppend& batch : append.what.batches) {
    partitions_.push_back(state_.partition(batch.partition));
    if (partitions_.back() == nullptr)
      return std::unexpected(
          AppendRefusal({ErrorKind::not_found, "append: the topic was deleted; nothing was kept"},
                        AppendRule::unknown_partition));
  }
  return {};
}

// Here the order is fixed, so here it is known what a batch follows. Those of the same group that
// are ahead of it count already: they are answered first, or everything fails.
GroupWriter::Done GroupWriter::find_known(const QueuedAppend& append) {
  known_.assign(append.facts.size(), std::nullopt);
  for (std::size_t i = 0; i < append.facts.size(); ++i) {
    const ProducerStamp& stamp = append.facts[i].producer;
    if (stamp.id < 0) continue;
    auto known = partitions_[i]->producers().check(stamp, now_, producer_expiration_);
    if (!known) {
      known.error().message = partitions_[i]->directory() + ": " + known.error().message;
      return std::unexpected(std::move(known.error()));
    }
    known_[i] = *known;
  }
  return {};
}

// All of it is here already.
bool GroupWriter::adds_nothing(const QueuedAppend& append) const {
  return append.what.offsets.empty() && append.what.deletions.empty() && !known_.empty() &&
         std::ranges::all_of(known_, [](const auto& place) { return place.has_value(); });
}

GroupWriter::Done GroupWriter::make_room(const QueuedAppend& append) {
  const auto& batches = append.what.batches;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    // All room first, for all partitions: an append is kept whole or not at all, and nothing of it
    // has an offset yet when the room for one of them is missing. Once per partition, with all its
    // batches: they lie in one segment.
    const auto same = [&](std::size_t j) { return batches[j].partition == batches[i].partition; };
    Partition::Needed needed;
    bool seen = false;
    for (std::size_t j = 0; j < batches.size(); ++j) {
      if (!same(j) || known_[j]) continue;
      seen = seen || j < i;
      needed.size += batches[j].bytes.size();
      needed.offset_count += append.facts[j].offset_count;
      ++needed.batch_count;
    }
    if (seen || needed.batch_count == 0) continue;
    if (auto done = partitions_[i]->make_room(needed, now_); !done)
      return pass(std::move(done.error()));
  }
  return {};
}

// Cannot fail: there is room for all of it.
std::vector<AppendedBatch> GroupWriter::take(QueuedAppend& append) {
  std::vector<AppendedBatch> places;
  places.reserve(append.what.batches.size());
  entry_.batches.clear();
  for (std::size_t i = 0; i < append.what.batches.size(); ++i) {
    if (known_[i]) {
      duplicate_count_.add();
      places.push_back(*known_[i]);
      continue;
    }
    const std::span<std::byte> bytes = append.what.batches[i].bytes.span();
    BatchFacts& facts = append.facts[i];
    Partition& partition = *partitions_[i];
    if (partition.config()->timestamp_type == TimestampType::log_append_time) {
      facts.max_timestamp = partition.append_time(now_);
      record::set_log_append_time(bytes, facts.max_timestamp);
    }
    const SegmentRow row = partition.take(bytes, facts, now_);
    places.push_back({.base = row.first,
                      .last = row.first + (facts.offset_count - 1),
                      .append_time = row.append_time});
    entry_.batches.push_back({partition.key(), row.first, row.append_time, bytes});
    if (std::ranges::find(touched_, partitions_[i]) == touched_.end())
      touched_.push_back(partitions_[i]);
  }
  if (adds_nothing(append)) return places;
  take_offsets(append.what);
  wal_.add(entry_);
  return places;
}

void GroupWriter::take_offsets(const Append& what) {
  entry_.offsets.clear();
  entry_.deletions.clear();
  // Where the partition is gone its topic was deleted since the append was checked, and the
  // position with it.
  for (const OffsetCommit& offset : what.offsets)
    if (const auto partition = state_.partition(offset.partition))
      entry_.offsets.push_back({.partition = partition->key(),
                                .offset = offset.offset,
                                .leader_epoch = offset.leader_epoch,
                                .commit_time = now_,
                                .group = offset.group,
                                .metadata = offset.metadata});
  for (const OffsetDeletion& deletion : what.deletions)
    if (const auto partition = state_.partition(deletion.partition))
      entry_.deletions.push_back({partition->key(), deletion.group});
}

// Segments are filled while the disk works on the write-ahead log. Whatever of it a crash leaves
// there counts for nothing: only a checkpoint says how far a segment goes, and a restart fills it
// from the log.
Result<void> GroupWriter::put_on_disk() {
  // Of batches that were here already nothing is written; what they repeat is on the disk.
  if (wal_.group_empty()) return {};
  io::failpoint("wal-write");
  if (auto done = wal_.write_group(sync_); !done) return done;
  for (const auto& partition : touched_)
    if (auto done = partition->write_staged(scratch_); !done) return done;
  io::failpoint("wal-sync");
  if (sync_) {
    if (auto done = wal_.sync(); !done) return done;
  }
  io::failpoint("wal-synced");
  return {};
}

void GroupWriter::flush(GroupOutcome& outcome) {
  if (accepted_.empty()) return;
  if (auto done = put_on_disk(); !done) {
    health_.fail(done.error());
    for (Accepted& accepted : accepted_)
      refuse(accepted.place, Error{ErrorKind::io_failed, done.error().message}, outcome);
  } else {
    finish_accepted(outcome);
    health_.set_disk_full(false);
    outcome.unsynced = outcome.unsynced || !sync_;
  }
  accepted_.clear();
  touched_.clear();
  sync_ = false;
}

void GroupWriter::add_changes(Append& what, std::vector<LogState::OffsetChange>& changes) {
  for (OffsetCommit& offset : what.offsets)
    if (const auto partition = state_.partition(offset.partition))
      changes.push_back({partition->key(), std::move(offset.group),
                         CommittedOffset{.offset = offset.offset,
                                         .leader_epoch = offset.leader_epoch,
                                         .metadata = std::move(offset.metadata),
                                         .commit_time = now_}});
  for (OffsetDeletion& deletion : what.deletions)
    if (const auto partition = state_.partition(deletion.partition))
      changes.push_back({partition->key(), std::move(deletion.group), std::nullopt});
}

void GroupWriter::finish_accepted(GroupOutcome& outcome) {
  // Visible before it is answered: whoever hears of an append can read it.
  std::vector<LogState::OffsetChange> changes;
  for (Accepted& accepted : accepted_) add_changes(accepted.append.what, changes);
  state_.publish(touched_, std::move(changes), outcome.woken);
  io::failpoint("append-answer");
  for (Accepted& accepted : accepted_) {
    append_count_.add();
    append_bytes_.add(accepted.append.entry_size);
    outcome.finished[accepted.place].result = std::move(accepted.batches);
  }
}

void GroupWriter::refuse(std::size_t place, AppendRefusal refusal, GroupOutcome& outcome) {
  failure_count_.add();
  outcome.finished[place].result = std::unexpected(std::move(refusal));
}

void GroupWriter::sync() {
  if (health_.failed() || wal_.all_synced()) return;
  if (auto done = wal_.sync(); !done) health_.fail(done.error());
}

}  // namespace adbrook::log
