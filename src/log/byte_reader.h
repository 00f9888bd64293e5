// Reads fields of our own formats one after the other; a length is compared with what is left
// before it is used. Once something did not fit, everything after it reads as zero and ok() is
// false.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace adbrook::log {

// Owned by one thread; views into `bytes`.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return rest_.size(); }
  // What was read cannot be.
  void refuse() { ok_ = false; }

  template <class T>
  T number() {
    const ByteView raw = bytes(sizeof(T));
    return ok_ ? load_le<T>(raw.data()) : T{};
  }

  ByteView bytes(std::size_t size) {
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  // A 16-bit size and that many bytes.
  std::string_view text() { return as_text(bytes(number<std::uint16_t>())); }

  // A 32-bit count of things of at least `size_min` bytes each; fails when they cannot all be left.
  std::uint32_t count(std::size_t size_min) {
    const auto value = number<std::uint32_t>();
    if (value > rest_.size() / size_min) ok_ = false;
    return ok_ ? value : 0;
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

inline void append_text(Buffer& to, std::string_view text) {
  append_le(to, static_cast<std::uint16_t>(text.size()));
  append(to, as_bytes(text));
}

}  // namespace adbrook::log
