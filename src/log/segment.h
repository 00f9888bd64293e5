// One segment of a partition: a run of record batches in a .log file and a row for each in .times.
// Format: docs/formats/segment.md.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "log/gathered_bytes.h"
#include "log/log.h"
#include "log/segment_row.h"
#include "record/batch.h"

namespace adbrook::log {

// How far a segment goes.
struct SegmentExtent {
  Offset base;
  std::uint32_t log_size = 0;
  std::uint32_t batch_count = 0;
  Timestamp first_append_time;
  Timestamp last_append_time;
  Timestamp max_timestamp = Timestamp::lowest();
  // How often compaction wrote it anew; 0 as it was appended. Each is a file of its own.
  std::uint32_t generation = 0;
};

std::string segment_name(Offset base, std::uint32_t generation);  // without suffix

// Writing (the second block) is owned by the log's writer; everything else is thread-safe.
// Readers see what was published, also while the writer goes on and after retention let it go.
class Segment {
 public:
  Segment(io::FileSystem& files, const std::string& directory, const SegmentExtent& extent);

  static constexpr std::size_t kCopied = std::numeric_limits<std::size_t>::max();
  // Whole batches below `end`, from the first one on that does not end below `from`; none when
  // there is none. out_of_range: its files are gone. `in_place_min` bytes or more stay in the file.
  Result<ReadBatches> read(Offset from, Offset end, std::size_t size_max,
                           std::size_t in_place_min = kCopied);
  // The first batch that does not end below `from` and whose largest timestamp is at or after
  // `time`.
  Result<std::optional<Offset>> first_at_or_after(Timestamp time, Offset from);
  Offset base() const { return base_; }
  std::uint32_t generation() const { return generation_; }
  SegmentExtent extent() const;  // published

  // Makes the files, or cuts them to the extent. Only for the active segment.
  Result<void> open_for_append();
  // Reserves space for this much behind what is staged. disk_full: as before.
  Result<void> reserve(std::size_t log_size, std::size_t batch_count);
  // Takes a batch behind the others; the bytes must stay until write_staged() returns.
  void stage(const SegmentRow& row, ByteView bytes);
  std::uint32_t staged_end() const { return static_cast<std::uint32_t>(log_end_); }
  bool opened() const { return opened_; }
  // In memory of the kernel when it returns.
  Result<void> write_staged(GatheredBytes& scratch);
  void publish();
  // No more is appended: gives back the space that was reserved and not used.
  Result<void> seal();

  // Beside anything; on the disk when it returns.
  Result<void> sync();
  // Sealed and synced: closes the files. Reads open them again for a moment.
  void close();
  std::vector<std::string> paths() const { return {log_path_, times_path_}; }

 private:
  // Shared with readers that began before close().
  struct Files {
    std::shared_ptr<io::File> log;  // also with answers that are sent from it
    std::unique_ptr<io::File> times;
  };
  struct IndexEntry {
    Offset first;
    Timestamp max_before;
  };
  struct Window;
  struct Selection;

  Result<std::shared_ptr<Files>> files_for_reading();
  Result<void> load_index(Files& files);
  Result<Window> open_window();
  Result<std::vector<SegmentRow>> read_rows(Files& files, std::size_t index, std::size_t count);
  Result<Selection> select(const Window& window, Offset from, Offset end, std::size_t size_max);
  Result<ReadBatches> read_batches(Files& files, Offset from, const std::vector<SegmentRow>& rows);
  Result<ReadBatches> locate_batches(Files& files, Offset from,
                                     const std::vector<SegmentRow>& rows);
  Result<record::BatchHeader> read_batch_header(Files& files, const SegmentRow& row);
  std::size_t row_index_for(Offset from) const;
  Result<void> reserve_in(io::File& file, std::uint64_t needed, std::uint64_t& reserved);
  void index_row(const SegmentRow& row);

  io::FileSystem& files_system_;
  const Offset base_;
  const std::uint32_t generation_;
  const std::string log_path_;
  const std::string times_path_;

  // The writer publishes while readers look up; held for moments, but for loading an old index.
  mutable std::mutex mutex_;
  SegmentExtent extent_;
  std::shared_ptr<Files> files_;
  std::vector<IndexEntry> index_;  // every 64th batch
  bool index_loaded_;

  bool opened_ = false;    // for appending
  std::uint64_t log_end_;  // with what is staged
  std::uint64_t times_end_;
  std::uint64_t log_reserved_ = 0;
  std::uint64_t times_reserved_ = 0;
  std::vector<SegmentRow> staged_;
  std::vector<ByteView> staged_bytes_;
};

}  // namespace adbrook::log
