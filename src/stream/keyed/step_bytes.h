// Copies of bytes that must stay where they are while a batch is under way: rows that borrow from a
// store would lose their bytes at its next change.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace adbrook::stream {

// Owned by one thread. Keeps its memory for the next batch.
class StepBytes {
 public:
  // A copy that is good until clear().
  ByteView keep(ByteView bytes) {
    if (bytes.size() > left_) next_chunk(bytes.size());
    std::byte* at = next_;
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    next_ += bytes.size();
    left_ -= bytes.size();
    return {at, bytes.size()};
  }
  void clear() {
    used_ = 0;
    next_ = nullptr;
    left_ = 0;
  }

 private:
  static constexpr std::size_t kChunkSize = 64 << 10;
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };

  void next_chunk(std::size_t least) {
    if (used_ == chunks_.size()) chunks_.emplace_back();
    Chunk& chunk = chunks_[used_++];
    if (chunk.size < least) {
      chunk.size = std::max(least, kChunkSize);
      chunk.bytes = std::make_unique<std::byte[]>(chunk.size);
    }
    next_ = chunk.bytes.get();
    left_ = chunk.size;
  }

  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace adbrook::stream
