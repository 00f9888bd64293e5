#include "log/durable_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "log/append_check.h"

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
      wal_(files, clock, metrics, directory_.wal(),
           WalOptions{.file_size = options.wal_file_bytes}),
      writer_(state_, wal_, health_, clock, metrics),
      checkpointer_(files, directory_, state_, wal_, writer_mutex_, health_, metrics) {}

DurableLog::~DurableLog() {
  static_cast<void>(close());
  gate_.shut();
}

Result<void> DurableLog::start() {
  auto done = recover_and_begin();
  // Nothing may be written to a directory that was not understood, not even by close().
  if (!done) health_.fail(done.error());
  if (done) start_timers();
  return done;
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

void DurableLog::refuse(AppendDone done, AppendRefusal refusal) {
  executor_.post([done = std::move(done), refusal = std::move(refusal)]() mutable {
    done(std::unexpected(std::move(refusal)));
  });
}

void DurableLog::append(Append what, AppendDone done) {
  if (health_.failed())
    return refuse(std::move(done), Error{ErrorKind::io_failed, health_.trouble()});
  auto checked = check_append(std::move(what), state_, entry_size_max_);
  if (!checked) return refuse(std::move(done), std::move(checked.error()));
  checked->done = std::move(done);
  switch (queue_.push(*checked)) {
    case AppendQueue::Pushed::queued: return;
    case AppendQueue::Pushed::queued_and_idle: return post_write();
    case AppendQueue::Pushed::full:
      return refuse(std::move(checked->done),
                    Error{ErrorKind::overloaded,
                          "append: append.queue.bytes are waiting for the disk; "
                          "nothing was kept, try again later"});
    case AppendQueue::Pushed::closed:
      return refuse(std::move(checked->done),
                    Error{ErrorKind::closed, "append: the log is closed"});
  }
}

void DurableLog::post_write() {
  executor_.post(gate_.pass([this] { write_step(); }));
}

// True: appends wait for a checkpoint.
bool DurableLog::write_group(GroupOutcome& outcome) {
  const std::lock_guard lock(writer_mutex_);
  writer_.write(queue_.take(kGroupSizeMax), outcome);
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
  after_group(std::move(outcome));
  if (queue_.finish()) post_write();
}

void DurableLog::after_group(GroupOutcome outcome) {
  if (outcome.unsynced && !relaxed_sync_posted_.exchange(true))
    executor_.post_after(kRelaxedSyncDelay, gate_.pass([this] { relaxed_sync_step(); }));
  if (health_.disk_full() && !space_step_posted_.exchange(true))
    executor_.post_after(kSpaceCheckDelay, gate_.pass([this] { space_step(); }));
  for (io::Step& step : outcome.woken) executor_.post(std::move(step));
  for (FinishedAppend& finished : outcome.finished) finished.done(std::move(finished.result));
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

void DurableLog::start_timers() {
  executor_.post_after(options_.retention_check, gate_.pass([this] { retention_step(); }));
}

void DurableLog::retention_step() {
  static_cast<void>(apply_retention());
  start_timers();
}

Result<void> DurableLog::apply_retention() {
  if (health_.failed()) return fail(ErrorKind::io_failed, health_.trouble());
  const Timestamp now = clock_.now();
  if (!state_.anything_expired(now) && !checkpointer_.owes_removals()) return {};
  return checkpointer_.run(
      {.first = [&] { checkpointer_.remove_later(state_.drop_expired(now)); }});
}

Result<void> DurableLog::close() {
  const std::lock_guard closing(close_mutex_);
  if (closed_ != nullptr) return *closed_;
  queue_.close();
  GroupOutcome outcome;
  {
    const std::lock_guard lock(writer_mutex_);
    writer_.write(queue_.take(std::numeric_limits<std::size_t>::max()), outcome);
  }
  for (io::Step& step : outcome.woken) executor_.post(std::move(step));
  for (FinishedAppend& finished : outcome.finished)
    executor_.post([done = std::move(finished.done),
                    result = std::move(finished.result)]() mutable { done(std::move(result)); });
  closed_ = std::make_unique<Result<void>>(checkpointer_.run({}));
  return *closed_;
}

// --- reading ---

Result<ReadBatches> DurableLog::read(PartitionId partition, Offset from,
                                     std::size_t size_max) const {
  const auto segment = state_.segment_at(partition, from);
  if (!segment) return pass(segment.error());
  if (*segment == nullptr) return ReadBatches{};
  return (*segment)->read(from, size_max);
}

Result<Offset> DurableLog::offset_for_time(PartitionId partition, Timestamp time) const {
  const Ends ends = state_.ends(partition);
  if (state_.partition(partition) == nullptr)
    return fail(ErrorKind::not_found, "there is no such partition; ask for it anew");
  for (const auto& segment : state_.segments(partition)) {
    if (segment->extent().max_timestamp < time) continue;
    const auto found = segment->first_at_or_after(time, ends.start);
    if (!found) return pass(found.error());
    if (*found) return std::clamp(**found, ends.start, ends.visible);
  }
  return ends.visible;
}

void DurableLog::when_visible(PartitionId partition, Offset offset, io::Step step) {
  if (io::Step now = state_.wait(partition, offset, std::move(step)))
    executor_.post(std::move(now));
}

}  // namespace adbrook::log
