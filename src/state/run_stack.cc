#include "state/run_stack.h"

#include <algorithm>
#include <ranges>

#include "base/hash.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"

namespace adbrook::state {
namespace {

std::string run_blob(std::string_view store, std::uint64_t file, std::uint64_t begin) {
  return blob_name(store, "run/" + std::to_string(file) + "/" + std::to_string(begin));
}

// nullptr when there is no entry.
Result<std::shared_ptr<SortedRun>> write_run(EntrySource& entries, SpillPlace& place,
                                             const RunStack::Hash& hash) {
  RunEntry entry;
  if (!entries.next(entry)) {
    if (!entries.result()) return pass(entries.result().error());
    return nullptr;
  }
  if (place.file == 0) {
    const auto file = place.files->create();
    if (!file) return pass(file.error());
    place.file = *file;
    place.position = 0;
  }
  RunWriter writer(place.files, place.file, place.position);
  do writer.add(entry, hash(entry.key));
  while (entries.next(entry));
  if (!entries.result()) return pass(entries.result().error());
  auto run = writer.finish();
  if (run) place.position = (*run)->footer().position + (*run)->footer().length;
  return run;
}

}  // namespace

void RunStack::take(std::shared_ptr<SortedRun> run) {
  memory_ += run->memory();
  runs_.push_back(std::move(run));
}

Result<void> RunStack::push(std::unique_ptr<EntrySource> entries, std::uint64_t size,
                            SpillPlace& place, const Hash& hash) {
  std::vector<std::unique_ptr<EntrySource>> sources;
  sources.push_back(std::move(entries));
  std::size_t left = runs_.size();
  for (; left > 0 && runs_[left - 1]->size() < 2 * size; --left) {
    size += runs_[left - 1]->size();
    sources.push_back(std::make_unique<RunCursor>(runs_[left - 1]));
  }
  // Below the oldest run there is nothing that an erasure could hide.
  MergedEntries merged(std::move(sources), left > 0);
  auto run = write_run(merged, place, hash);
  if (!run) return pass(run.error());
  while (runs_.size() > left) {
    memory_ -= runs_.back()->memory();
    runs_.pop_back();
  }
  if (*run != nullptr) take(std::move(*run));
  return {};
}

Result<bool> RunStack::find(ByteView key, std::uint64_t hash, Moment moment, RunEntry& entry,
                            Buffer& block) const {
  for (const auto& run : std::views::reverse(runs_)) {
    if (!run->may_have(hash)) continue;
    auto found = run->find(key, moment, entry, block);
    if (!found || *found) return found;
  }
  return false;
}

bool RunStack::may_have(std::uint64_t hash) const {
  return std::ranges::any_of(runs_, [&](const auto& run) { return run->may_have(hash); });
}

void RunStack::add_sources(std::vector<std::unique_ptr<EntrySource>>& to) const {
  for (const auto& run : std::views::reverse(runs_)) to.push_back(std::make_unique<RunCursor>(run));
}

void RunStack::add_sources(std::vector<std::unique_ptr<EntrySource>>& to, ByteView key,
                           std::uint64_t hash, Moment moment) const {
  for (const auto& run : std::views::reverse(runs_))
    if (run->may_have(hash)) to.push_back(std::make_unique<RunCursor>(run, key, moment));
}

void RunStack::save(Checkpoint& checkpoint, std::string_view store, Buffer& meta,
                    std::set<std::string>& kept) const {
  append_le(meta, static_cast<std::uint32_t>(runs_.size()));
  for (const auto& run : runs_) {
    const Extent& footer = run->footer();
    append_le(meta, footer.file);
    append_le(meta, run->begin());
    append_le(meta, footer.position);
    const std::string blob = run_blob(store, footer.file, run->begin());
    checkpoint.refer(blob, footer);
    kept.insert(blob);
  }
}

Result<void> RunStack::load(const Checkpoint& checkpoint, std::string_view store,
                            BlobReader& meta) {
  const auto count = meta.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && meta.good(); ++i) {
    const auto file = meta.number<std::uint64_t>();
    const auto begin = meta.number<std::uint64_t>();
    const auto position = meta.number<std::uint64_t>();
    if (!meta.good()) break;
    const std::string blob = run_blob(store, file, begin);
    const auto bytes = checkpoint.read(blob);
    if (!bytes) return pass(bytes.error());
    auto run = SortedRun::load(checkpoint.runs(), begin,
                               {file, position, bytes->size(), crc32c(*bytes)}, *bytes);
    if (run == nullptr) return unreadable_blob(store, blob);
    take(std::move(run));
  }
  return {};
}

}  // namespace adbrook::state
