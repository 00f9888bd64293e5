#include "log/durable_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "log/append_check.h"
#include "record/batch.h"

namespace adbrook::log {
namespace {

// A group is written with one call; a larger one only makes those who wait for it wait longer.
constexpr std::size_t kGroupSizeMax = 4 << 20;
// A checkpoint begins when this many files were begun since the last one; when so many are alive
// that it cannot follow, appends wait for it.
constexpr std::size_t kCheckpointFileCount = 2;
constexpr std::size_t kWalFileCountMax = 8;
// What a power loss may take of topics with relaxed durability.
constexpr Millis kRelaxedSyncDelay{100};
constexpr Millis kSpaceCheckDelay{1'000};
// How often topics that are compacted are looked at, unless old segments are more often.
constexpr Millis kCompactionCheck{15'000};
// Space is back when this much is: less would run out with the next reservation.
constexpr std::uint64_t kSpaceWanted = 1 << 20;

}  // namespace

Result<std::unique_ptr<Log>> Log::open(io::FileSystem& files, io::Clock& clock,
                                       io::Executor& executor, Metrics& metrics,
                                       std::string directory, LogOptions options) {
  auto ours = DataDirectory::open(files, std::move(directory));
  if (!ours) return pass(std::move(ours.error()));
  auto log =
      std::make_unique<DurableLog>(files, clock, executor, metrics, std::move(*ours), options);
  if (auto done = log->start(); !done) return pass(std::move(done.error()));
  return log;
}

DurableLog::DurableLog(io::FileSystem& files, io::Clock& clock, io::Executor& executor,
                       Metrics& metrics, DataDirectory directory, LogOptions options)
    : files_(files),
      clock_(clock),
      executor_(executor),
      directory_(std::move(directory)),
      options_(options),
      entry_size_max_(std::min(wal_entry_size_max(options.wal_file_bytes),
                               static_cast<std::size_t>(options.append_queue_bytes.count))),
      health_(metrics),
      state_(files, directory_.topics()),
      queue_(options.append_queue_bytes,
             metrics.gauge("adbrook_append_queue_bytes", "Appends waiting for the disk.")),
      answers_(std::make_shared<AnswerQueue>()),
      wal_(files, clock, metrics, directory_.wal(),
           WalOptions{.file_size = options.wal_file_bytes}),
      writer_(state_, wal_, health_, clock, metrics, options.producer_expiration),
      checkpointer_(files, directory_, state_, wal_, writer_mutex_, health_, metrics),
      compactor_(files, state_, checkpointer_, health_, clock, metrics) {}

DurableLog::~DurableLog() {
  static_cast<void>(close());
  gate_.shut();
  write_rest();  // nothing but refusals of what came after close()
}

Result<void> DurableLog::start() {
  auto done = recover_and_begin();
  // Nothing may be written to a directory that was not understood, not even by close().
  if (!done) health_.fail(done.error());
  return done;
}

void DurableLog::begin_upkeep() {
  if (upkeep_begun_.exchange(true)) return;
  begin_retention();
  begin_compaction(compaction_check());
}

Result<void> DurableLog::recover_and_begin() {
  auto checkpoint = directory_.read_checkpoint();
  if (!checkpoint) return pass(checkpoint.error());
  Recovered recovered;
  if (*checkpoint) {
    give_uuids(**checkpoint);
    auto replayed = recover(files_, directory_, **checkpoint, state_);
    if (!replayed) return pass(std::move(replayed.error()));
    recovered = std::move(*replayed);
  }
  // Entries go into a file of their own: behind the end that was found may lie whole entries that
  // nobody must see again.
  auto done =
      wal_.start(recovered.next_file, recovered.last_sequence + 1, std::move(recovered.spares));
  if (done) done = checkpointer_.run({});
  if (!done) return done;
  for (const std::uint64_t file : recovered.covered) wal_.recycle(file);
  return {};
}

// --- appending ---

std::expected<QueuedAppend, AppendRefusal> DurableLog::check(Append what) const {
  if (health_.failed()) return fail(ErrorKind::io_failed, health_.trouble());
  return check_append(std::move(what), state_, entry_size_max_, clock_.now());
}

void DurableLog::append(Append what, AppendDone done) {
  const bool refused_at_once = what.refused_at_once;
  auto checked = check(std::move(what));
  // Else a refusal too waits for its turn: most of who appends counts on the order of answers.
  QueuedAppend append = checked ? std::move(*checked)
                                : QueuedAppend{.what = {.refused_at_once = refused_at_once},
                                               .refusal = std::move(checked.error())};
  append.done = std::move(done);
  switch (queue_.push(append)) {
    case AppendQueue::Pushed::behind_others: return;
    case AppendQueue::Pushed::first: return post_write();
    case AppendQueue::Pushed::refused: break;
  }
  executor_.post([done = std::move(append.done), refusal = std::move(*append.refusal)]() mutable {
    done(std::unexpected(std::move(refusal)));
  });
}

void DurableLog::post_write() {
  executor_.post(gate_.pass([this] { write_step(); }));
}

// True: appends wait for a checkpoint.
bool DurableLog::write_group(GroupOutcome& outcome) {
  const std::lock_guard lock(writer_mutex_);
  writer_.write(queue_.take(kGroupSizeMax), outcome);
  answers_->add(std::move(outcome.finished));
  const std::size_t live_count = wal_.live_count();
  // A full disk is also a reason: covered write-ahead files are reused instead of making new ones.
  if (live_count > kCheckpointFileCount || (health_.disk_full() && live_count > 1))
    post_checkpoint();
  return live_count >= kWalFileCountMax;
}

void DurableLog::write_step() {
  GroupOutcome outcome;
  if (write_group(outcome)) static_cast<void>(checkpointer_.run({}));
  queue_.release();
  // Answers first: what their receivers append at once is in the next group, so that one sync
  // serves all who wait together, and answers come in the order of the log.
  after_group(outcome);
  if (queue_.finish()) post_write();
}

void DurableLog::after_group(GroupOutcome& outcome) {
  if (outcome.unsynced && !relaxed_sync_posted_.exchange(true))
    executor_.post_after(kRelaxedSyncDelay, gate_.pass([this] { relaxed_sync_step(); }));
  if (health_.disk_full() && !space_step_posted_.exchange(true))
    executor_.post_after(kSpaceCheckDelay, gate_.pass([this] { space_step(); }));
  for (io::Step& step : outcome.woken) executor_.post(std::move(step));
  answers_->give();
}

// What waits still, when no step may write it any more.
void DurableLog::write_rest() {
  GroupOutcome outcome;
  {
    const std::lock_guard lock(writer_mutex_);
    writer_.write(queue_.take(std::numeric_limits<std::size_t>::max()), outcome);
    answers_->add(std::move(outcome.finished));
  }
  for (io::Step& step : outcome.woken) executor_.post(std::move(step));
  executor_.post([answers = answers_] { answers->give(); });
}

void DurableLog::relaxed_sync_step() {
  relaxed_sync_posted_ = false;
  const std::lock_guard lock(writer_mutex_);
  writer_.sync();
}

// Whoever waits for disk_full() to end may not append until then.
void DurableLog::space_step() {
  space_step_posted_ = false;
  const auto room = files_.free_bytes(directory_.path());
  if (room && *room >= kSpaceWanted) return health_.set_disk_full(false);
  if (!space_step_posted_.exchange(true))
    executor_.post_after(kSpaceCheckDelay, gate_.pass([this] { space_step(); }));
}

// --- behind the acknowledgements ---

void DurableLog::post_checkpoint() {
  if (checkpoint_posted_.exchange(true)) return;
  executor_.post(gate_.pass([this] { checkpoint_step(); }));
}

void DurableLog::checkpoint_step() {
  checkpoint_posted_ = false;
  if (checkpointer_.step()) post_checkpoint();
}

void DurableLog::begin_retention() {
  executor_.post_after(options_.retention_check, gate_.pass([this] { retention_step(); }));
}

void DurableLog::retention_step() {
  static_cast<void>(apply_retention());
  begin_retention();
}

Millis DurableLog::compaction_check() const {
  return std::min(kCompactionCheck, options_.retention_check);
}

void DurableLog::begin_compaction(Millis delay) {
  executor_.post_after(delay, gate_.pass([this] { compaction_step(); }));
}

void DurableLog::compaction_step() {
  begin_compaction(compactor_.step().value_or(compaction_check()));
}

Result<void> DurableLog::apply_retention() {
  if (health_.failed()) return fail(ErrorKind::io_failed, health_.trouble());
  const Timestamp now = clock_.now();
  {
    const std::lock_guard lock(writer_mutex_);
    for (const auto& partition : state_.partitions())
      partition->expire_producers(now - options_.producer_expiration);
  }
  if (!state_.anything_expired(now) && !checkpointer_.owes_removals()) return {};
  return checkpointer_.run(
      {.first = [&] { checkpointer_.remove_later(state_.drop_expired(now)); }});
}

Result<void> DurableLog::close() {
  const std::lock_guard closing(close_mutex_);
  if (closed_ != nullptr) return *closed_;
  compactor_.stop();
  queue_.close();
  write_rest();
  closed_ = std::make_unique<Result<void>>(checkpointer_.run({}));
  return *closed_;
}

// --- reading ---

namespace {

// What of the aborted transactions touches the bytes that were read.
void keep_touching(std::vector<AbortedTransaction>& aborted, Offset from, Offset end) {
  std::erase_if(aborted, [&](const AbortedTransaction& transaction) {
    return transaction.first >= end || transaction.last < from;
  });
}

}  // namespace

Result<ReadBatches> DurableLog::read_from(PartitionId partition, Offset from, std::size_t size_max,
                                          std::size_t in_place_min, Isolation isolation) const {
  for (;;) {
    auto place = state_.place(partition, from, isolation);
    if (!place) return pass(place.error());
    if (place->segment == nullptr) return ReadBatches{.next = from};
    auto read = place->segment->read(from, place->end, size_max, in_place_min);
    // Compaction put another one in its place since the look; a new look finds that.
    if (!read && read.error().kind == ErrorKind::out_of_range &&
        !state_.has_segment(partition, *place->segment))
      continue;
    if (!read) return read;
    if (read->batches.empty()) {
      // Nothing is left of this segment there; the end may have come nearer than its own.
      from = place->end;
      if (place->end < place->segment_end) return ReadBatches{.next = from};
      continue;
    }
    // A batch that begins below `from` belongs to one transaction at most, as does the last one.
    keep_touching(place->aborted, std::min(read->first, from), read->next);
    read->aborted = std::move(place->aborted);
    return read;
  }
}

Result<Offset> DurableLog::offset_for_time(PartitionId partition, Timestamp time) const {
  const Ends ends = state_.ends(partition);
  if (state_.partition(partition) == nullptr)
    return fail(ErrorKind::not_found, "there is no such partition; ask for it anew");
  for (;;) {
    bool replaced = false;
    for (const auto& segment : state_.segments(partition)) {
      if (segment->extent().max_timestamp < time) continue;
      const auto found = segment->first_at_or_after(time, ends.start);
      replaced = !found && found.error().kind == ErrorKind::out_of_range &&
                 !state_.has_segment(partition, *segment);
      if (replaced) break;
      if (!found) return pass(found.error());
      if (*found) return std::clamp(**found, ends.start, ends.visible);
    }
    if (!replaced) return ends.visible;
  }
}

void DurableLog::when_visible(PartitionId partition, Offset offset, io::Step step) {
  if (io::Step now = state_.wait(partition, offset, Isolation::uncommitted, std::move(step)))
    executor_.post(std::move(now));
}

void DurableLog::when_stable(PartitionId partition, Offset offset, io::Step step) {
  if (io::Step now = state_.wait(partition, offset, Isolation::committed, std::move(step)))
    executor_.post(std::move(now));
}

std::vector<ProducerDescription> DurableLog::producers(PartitionId id) const {
  std::vector<ProducerDescription> all;
  const auto partition = state_.partition(id);
  if (partition == nullptr) return all;
  const std::lock_guard lock(writer_mutex_);
  for (const ProducerState& state : partition->producers().describe())
    all.push_back({.producer_id = state.id,
                   .producer_epoch = state.epoch,
                   .last_sequence = state.batches.empty() ? -1 : state.batches.back().last_sequence,
                   .last_used = state.last_used,
                   .coordinator_epoch = state.coordinator_epoch,
                   .transaction_start = state.transaction_start});
  return all;
}

}  // namespace adbrook::log
