// Reads the protocol's primitive values from bytes that nobody has checked yet. The first mistake
// sticks: everything after it gives zeros, so that a caller asks once, at the end.
#pragma once

#include <concepts>
#include <cstdint>

#include "base/bytes.h"

namespace adbrook::protocol {

// Owned by one thread. What it gives are views into `bytes`, which must outlive them.
class WireReader {
 public:
  explicit WireReader(ByteView bytes) : bytes_(bytes) {}

  // The one place that compares a length with what is left. Empty after a mistake.
  ByteView take(std::size_t size) {
    if (failed() || size > left()) {
      fail("the message ends early");
      return {};
    }
    const ByteView taken = bytes_.subspan(position_, size);
    position_ += size;
    return taken;
  }

  template <std::integral T>
  T integer() {
    const ByteView taken = take(sizeof(T));
    return taken.empty() ? T{} : load_be<T>(taken.data());
  }

  // At most five bytes and 32 bits.
  std::uint32_t uvarint();

  // The first call wins. `why` must be a literal.
  void fail(const char* why) {
    if (failed()) return;
    why_ = why;
    failed_at_ = position_;
    position_ = bytes_.size();
  }
  bool failed() const { return why_ != nullptr; }
  const char* why() const { return why_; }
  // The byte that the failing read began at.
  std::size_t failed_at() const { return failed_at_; }

  std::size_t left() const { return bytes_.size() - position_; }
  ByteView rest() const { return bytes_.subspan(position_); }

 private:
  ByteView bytes_;
  std::size_t position_ = 0;
  const char* why_ = nullptr;
  std::size_t failed_at_ = 0;
};

}  // namespace adbrook::protocol
