// The bytes of a file from front to end, gzip unpacked on the way: what import and the truth file
// read from. Files of any size pass through one small buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file_system.h"

namespace adbrook::ads {

// Owned by one thread.
class ImportBytes {
 public:
  // Gzip is told by its first two bytes, not by the file's name.
  static Result<ImportBytes> open(io::FileSystem& files, const std::string& path);
  ImportBytes(ImportBytes&&) noexcept;
  ImportBytes& operator=(ImportBytes&&) noexcept;
  ~ImportBytes();

  // Fills the front of `into`; 0 is the end. A cut or damaged gzip file gives all that could be
  // unpacked first, then corrupt, and stays there.
  Result<std::size_t> read(std::span<std::byte> into);

  // Of the file as it lies on the disk, for progress.
  std::uint64_t position() const { return position_; }
  std::uint64_t size() const { return size_; }

 private:
  struct Unpacker;
  ImportBytes();

  Result<bool> fill();
  Result<std::size_t> read_plain(std::span<std::byte> into);
  Result<std::size_t> unpack(std::span<std::byte> into);
  std::unexpected<Error> damaged(std::string_view why) const;

  std::string path_;
  std::unique_ptr<io::File> file_;
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
  Buffer buffer_;  // [begin_, buffer_.size()) was read and is not yet used
  std::size_t begin_ = 0;
  std::unique_ptr<Unpacker> unpacker_;  // null for a plain file
};

}  // namespace adbrook::ads
