// What only a file of the kernel can do, each with a plain way for every other file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/file_system.h"

namespace adbrook::io {

// Owned by one thread at a time, like every File; the descriptor may be read from beside it.
class KernelFile : public File {
 public:
  // Valid as long as this lives.
  virtual int descriptor() const = 0;
  virtual Result<void> write_pieces_at(std::uint64_t position,
                                       std::span<const ByteView> pieces) = 0;
  virtual void begin_sync(std::uint64_t position, std::size_t size) = 0;
};

// A part of a file, which is kept open as long as this lives.
struct FileRange {
  std::shared_ptr<File> file;
  std::uint64_t position = 0;
  std::size_t size = 0;
};

// What the kernel knows it by, so that it can be sent from where it lies; -1: no such file.
int descriptor_of(const File& file);

// As File::write_at, for bytes that lie in several places, one behind the other.
Result<void> write_pieces_at(File& file, std::uint64_t position, std::span<const ByteView> pieces);

// Lets the disk begin with this range, so that a sync() that follows waits less. Promises nothing
// and reports nothing; sync() does.
void begin_sync(File& file, std::uint64_t position, std::size_t size);

}  // namespace adbrook::io
