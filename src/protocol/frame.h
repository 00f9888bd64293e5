// One message on its way out: its own bytes, and record batches that are sent from where they lie.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace adbrook::protocol {

// Owned by one thread. Borrowed bytes must stay as they are until the frame is written or dropped.
class Frame {
 public:
  Buffer& own() { return own_; }

  // Puts `bytes` behind everything written so far. Small ones are copied: one more piece of a
  // gathered write costs more than that.
  void add_borrowed(ByteView bytes);
  // Here come this many bytes that the sender takes from elsewhere, such as a file.
  void add_gap(std::size_t size);

  // Bytes of all pieces together.
  std::size_t size() const { return own_.size() + borrowed_size_; }

  // In the order of the wire. They are views into this frame and into what it borrowed; an empty
  // one stands for a gap.
  std::vector<ByteView> pieces() const;

  // Everything copied into one buffer. There must be no gap.
  Buffer joined() const;

 private:
  struct Borrowed {
    std::size_t own_position;  // it comes before the own byte at this position
    ByteView bytes;            // empty: a gap
  };
  Buffer own_;
  std::vector<Borrowed> borrowed_;
  std::size_t borrowed_size_ = 0;
};

}  // namespace adbrook::protocol
