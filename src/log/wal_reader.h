// Reads one write-ahead file to its last whole entry. Format: docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/file_system.h"
#include "log/wal.h"
#include "log/wal_entry.h"

namespace adbrook::log {

// Owned by one thread.
class WalReader {
 public:
  static Result<WalReader> open(io::FileSystem& files, const std::string& directory,
                                std::uint64_t number);

  // None: never written under this number, or its header is damaged.
  const std::optional<WalHeader>& header() const { return header_; }

  // The entry at `position` or behind the padding there, if it is whole and has this sequence;
  // `position` moves behind it. The view holds until the next call.
  Result<std::optional<WalEntry>> next(std::uint64_t& position, std::uint64_t sequence);

  // Whether an entry behind `position` says that `sequence` was on the disk before it was made.
  Result<bool> proves_synced(std::uint64_t position, std::uint64_t sequence);

 private:
  WalReader(std::unique_ptr<io::File> file, std::uint64_t number, std::uint64_t size)
      : file_(std::move(file)), number_(number), size_(size) {}
  Result<ByteView> look(std::uint64_t position, std::size_t size);
  Result<std::optional<WalEntry>> entry_at(std::uint64_t position);

  std::unique_ptr<io::File> file_;
  std::uint64_t number_;
  std::uint64_t size_;
  std::optional<WalHeader> header_;
  Buffer window_;  // of the file, from window_begin_
  std::uint64_t window_begin_ = 0;
};

}  // namespace adbrook::log
