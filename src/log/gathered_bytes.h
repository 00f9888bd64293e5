// Bytes for one write that come from several places: small ones are copied together, large ones
// stay where they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace adbrook::log {

// Owned by one thread. What is added must stay as it is until the bytes were written or cleared.
class GatheredBytes {
 public:
  // For what is small and made here.
  Buffer& own() { return own_; }
  void add(ByteView bytes);

  bool empty() const { return size() == 0; }
  std::size_t size() const { return own_.size() + borrowed_size_; }
  // In order; they are views into this and into what was added.
  std::vector<ByteView> pieces() const;
  // Keeps its memory.
  void clear();

  // The present end, for a checksum over what comes behind it.
  struct Mark {
    std::size_t own = 0;
    std::size_t borrowed = 0;
  };
  Mark end() const { return {own_.size(), borrowed_.size()}; }
  // CRC-32C of everything from `skipped` own bytes behind the mark on.
  std::uint32_t checksum_from(Mark mark, std::size_t skipped, std::uint32_t previous) const;

 private:
  struct Borrowed {
    std::size_t own_position;  // it comes before the own byte at this position
    ByteView bytes;
  };
  Buffer own_;
  std::vector<Borrowed> borrowed_;
  std::size_t borrowed_size_ = 0;
};

}  // namespace adbrook::log
