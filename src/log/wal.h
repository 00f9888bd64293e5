// The write-ahead log's writing side: files of one size that are allocated ahead and recycled.
// Format: docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "log/wal_entry.h"

namespace adbrook::log {

// Where the next group goes.
struct WalPlace {
  std::uint64_t file = 0;
  std::uint64_t position = kWalBlockSize;
};

std::string wal_file_name(std::uint64_t number);
// 0: not the name of a write-ahead file.
std::uint64_t wal_file_number(std::string_view name);

struct WalHeader {
  std::uint64_t file_number = 0;
  std::uint64_t first_sequence = 0;
};
Buffer encode_wal_header(const WalHeader& header);
// corrupt: not a header (a file that was never written is all zeros).
Result<WalHeader> read_wal_header(ByteView block);

// What an entry may have at most in files of this size.
std::size_t wal_entry_size_max(Bytes file_size);

struct WalOptions {
  Bytes file_size;
  std::size_t spare_count_max = 4;  // recycled files kept; more are removed
};

// Owned by one thread at a time. After an error other than disk_full and overloaded nothing may be
// called any more.
class Wal {
 public:
  Wal(io::FileSystem& files, io::Clock& clock, Metrics& metrics, std::string directory,
      WalOptions options);

  // Begins file `number`, which nobody has written; `next_sequence` is what its first entry gets.
  // Files in `spares` are used before new ones are made. The name is on the disk when it returns.
  Result<void> start(std::uint64_t number, std::uint64_t next_sequence,
                     std::vector<std::uint64_t> spares);

  // Whether an entry of this size still fits the current file behind what was added.
  bool fits(std::size_t entry_size) const;
  // Goes on in the next file. No group may be open. disk_full: nothing has changed.
  Result<void> roll();

  // Adds an entry to the group and gives it the next sequence. Its batches must stay until
  // write_group() returns.
  void add(const WalAppend& what);
  // Writes the group: in memory of the kernel when it returns. `sync_follows`: the disk may begin.
  Result<void> write_group(bool sync_follows);
  // On the disk when it returns.
  Result<void> sync();
  bool group_empty() const { return group_.empty(); }
  bool all_synced() const { return synced_ + 1 == next_sequence_; }

  // Between groups.
  WalPlace place() const { return place_; }
  std::uint64_t last_sequence() const { return next_sequence_ - 1; }
  // Written files that a checkpoint has not freed, the current one included.
  std::size_t live_count() const { return place_.file - first_live_ + 1; }
  // A checkpoint covers everything in front of this file.
  void recycle_before(std::uint64_t file);
  // This file, left by an earlier process, is covered too.
  void recycle(std::uint64_t file);

 private:
  std::string path(std::uint64_t number) const { return directory_ + "/" + wal_file_name(number); }
  Result<std::unique_ptr<io::File>> take_file(std::uint64_t number);
  Result<std::unique_ptr<io::File>> make_file(std::uint64_t number);
  Result<void> begin_file(std::uint64_t number);
  Result<void> fill_ahead(std::uint64_t end);

  io::FileSystem& files_;
  io::Clock& clock_;
  std::string directory_;
  WalOptions options_;
  std::size_t file_size_;  // whole blocks

  std::unique_ptr<io::File> file_;
  WalPlace place_;
  GatheredBytes group_;
  bool header_written_ = false;
  std::uint64_t filled_ = 0;  // below this position the file has blocks that were written before
  std::uint64_t next_sequence_ = 1;
  std::uint64_t synced_ = 0;
  std::uint64_t first_live_ = 0;
  std::vector<std::uint64_t> spares_;

  Counter& sync_count_;
  Histogram& sync_seconds_;
  Gauge& file_count_;
};

}  // namespace adbrook::log
