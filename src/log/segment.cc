#include "log/segment.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "io/kernel_file.h"
#include "record/batch.h"

namespace adbrook::log {
namespace {

constexpr std::size_t kRowsPerIndexEntry = 64;
// Rows read at once while an index is built or a read goes on behind its first rows.
constexpr std::size_t kRowsPerRead = 1024;
constexpr std::uint64_t kReserveMin = 64 << 10;
constexpr std::uint64_t kReserveMax = 8 << 20;

std::unexpected<Error> damaged_segment(const std::string& path, const std::string& why) {
  return fail(ErrorKind::corrupt, "segment '" + path + "': " + why +
                                      "; the disk changed it. Restore this file from a backup");
}

Result<void> read_exactly(io::File& file, const std::string& path, std::uint64_t position,
                          std::span<std::byte> into) {
  const auto got = file.read_at(position, into);
  if (!got) return pass(got.error());
  if (*got != into.size())
    return damaged_segment(path, "it ends at " + std::to_string(position + *got) + ", before " +
                                     std::to_string(position + into.size()));
  return {};
}

}  // namespace

// Byte order of the names is the order of the offsets.
std::string segment_name(Offset base, std::uint32_t generation) {
  const std::string digits = std::to_string(base.value);
  std::string name = std::string(20 - digits.size(), '0') + digits;
  if (generation > 0) name += "-" + std::to_string(generation);
  return name;
}

// What one read works on, so that the writer can go on meanwhile.
struct Segment::Window {
  std::shared_ptr<Files> files;
  std::size_t batch_count;
};

Segment::Segment(io::FileSystem& files, const std::string& directory, const SegmentExtent& extent)
    : files_system_(files),
      base_(extent.base),
      generation_(extent.generation),
      log_path_(directory + "/" + segment_name(extent.base, extent.generation) + ".log"),
      times_path_(directory + "/" + segment_name(extent.base, extent.generation) + ".times"),
      extent_(extent),
      index_loaded_(extent.batch_count == 0),
      log_end_(extent.log_size),
      times_end_(std::uint64_t{extent.batch_count} * kSegmentRowSize) {}

SegmentExtent Segment::extent() const {
  const std::lock_guard lock(mutex_);
  return extent_;
}

// --- reading ---

// A sealed segment is opened for each read: four calls beside a read of many batches, and the
// number of open files does not grow with what is kept.
Result<std::shared_ptr<Segment::Files>> Segment::files_for_reading() {
  if (files_) return files_;
  auto log = files_system_.open(log_path_, io::OpenMode::read);
  if (!log) return pass(std::move(log.error()));
  auto times = files_system_.open(times_path_, io::OpenMode::read);
  if (!times) return pass(std::move(times.error()));
  return std::make_shared<Files>(std::move(*log), std::move(*times));
}

Result<std::vector<SegmentRow>> Segment::read_rows(Files& files, std::size_t index,
                                                   std::size_t count) {
  Buffer bytes(count * kSegmentRowSize);
  if (auto done = read_exactly(*files.times, times_path_, index * kSegmentRowSize, bytes); !done)
    return pass(std::move(done.error()));
  std::vector<SegmentRow> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row =
        read_segment_row(ByteView(bytes).subspan(i * kSegmentRowSize, kSegmentRowSize), base_);
    if (!row)
      return damaged_segment(times_path_, "row " + std::to_string(index + i) + " is damaged");
    rows.push_back(*row);
  }
  return rows;
}

void Segment::index_row(const SegmentRow& row) {
  if (extent_.batch_count % kRowsPerIndexEntry == 0)
    index_.push_back({.first = row.first, .max_before = extent_.max_timestamp});
  extent_.max_timestamp = std::max(extent_.max_timestamp, row.max_timestamp);
  if (extent_.batch_count == 0) extent_.first_append_time = row.append_time;
  extent_.last_append_time = row.append_time;
  extent_.log_size = row.position + row.size;
  ++extent_.batch_count;
}

// Under the mutex: whoever comes meanwhile needs it as well.
Result<void> Segment::load_index(Files& files) {
  const SegmentExtent known = extent_;
  const auto size = files.log->size();
  if (!size) return pass(size.error());
  if (*size < known.log_size)
    return damaged_segment(log_path_, "it has " + std::to_string(*size) +
                                          " bytes and should have " +
                                          std::to_string(known.log_size));
  // The rows are counted anew from nothing and must come to what the checkpoint says.
  extent_ = {.base = base_, .generation = generation_};
  index_.clear();
  Result<void> result;
  while (result && extent_.batch_count < known.batch_count) {
    const std::size_t count =
        std::min<std::size_t>(kRowsPerRead, known.batch_count - extent_.batch_count);
    const auto rows = read_rows(files, extent_.batch_count, count);
    if (!rows) result = pass(rows.error());
    for (std::size_t i = 0; result && i < rows->size(); ++i) {
      if ((*rows)[i].position != extent_.log_size)
        result = damaged_segment(times_path_, "its rows do not follow each other");
      index_row((*rows)[i]);
    }
  }
  if (result && extent_.log_size != known.log_size)
    result = damaged_segment(times_path_, "its rows do not fill the segment");
  extent_ = known;
  index_loaded_ = result.has_value();
  return result;
}

Result<Segment::Window> Segment::open_window() {
  const std::lock_guard lock(mutex_);
  auto files = files_for_reading();
  if (!files && files.error().kind == ErrorKind::not_found)
    return fail(ErrorKind::out_of_range, "segment '" + log_path_ +
                                             "' is gone: retention or the deletion of its topic "
                                             "took it; read from the log start");
  if (!files) return pass(std::move(files.error()));
  if (!index_loaded_) {
    if (auto done = load_index(**files); !done) return pass(std::move(done.error()));
  }
  return Window{.files = std::move(*files), .batch_count = extent_.batch_count};
}

// The row is checked against the batch and the batch against its checksum: a wrong index or a byte
// that the disk changed is an error, never a wrong answer. Batches that end below `from` are left
// out: where compaction left a hole, the batch in front of it comes with the rows.
Result<ReadBatches> Segment::read_batches(Files& files, Offset from,
                                          const std::vector<SegmentRow>& rows) {
  ReadBatches result;
  const std::uint32_t begin = rows.front().position;
  result.bytes.resize(rows.back().position + rows.back().size - begin);
  // Batches follow each other without a gap, so one read has them all.
  if (auto done = read_exactly(*files.log, log_path_, begin, result.bytes); !done)
    return pass(std::move(done.error()));
  result.batches.reserve(rows.size());
  for (const SegmentRow& row : rows) {
    const std::size_t at = row.position - begin;
    const auto header = record::check_batch(ByteView(result.bytes).subspan(at, row.size));
    if (!header || header->size() != row.size || header->base_offset != row.first)
      return damaged_segment(log_path_,
                             "the batch at " + std::to_string(row.position) + " is damaged");
    if (header->last_offset() < from) continue;
    if (result.batches.empty()) result.first = header->base_offset;
    result.batches.push_back({.index_begin = at, .size = row.size, .append_time = row.append_time});
    result.next = header->last_offset() + 1;
  }
  return result;
}

std::size_t Segment::row_index_for(Offset from) const {
  const std::lock_guard lock(mutex_);
  const auto above = std::ranges::upper_bound(index_, from, {}, &IndexEntry::first);
  if (above == index_.begin()) return 0;
  return static_cast<std::size_t>(above - index_.begin() - 1) * kRowsPerIndexEntry;
}

struct Segment::Selection {
  std::vector<SegmentRow> rows;
  std::optional<Offset> behind;  // where the batch behind them begins
};

// The rows of the batches from the one that may hold `from` on.
Result<Segment::Selection> Segment::select(const Window& window, Offset from, Offset end,
                                           std::size_t size_max) {
  Selection wanted;
  std::size_t size = 0;
  std::size_t next = row_index_for(from);
  // The first rows come with the one that the index points at; a long read takes more at a time.
  for (std::size_t count = kRowsPerIndexEntry; !wanted.behind && next < window.batch_count;
       count = kRowsPerRead) {
    count = std::min(count, window.batch_count - next);
    const auto rows = read_rows(*window.files, next, count);
    if (!rows) return pass(rows.error());
    next += count;
    for (const SegmentRow& row : *rows) {
      // The last one that begins at or before `from` holds it, unless there is a hole.
      if (row.first <= from) wanted.rows.clear(), size = 0;
      if (row.first >= end || (!wanted.rows.empty() && size + row.size > size_max)) {
        wanted.behind = row.first;
        break;
      }
      wanted.rows.push_back(row);
      size += row.size;
    }
  }
  return wanted;
}

Result<record::BatchHeader> Segment::read_batch_header(Files& files, const SegmentRow& row) {
  std::array<std::byte, record::kBatchHeaderSize> bytes;
  if (auto done = read_exactly(*files.log, log_path_, row.position, bytes); !done)
    return pass(std::move(done.error()));
  const auto header = record::read_header(bytes);
  if (!header || header->size() != row.size || header->base_offset != row.first)
    return damaged_segment(log_path_,
                           "the batch at " + std::to_string(row.position) + " is damaged");
  return *header;
}

// The headers at both ends tell where the offsets begin and end.
Result<ReadBatches> Segment::locate_batches(Files& files, Offset from,
                                            const std::vector<SegmentRow>& rows) {
  ReadBatches result;
  const auto first = read_batch_header(files, rows.front());
  if (!first) return pass(first.error());
  const std::size_t skipped = first->last_offset() < from ? 1 : 0;
  if (skipped == rows.size()) return result;
  const auto last = read_batch_header(files, rows.back());
  if (!last) return pass(last.error());
  const std::uint32_t begin = rows[skipped].position;
  result.batches.reserve(rows.size() - skipped);
  for (std::size_t i = skipped; i < rows.size(); ++i)
    result.batches.push_back({.index_begin = rows[i].position - begin,
                              .size = rows[i].size,
                              .append_time = rows[i].append_time});
  result.in_file = io::FileRange{.file = files.log,
                                 .position = begin,
                                 .size = rows.back().position + rows.back().size - begin};
  result.first = rows[skipped].first;
  result.next = last->last_offset() + 1;
  return result;
}

Result<ReadBatches> Segment::read(Offset from, Offset end, std::size_t size_max,
                                  std::size_t in_place_min) {
  auto window = open_window();
  if (!window) return pass(std::move(window.error()));
  const auto wanted = select(*window, from, end, size_max);
  if (!wanted) return pass(wanted.error());
  const auto& rows = wanted->rows;
  if (rows.empty()) return ReadBatches{};
  const std::size_t size = rows.back().position + rows.back().size - rows.front().position;
  auto result = size >= in_place_min ? locate_batches(*window->files, from, rows)
                                     : read_batches(*window->files, from, rows);
  // The one batch that came ends in front of a hole that `from` lies in; behind it is one that
  // begins there.
  if (result && result->batches.empty() && wanted->behind && *wanted->behind < end)
    return read(*wanted->behind, end, size_max, in_place_min);
  return result;
}

Result<std::optional<Offset>> Segment::first_at_or_after(Timestamp time, Offset from) {
  auto window = open_window();
  if (!window) return pass(std::move(window.error()));
  std::size_t next;
  {
    // max_before never falls, so everything before the entry found is too early.
    const std::lock_guard lock(mutex_);
    if (extent_.max_timestamp < time) return std::nullopt;
    const auto above = std::ranges::partition_point(
        index_, [&](const IndexEntry& entry) { return entry.max_before < time; });
    next = static_cast<std::size_t>(above - index_.begin() - 1) * kRowsPerIndexEntry;
  }
  std::optional<Offset> found;
  while (next < window->batch_count) {
    const std::size_t count = std::min(kRowsPerIndexEntry, window->batch_count - next);
    const auto rows = read_rows(*window->files, next, count);
    if (!rows) return pass(rows.error());
    for (const SegmentRow& row : *rows) {
      // A row says where its batch begins; the next one says where it ended.
      if (row.first <= from) found.reset();
      if (found) return found;
      if (row.max_timestamp >= time) found = row.first;
    }
    next += count;
  }
  return found;
}

// --- writing ---

Result<void> Segment::open_for_append() {
  auto log = files_system_.open(log_path_, io::OpenMode::write);
  if (!log) return pass(std::move(log.error()));
  auto times = files_system_.open(times_path_, io::OpenMode::write);
  if (!times) return pass(std::move(times.error()));
  for (auto [file, end] : {std::pair{log->get(), log_end_}, std::pair{times->get(), times_end_}}) {
    const auto size = file->size();
    if (!size) return pass(size.error());
    if (*size < end)
      return damaged_segment(
          file == log->get() ? log_path_ : times_path_,
          "it has " + std::to_string(*size) + " bytes and should have " + std::to_string(end));
    // Longer: a crash left what the checkpoint does not count, or space that was never used.
    if (*size == end) continue;
    if (auto done = file->truncate(end); !done) return done;
  }
  const std::lock_guard lock(mutex_);
  files_ = std::make_shared<Files>(std::move(*log), std::move(*times));
  opened_ = true;
  return index_loaded_ ? Result<void>{} : load_index(*files_);
}

// In growing steps: small partitions stay small, large ones seldom ask.
Result<void> Segment::reserve_in(io::File& file, std::uint64_t needed, std::uint64_t& reserved) {
  if (needed <= reserved) return {};
  const std::uint64_t ahead = std::clamp(needed, kReserveMin, kReserveMax);
  auto done = file.allocate(needed + ahead);
  if (done) {
    reserved = needed + ahead;
    return done;
  }
  if (done.error().kind != ErrorKind::disk_full) return done;
  // Nearly full: the last bytes are still worth having.
  done = file.allocate(needed);
  if (done) reserved = needed;
  return done;
}

Result<void> Segment::reserve(std::size_t log_size, std::size_t batch_count) {
  if (auto done = reserve_in(*files_->log, log_end_ + log_size, log_reserved_); !done) return done;
  return reserve_in(*files_->times, times_end_ + batch_count * kSegmentRowSize, times_reserved_);
}

void Segment::stage(const SegmentRow& row, ByteView bytes) {
  ADBROOK_ASSERT(row.position == log_end_ && row.size == bytes.size(), "batches leave no gap");
  staged_.push_back(row);
  staged_bytes_.push_back(bytes);
  log_end_ += bytes.size();
  times_end_ += kSegmentRowSize;
}

Result<void> Segment::write_staged(GatheredBytes& scratch) {
  scratch.clear();
  for (const ByteView bytes : staged_bytes_) scratch.add(bytes);
  auto done = io::write_pieces_at(*files_->log, log_end_ - scratch.size(), scratch.pieces());
  if (!done) return done;
  // The rows come after the batches, though nothing depends on it: both count only when published.
  scratch.clear();
  for (const SegmentRow& row : staged_) encode_segment_row(scratch.own(), base_, row);
  return files_->times->write_at(times_end_ - scratch.size(), scratch.own());
}

void Segment::publish() {
  const std::lock_guard lock(mutex_);
  for (const SegmentRow& row : staged_) index_row(row);
  staged_.clear();
  staged_bytes_.clear();
}

Result<void> Segment::seal() {
  // The sizes do not change: readers below them see nothing of it.
  if (auto done = files_->log->truncate(log_end_); !done) return done;
  return files_->times->truncate(times_end_);
}

Result<void> Segment::sync() {
  // Not under the lock: readers go on during the sync.
  std::shared_ptr<Files> files;
  {
    const std::lock_guard lock(mutex_);
    files = files_;
  }
  if (!files) return {};
  if (auto done = files->log->sync(); !done) return done;
  return files->times->sync();
}

void Segment::close() {
  const std::lock_guard lock(mutex_);
  files_.reset();
  opened_ = false;
}

}  // namespace adbrook::log
