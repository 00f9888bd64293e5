// Reads little-endian values out of a blob; a length is compared with what is left before it is
// used. The first read past the end makes all later ones fail too, so that one check is enough.
#pragma once

#include <bit>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"

namespace adbrook::state {

// The stores write arrays of their structs as they lie in memory.
static_assert(std::endian::native == std::endian::little);

// Owned by one thread. Does not own the bytes.
class BlobReader {
 public:
  explicit BlobReader(ByteView bytes) : rest_(bytes) {}

  // 0 when it is not there.
  template <class T>
  T number() {
    const ByteView raw = bytes(sizeof(T));
    return raw.empty() ? T{} : load_le<T>(raw.data());
  }
  // Empty when that many are not there.
  ByteView bytes(std::uint64_t size) {
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::string_view text() { return as_text(bytes(number<std::uint32_t>())); }

  bool good() const { return good_; }
  // Everything was there and nothing is left over.
  bool ended_well() const { return good_ && rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
  bool good_ = true;
};

// The bytes of an array as they lie in memory.
template <class T>
ByteView bytes_of(const T* first, std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const std::byte*>(first), count * sizeof(T)};
}

}  // namespace adbrook::state
