// An array that grows by chunks: elements never move, growing copies nothing, and what is unused is
// at most one chunk.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace adbrook::state {

// Owned by one thread. `kChunk` is a power of two. Elements are not initialised.
template <class T, std::size_t kChunk>
class ChunkedArray {
 public:
  static_assert((kChunk & (kChunk - 1)) == 0);

  T& operator[](std::size_t index) { return chunks_[index / kChunk][index % kChunk]; }
  const T& operator[](std::size_t index) const { return chunks_[index / kChunk][index % kChunk]; }
  std::size_t size() const { return size_; }

  // Returns the index of the new last element.
  std::size_t add() {
    if (size_ == chunks_.size() * kChunk) {
      chunks_.push_back(std::make_unique_for_overwrite<T[]>(kChunk));
    }
    return size_++;
  }
  void clear() {
    chunks_.clear();
    chunks_.shrink_to_fit();
    size_ = 0;
  }
  std::size_t memory() const {
    constexpr std::size_t kAllocationHead = 16;
    return chunks_.capacity() * sizeof(chunks_[0]) +
           chunks_.size() * (kChunk * sizeof(T) + kAllocationHead);
  }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace adbrook::state
