#include "log/compactor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "io/random.h"

namespace adbrook::log {
namespace {

// What is read at once: small enough that nobody waits for it.
constexpr std::size_t kChunkSize = 256 << 10;
// Offsets in a segment are counted from its base in 32 bits.
constexpr std::int64_t kRunLengthMax = std::numeric_limits<std::uint32_t>::max();

// What another try would meet again.
bool is_damage(const Error& error) {
  return error.kind == ErrorKind::corrupt || error.kind == ErrorKind::overloaded;
}

}  // namespace

Compactor::Compactor(io::FileSystem& files, LogState& state, Checkpointer& checkpointer,
                     Health& health, io::Clock& clock, Metrics& metrics)
    : files_(files),
      state_(state),
      checkpointer_(checkpointer),
      health_(health),
      clock_(clock),
      pass_count_(metrics.counter("adbrook_log_compactions_total", "Passes of compaction.")),
      removed_count_(metrics.counter("adbrook_log_compacted_records_total",
                                     "Records that compaction left out.")),
      read_bytes_(metrics.counter("adbrook_log_compaction_read_bytes_total",
                                  "Bytes of segments that compaction read.")),
      failure_count_(metrics.counter("adbrook_log_compaction_failures_total",
                                     "Passes of compaction that were given up.")) {}

void Compactor::set_limits(const CompactionLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

bool Compactor::begin() {
  const Timestamp now = clock_.now();
  auto plan = state_.plan_compaction(now, damaged_);
  if (!plan) return false;
  io::SystemRandom random;
  pass_ = std::make_unique<Pass>(std::move(*plan), now, limits_.map, random.next());
  // Records below were seen by an earlier pass; they need not be read for their keys.
  const auto& ends = pass_->plan.segment_ends;
  while (ends[pass_->index] <= pass_->plan.dirty_begin) ++pass_->index;
  pass_->from = pass_->plan.dirty_begin;
  return true;
}

// The next batches of the segment that is read; none: the next segment's turn has come.
Result<ReadBatches> Compactor::read_chunk() {
  Pass& work = *pass_;
  const Offset end = work.plan.segment_ends[work.index];
  auto read = work.plan.segments[work.index]->read(work.from, end, kChunkSize);
  if (!read) return read;
  chunk_size_ = read->bytes.size();
  read_bytes_.add(chunk_size_);
  if (!read->batches.empty()) work.from = read->next;
  return read;
}

// True: there is more to do.
Result<bool> Compactor::read_keys() {
  Pass& work = *pass_;
  if (work.index == work.plan.segments.size()) return begin_writing(work.plan.end()), true;
  const auto read = read_chunk();
  if (!read) return pass(read.error());
  if (read->batches.empty()) return ++work.index, true;
  for (const auto& place : read->batches) {
    const ByteView batch = ByteView(read->bytes).subspan(place.index_begin, place.size);
    const auto seen = map_keys(batch, work.plan.dirty_begin, work.aborted, work.last);
    if (!seen) return pass(seen.error());
    const auto header = record::read_header(batch);
    if (*seen <= header->last_offset()) return begin_writing(*seen), true;
  }
  return true;
}

// Everything from the first segment on, as far as there may be something to leave out.
void Compactor::begin_writing(Offset dirty_end) {
  Pass& work = *pass_;
  work.dirty_end = dirty_end;
  work.filter = std::make_unique<CompactionFilter>(
      work.last, work.aborted,
      CompactionScope{.dirty_begin = work.plan.dirty_begin,
                      .dirty_end = dirty_end,
                      .now = work.begun,
                      .delete_retention = work.plan.cleanup.delete_retention});
  std::size_t count = work.plan.segments.size();
  while (count > 1 && work.plan.segments[count - 1]->base() >= dirty_end) --count;
  work.plan.segments.resize(count);
  work.plan.segment_ends.resize(count);
  work.index = 0;
  work.from = work.plan.segments.front()->base();
}

// As many segments as fit one: what compaction leaves small does not stay many files.
void Compactor::begin_output() {
  Pass& work = *pass_;
  work.output = std::make_unique<Output>();
  CompactedRun& run = work.output->run;
  run.partition = work.plan.partition->key();
  const Offset base = work.plan.segments[work.index]->base();
  std::int64_t size = 0;
  for (std::size_t i = work.index; i < work.plan.segments.size(); ++i) {
    size += work.plan.segments[i]->extent().log_size;
    const bool fits =
        size <= work.plan.segment_bytes.count && work.plan.segment_ends[i] - base <= kRunLengthMax;
    if (!run.sources.empty() && !fits) break;
    run.sources.push_back(work.plan.segments[i]);
  }
}

Result<void> Compactor::put(const ReadBatches& read) {
  Output& output = *pass_->output;
  std::vector<Buffer> rewritten;
  rewritten.reserve(read.batches.size());
  std::vector<std::pair<ByteView, Timestamp>> kept;
  std::size_t size = 0;
  for (const auto& place : read.batches) {
    const ByteView batch = ByteView(read.bytes).subspan(place.index_begin, place.size);
    auto look = pass_->filter->look(batch);
    if (!look) return pass(std::move(look.error()));
    removed_count_.add(static_cast<std::uint64_t>(look->removed_count));
    if (!look->any) continue;
    if (look->rewritten) rewritten.push_back(std::move(*look->rewritten));
    kept.emplace_back(look->rewritten ? ByteView(rewritten.back()) : batch, place.append_time);
    size += kept.back().first.size();
  }
  if (kept.empty()) return {};
  if (output.segment == nullptr) {
    std::uint32_t generation = 0;
    for (const auto& source : output.run.sources)
      generation = std::max(generation, source->generation() + 1);
    output.segment = std::make_shared<Segment>(
        files_, pass_->plan.partition->directory(),
        SegmentExtent{.base = output.run.sources.front()->base(), .generation = generation});
    if (auto done = output.segment->open_for_append(); !done) return done;
  }
  Segment& segment = *output.segment;
  if (auto done = segment.reserve(size, kept.size()); !done) return done;
  for (const auto& [batch, append_time] : kept) {
    const auto header = record::read_header(batch);
    segment.stage({.first = header->base_offset,
                   .position = segment.staged_end(),
                   .size = static_cast<std::uint32_t>(batch.size()),
                   .append_time = append_time,
                   .max_timestamp = header->max_timestamp},
                  batch);
  }
  if (auto done = segment.write_staged(scratch_); !done) return done;
  segment.publish();
  return {};
}

Result<bool> Compactor::write_on() {
  Pass& work = *pass_;
  if (work.output == nullptr) begin_output();
  const auto read = read_chunk();
  if (!read) return pass(read.error());
  if (!read->batches.empty()) {
    if (auto done = put(*read); !done) return pass(done.error());
    return true;
  }
  const std::shared_ptr<Segment> done_with = work.plan.segments[work.index];
  const bool last = ++work.index == work.plan.segments.size();
  if (!last) work.from = work.plan.segments[work.index]->base();
  if (done_with != work.output->run.sources.back()) return true;
  if (auto done = finish_output(); !done) return pass(done.error());
  return swap_in(last);
}

// On the disk under its own name when it returns; nobody knows of it yet.
Result<void> Compactor::finish_output() {
  Output& output = *pass_->output;
  output.run.removed_ends = pass_->filter->take_removed_ends();
  if (output.segment == nullptr) return {};
  if (auto done = output.segment->seal(); !done) return done;
  if (auto done = output.segment->sync(); !done) return done;
  output.segment->close();
  if (auto done = files_.sync_directory(pass_->plan.partition->directory()); !done) return done;
  output.run.compacted = output.segment;
  return {};
}

// The order of the runs matters: a deletion goes only when what it deletes is gone for good.
Result<bool> Compactor::swap_in(bool last) {
  CompactedRun& run = pass_->output->run;
  if (last) run.compacted_to = pass_->dirty_end;
  bool swapped = false;
  auto done = checkpointer_.run({.first = [&] {
    swapped = state_.replace(run);
    if (swapped) checkpointer_.remove_later(run.sources);
  }});
  if (swapped) pass_->output.reset();
  if (!done) return pass(done.error());
  if (!swapped)
    return fail(ErrorKind::not_found, "its segments were deleted while they were compacted");
  return !last;
}

Result<bool> Compactor::advance() {
  if (stopped_) return fail(ErrorKind::closed, "compaction was stopped");
  if (health_.failed()) return fail(ErrorKind::io_failed, health_.trouble());
  return pass_->dirty_end ? write_on() : read_keys();
}

void Compactor::drop_output() {
  if (pass_ == nullptr || pass_->output == nullptr || pass_->output->segment == nullptr) return;
  pass_->output->segment->close();
  // Best effort: the next start removes what no checkpoint names.
  for (const std::string& path : pass_->output->segment->paths())
    static_cast<void>(files_.remove(path));
}

void Compactor::give_up(const Error& error) {
  failure_count_.add();
  if (is_damage(error)) damaged_.insert(pass_->plan.partition->key());
  drop_output();
  pass_.reset();
}

std::optional<Millis> Compactor::step() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || health_.failed()) return std::nullopt;
  chunk_size_ = 0;
  if (pass_ == nullptr && !begin()) return std::nullopt;
  const auto more = advance();
  if (!more) {
    give_up(more.error());
    return std::nullopt;
  }
  if (!*more) {
    pass_count_.add();
    pass_.reset();
  }
  const auto ms = static_cast<std::int64_t>(chunk_size_) * 1000 / limits_.bytes_per_second.count;
  return Millis(ms);
}

Result<void> Compactor::run() {
  const std::lock_guard lock(mutex_);
  Result<void> result;
  while (!stopped_ && !health_.failed() && (pass_ != nullptr || begin())) {
    const auto more = advance();
    if (!more) {
      give_up(more.error());
      if (result) result = std::unexpected(more.error());
      // Damage is left out from now on; anything else would be met again at once.
      if (!is_damage(more.error())) return result;
      continue;
    }
    if (*more) continue;
    pass_count_.add();
    pass_.reset();
  }
  return result;
}

void Compactor::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  drop_output();
  pass_.reset();
}

}  // namespace adbrook::log
