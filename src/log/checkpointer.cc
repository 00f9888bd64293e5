#include "log/checkpointer.h"

#include <utility>

#include "io/failpoint.h"

namespace adbrook::log {
namespace {

template <class T>
void move_behind(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

}  // namespace

Checkpointer::Checkpointer(io::FileSystem& files, DataDirectory& directory, LogState& state,
                           Wal& wal, std::mutex& writer_mutex, Health& health, Metrics& metrics)
    : files_(files),
      directory_(directory),
      state_(state),
      wal_(wal),
      writer_mutex_(writer_mutex),
      health_(health),
      checkpoint_count_(metrics.counter("adbrook_log_checkpoints_total", "Checkpoints written.")) {}

void Checkpointer::remove_later(const std::vector<std::shared_ptr<Segment>>& segments) {
  for (const auto& segment : segments)
    for (std::string& path : segment->paths()) carried_.doomed_paths.push_back(std::move(path));
}

bool Checkpointer::owes_removals() {
  const std::lock_guard lock(run_mutex_);
  return !carried_.doomed_paths.empty() || (run_ != nullptr && !run_->doomed_paths.empty());
}

void Checkpointer::begin(Change change) {
  auto run = std::make_unique<Run>();
  const std::lock_guard lock(writer_mutex_);
  if (change.first) change.first();
  run->content = state_.describe();
  if (change.edit) change.edit(run->content);
  run->done = std::move(change.done);
  run->content.wal = wal_.place();
  run->content.sequence = wal_.last_sequence();
  // What is written after this moment belongs to the next checkpoint; syncing it early does no
  // harm.
  for (const auto& partition : state_.partitions()) {
    Partition::Unsynced unsynced = partition->take_unsynced();
    move_behind(run->sealed, unsynced.sealed);
    move_behind(run->open, unsynced.open);
    if (unsynced.directory) run->directories.push_back(partition->directory());
  }
  move_behind(run->sealed, carried_.sealed);
  move_behind(run->open, carried_.open);
  move_behind(run->directories, carried_.directories);
  run->doomed_paths = std::move(carried_.doomed_paths);
  carried_.doomed_paths.clear();
  run_ = std::move(run);
}

// True: there is more to do.
Result<bool> Checkpointer::advance() {
  Run& run = *run_;
  const std::size_t index = run.synced_count++;
  if (index < run.sealed.size()) {
    if (auto done = run.sealed[index]->sync(); !done) return pass(std::move(done.error()));
    // Nobody writes a sealed segment again, so no later sync can need this file.
    run.sealed[index]->close();
    return true;
  }
  if (index < run.sealed.size() + run.open.size()) {
    if (auto done = run.open[index - run.sealed.size()]->sync(); !done)
      return pass(std::move(done.error()));
    return true;
  }
  // A segment's bytes are worth nothing without its name.
  for (const std::string& directory : run.directories)
    if (auto done = files_.sync_directory(directory); !done) return pass(std::move(done.error()));
  if (auto done = finish(); !done) return pass(std::move(done.error()));
  return false;
}

Result<void> Checkpointer::finish() {
  // The order matters: only what the checkpoint on the disk covers may be recycled, and only what
  // it does not name may be removed.
  io::failpoint("log-checkpoint-write");
  if (auto done = directory_.write_checkpoint(run_->content); !done) return done;
  io::failpoint("log-checkpoint-written");
  checkpoint_count_.add();
  {
    const std::lock_guard lock(writer_mutex_);
    wal_.recycle_before(run_->content.wal.file);
    if (run_->done) run_->done();
  }
  // What stays behind in a crash is found by the next start: the checkpoint does not name it.
  for (const std::string& path : run_->doomed_paths) static_cast<void>(files_.remove(path));
  directory_.renew_reserve();
  return {};
}

Result<void> Checkpointer::drive() {
  for (;;) {
    if (health_.failed()) {
      run_.reset();
      return fail(ErrorKind::io_failed, health_.trouble());
    }
    auto more = advance();
    if (more && *more) continue;
    if (more) {
      run_.reset();
      return {};
    }
    Error error = std::move(more.error());
    // Everything was synced by now; the same again costs little and leaves no case to think about.
    if (error.kind == ErrorKind::disk_full || error.kind == ErrorKind::overloaded)
      carried_ = std::move(*run_);
    else
      health_.fail(error);
    run_.reset();
    return std::unexpected(std::move(error));
  }
}

bool Checkpointer::step() {
  // Whoever runs a whole one covers this step too; waiting would take a thread from the writer.
  const std::unique_lock lock(run_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  if (health_.failed()) return false;
  if (run_ == nullptr) {
    begin({});
    return true;
  }
  // The last step may fail for want of space and then hands over to the next run.
  const bool last = run_->synced_count >= run_->sealed.size() + run_->open.size();
  if (last) return static_cast<void>(drive()), false;
  auto more = advance();
  if (!more) health_.fail(more.error());
  return more.has_value() && *more;
}

Result<void> Checkpointer::run(Change change) {
  const std::lock_guard lock(run_mutex_);
  // Its outcome does not matter: what it could not do is in the next one.
  if (run_ != nullptr) static_cast<void>(drive());
  if (health_.failed()) return fail(ErrorKind::io_failed, health_.trouble());
  begin(std::move(change));
  return drive();
}

}  // namespace adbrook::log
