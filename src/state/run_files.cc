#include "state/run_files.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "io/failpoint.h"
#include "state/numbered_file.h"

namespace adbrook::state {
namespace {

// Opening costs a few microseconds more than a read; a process has a thousand files by default.
constexpr std::size_t kOpenMax = 48;
// Files of the time since the last checkpoint; they stay open.
constexpr std::size_t kUnsyncedMax = 16;

}  // namespace

std::string RunFiles::path(std::uint64_t number) const {
  return numbered_path(directory_, kRunKind, number);
}

Result<std::uint64_t> RunFiles::create() {
  remove_unused();
  if (unsynced_.size() >= kUnsyncedMax)
    if (auto done = sync(*unsynced_.begin()); !done) return pass(done.error());
  const std::uint64_t number = next_number_++;
  auto file = files_.open(path(number), io::OpenMode::create_new);
  if (!file) return pass(file.error());
  open_.push_front({number, std::move(*file)});
  unsynced_.insert(number);
  close_some();
  return number;
}

// The last one that was used is found first, and one that was written lately stays open to be
// synced.
Result<io::File*> RunFiles::open(std::uint64_t number) {
  const auto at = std::ranges::find(open_, number, &Open::number);
  if (at != open_.end()) {
    open_.splice(open_.begin(), open_, at);
    return open_.front().file.get();
  }
  auto file = files_.open(path(number), io::OpenMode::read);
  if (!file) return pass(file.error());
  open_.push_front({number, std::move(*file)});
  close_some();
  return open_.front().file.get();
}

// Those that were not used for the longest time; never the first one, which somebody has in hand.
void RunFiles::close_some() {
  for (auto last = open_.end(); open_.size() > kOpenMax && last != std::next(open_.begin());) {
    --last;
    if (!unsynced_.contains(last->number)) last = open_.erase(last);
  }
}

Result<void> RunFiles::write(std::uint64_t number, std::uint64_t position, ByteView bytes) {
  ADBROOK_ASSERT(unsynced_.contains(number), "a run is written before it is synced");
  auto file = open(number);
  if (!file) return pass(file.error());
  return (*file)->write_at(position, bytes);
}

Result<void> RunFiles::read(std::uint64_t number, std::uint64_t position,
                            std::span<std::byte> into) {
  auto file = open(number);
  if (!file) return pass(file.error());
  const auto got = (*file)->read_at(position, into);
  if (!got) return pass(got.error(), path(number));
  if (*got == into.size()) return {};
  return fail(ErrorKind::corrupt,
              "spilled state in '" + path(number) +
                  "' is cut off; stop, remove the task's state directory and start again to build "
                  "the state from its inputs");
}

Result<void> RunFiles::sync(std::uint64_t number) {
  if (!unsynced_.contains(number)) return {};
  if (failed_syncs_.contains(number))
    return fail(ErrorKind::io_failed, "'" + path(number) +
                                          "' could not be made durable; look at the disk and "
                                          "start again from the last checkpoint");
  auto file = open(number);
  if (!file) return pass(file.error());
  io::failpoint("run-sync");
  if (auto done = (*file)->sync(); !done) {
    failed_syncs_.insert(number);
    return done;
  }
  unsynced_.erase(number);
  return {};
}

void RunFiles::end_use(std::uint64_t number) {
  const auto at = uses_.find(number);
  ADBROOK_ASSERT(at != uses_.end(), "a use that ends was counted");
  if (--at->second != 0) return;
  uses_.erase(at);
  unused_.push_back(number);
}

void RunFiles::remove(std::uint64_t number) {
  std::erase_if(open_, [&](const Open& one) { return one.number == number; });
  unsynced_.erase(number);
  io::failpoint("run-remove");
  static_cast<void>(files_.remove(path(number)));
}

void RunFiles::remove_unused() {
  for (const std::uint64_t number : unused_)
    if (!needed_.contains(number) && !uses_.contains(number)) remove(number);
  unused_.clear();
}

void RunFiles::remove_others(const std::set<std::uint64_t>& needed) {
  needed_ = needed;
  unused_.clear();
  const auto names = files_.list(directory_);
  if (!names) return;
  for (const std::string& name : *names) {
    const auto number = number_in(name, kRunKind);
    if (number && !needed.contains(*number) && !uses_.contains(*number)) remove(*number);
  }
}

}  // namespace adbrook::state
