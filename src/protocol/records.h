// The record batches of one partition inside a message: never looked into here, never copied.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace adbrook::protocol {

// Views, in order. A message that was read has at most one; an answer may name several places.
struct Records {
  std::vector<ByteView> pieces;
  // Behind them this many bytes that only the sender has; see Frame::add_gap().
  std::size_t gap = 0;
  // Only a sender that has nothing says null. Our answers say "empty", which every client can read.
  bool is_null = false;

  std::size_t size() const {
    std::size_t size = gap;
    for (const ByteView piece : pieces) size += piece.size();
    return size;
  }
  // Of a message that was read: all bytes, empty when null.
  ByteView bytes() const { return pieces.empty() ? ByteView{} : pieces.front(); }
};

}  // namespace adbrook::protocol
