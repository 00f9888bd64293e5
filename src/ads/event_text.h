// Storage for the texts of events that are not views of the bytes they came in: unescaped JSON,
// upper-cased countries, collected extra fields. Addresses stay until clear().
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace adbrook::ads {

// Owned by one thread. Grows by chunks; clear() keeps the first chunk, so that a batch after a
// batch allocates nothing. It is bounded by its user's batch: it never holds more than the texts of
// it.
class EventText {
 public:
  static constexpr std::size_t kChunkSize = 64 << 10;

  std::string_view keep(std::string_view text);
  ByteView keep(ByteView bytes) { return as_bytes(keep(as_text(bytes))); }

  // Room for `size` characters that the caller fills.
  char* room(std::size_t size);

  void clear();
  std::size_t memory() const { return memory_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;  // in the last chunk
  std::size_t memory_ = 0;
};

}  // namespace adbrook::ads
