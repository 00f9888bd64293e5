#include "log/recovery.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "log/wal_reader.h"
#include "record/batch.h"

namespace adbrook::log {
namespace {

std::unexpected<Error> damaged_wal(const std::string& where, const std::string& why) {
  return fail(ErrorKind::corrupt, "write-ahead log '" + where + "': " + why +
                                      "; acknowledged data is damaged. Restore the data directory "
                                      "from a backup");
}

// --- the directories ---

// A topic that the checkpoint does not name was never acknowledged, or its deletion was.
Result<void> remove_directory_and_files(io::FileSystem& files, const std::string& path) {
  const auto names = files.list(path);
  // Not a directory: nothing that we made.
  if (!names) return {};
  for (const std::string& name : *names)
    if (auto done = files.remove(path + "/" + name); !done) return done;
  return files.remove_directory(path);
}

// Files that the checkpoint does not name came after it, or left before it; a named one must be
// there.
Result<void> clean_partition(io::FileSystem& files, const std::string& path,
                             const CheckpointedPartition& kept) {
  const auto names = files.list(path);
  if (!names) return pass(names.error());
  std::set<std::string> wanted;
  for (const SegmentExtent& segment : kept.segments)
    for (const char* suffix : {".log", ".times"})
      wanted.insert(segment_name(segment.base, segment.generation) + suffix);
  for (const std::string& name : *names) {
    if (wanted.erase(name) > 0) continue;
    if (auto done = files.remove(path + "/" + name); !done) return done;
  }
  if (wanted.empty()) return {};
  return fail(ErrorKind::corrupt, "partition '" + path + "': file " + *wanted.begin() +
                                      " is missing; restore it from a backup");
}

Result<void> clean_topics(io::FileSystem& files, const DataDirectory& directory,
                          const Checkpoint& checkpoint) {
  const auto names = files.list(directory.topics());
  if (!names) return pass(names.error());
  std::set<std::string> known;
  for (const CheckpointedTopic& topic : checkpoint.topics) {
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const auto name = partition_directory_name(topic.name, static_cast<std::int32_t>(i));
      known.insert(name);
      auto done = clean_partition(files, directory.topics() + "/" + name, topic.partitions[i]);
      if (!done) return done;
    }
  }
  for (const std::string& name : *names) {
    if (known.contains(name)) continue;
    auto done = remove_directory_and_files(files, directory.topics() + "/" + name);
    if (!done) return done;
  }
  return {};
}

// --- the write-ahead log ---

class Replay {
 public:
  Replay(io::FileSystem& files, const std::string& directory, LogState& state)
      : files_(files), directory_(directory), state_(state) {}

  Result<Recovered> run(const Checkpoint& checkpoint);

 private:
  Result<void> list_files();
  Result<std::uint64_t> read_files(const Checkpoint& checkpoint);
  Result<void> read_entries(WalReader& reader);
  Result<void> apply(const WalEntry& entry);
  Result<void> apply_batch(std::span<std::byte> bytes, const WalBatch& batch);
  std::string where(std::uint64_t file) const { return directory_ + "/" + wal_file_name(file); }

  io::FileSystem& files_;
  const std::string& directory_;
  LogState& state_;
  std::set<std::uint64_t> numbers_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t position_ = 0;  // where reading of the last file came to
  std::uint64_t count_ = 0;
  Buffer payload_;
  GatheredBytes scratch_;
};

Result<void> Replay::list_files() {
  const auto names = files_.list(directory_);
  if (!names) return pass(names.error());
  for (const std::string& name : *names)
    if (const auto number = wal_file_number(name); number != 0) numbers_.insert(number);
  return {};
}

// The same way into the segments as a new append takes; offset and time are the recorded ones.
Result<void> Replay::apply_batch(std::span<std::byte> bytes, const WalBatch& batch) {
  // Anything that does not follow exactly would put a hole or a double into the partition.
  const auto partition = state_.partition(batch.partition);
  const auto header = record::read_header(bytes);
  if (partition == nullptr || !header || header->size() != bytes.size() ||
      partition->next() != batch.base)
    return fail(ErrorKind::corrupt, "an entry does not follow from what is before it");
  const auto facts = batch_facts(bytes, *header);
  if (!facts) return fail(ErrorKind::corrupt, facts.error().message);
  auto done = partition->make_room(
      {.size = bytes.size(), .batch_count = 1, .offset_count = facts->offset_count},
      batch.append_time);
  if (!done) return done;
  partition->take(bytes, *facts, batch.append_time);
  done = partition->write_staged(scratch_);
  std::vector<io::Step> woken;  // nobody waits yet
  if (done) state_.publish({partition}, {}, woken);
  return done;
}

Result<void> Replay::apply(const WalEntry& entry) {
  // Taking a batch writes its base offset, the same one, into it; the reader's bytes stay as read.
  payload_.assign(entry.payload.begin(), entry.payload.end());
  const auto what = parse_wal_append(payload_);
  if (!what) return pass(what.error());
  for (const WalBatch& batch : what->batches) {
    const auto at = static_cast<std::size_t>(batch.bytes.data() - payload_.data());
    auto done = apply_batch(std::span(payload_).subspan(at, batch.bytes.size()), batch);
    if (!done) return done;
  }
  std::vector<LogState::OffsetChange> offsets;
  for (const WalOffset& offset : what->offsets)
    offsets.push_back({offset.partition, std::string(offset.group),
                       CommittedOffset{.offset = offset.offset,
                                       .leader_epoch = offset.leader_epoch,
                                       .metadata = std::string(offset.metadata),
                                       .commit_time = offset.commit_time}});
  for (const WalDeletion& deletion : what->deletions)
    offsets.push_back({deletion.partition, std::string(deletion.group), std::nullopt});
  std::vector<io::Step> woken;
  state_.publish({}, std::move(offsets), woken);
  return {};
}

Result<void> Replay::read_entries(WalReader& reader) {
  for (;;) {
    const auto entry = reader.next(position_, next_sequence_);
    if (!entry) return pass(entry.error());
    if (!*entry) return {};
    if (auto done = apply(**entry); !done) return done;
    ++next_sequence_;
    ++count_;
  }
}

// Returns the last file that was written.
Result<std::uint64_t> Replay::read_files(const Checkpoint& checkpoint) {
  const std::uint64_t first = checkpoint.wal.file;
  if (!numbers_.contains(first)) return damaged_wal(where(first), "it is missing");
  std::uint64_t last = first;
  for (auto number = numbers_.find(first); number != numbers_.end(); ++number) {
    auto reader = WalReader::open(files_, directory_, *number);
    if (!reader) return pass(std::move(reader.error()));
    position_ = *number == first ? checkpoint.wal.position : kWalBlockSize;
    if (const auto& header = reader->header()) {
      const std::uint64_t begin = header->first_sequence;
      // A header says that all entries before its first were on the disk.
      if (begin > next_sequence_ || (begin < next_sequence_ && *number != first))
        return damaged_wal(where(*number), "it begins with entry " + std::to_string(begin) +
                                               ", but entry " + std::to_string(next_sequence_) +
                                               " was not found");
      last = *number;
      if (auto done = read_entries(*reader); !done) return pass(done.error(), where(*number));
    }
    const auto proven = reader->proves_synced(position_, next_sequence_);
    if (!proven) return pass(proven.error());
    if (*proven)
      return damaged_wal(where(*number), "entry " + std::to_string(next_sequence_) + " at " +
                                             std::to_string(position_) + " is damaged");
  }
  return last;
}

Result<Recovered> Replay::run(const Checkpoint& checkpoint) {
  if (auto done = list_files(); !done) return pass(std::move(done.error()));
  next_sequence_ = checkpoint.sequence + 1;
  const auto last = read_files(checkpoint);
  if (!last) return pass(last.error());
  Recovered recovered{.last_sequence = next_sequence_ - 1, .replayed_count = count_};
  for (const std::uint64_t number : numbers_) {
    // Until the next checkpoint is on the disk a crash needs these files once more.
    const bool needed = number >= checkpoint.wal.file && number <= *last;
    (needed ? recovered.covered : recovered.spares).push_back(number);
    recovered.next_file = number + 1;
  }
  return recovered;
}

}  // namespace

Result<Recovered> recover(io::FileSystem& files, const DataDirectory& directory,
                          const Checkpoint& checkpoint, LogState& state) {
  state.restore(checkpoint);
  if (auto done = clean_topics(files, directory, checkpoint); !done)
    return pass(std::move(done.error()));
  return Replay(files, directory.wal(), state).run(checkpoint);
}

}  // namespace adbrook::log
