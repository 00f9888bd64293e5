// One update of a table: the row before and the row now, either of which may be absent.
#pragma once

#include <optional>
#include <utility>

#include "stream/keyed/serde.h"

namespace adbrook::stream {

// `old_value` is absent also in tables that nobody keeps (Table::knows_old()).
template <class V>
struct Change {
  std::optional<V> old_value, new_value;
  friend bool operator==(const Change&, const Change&) = default;
};

// Through an internal topic: bit 0 an old value is there, bit 1 a new one; then the old one's size
// in four bytes, little-endian, the old one, and the new one to the end.
template <class V>
struct Serde<Change<V>> {
  static constexpr std::size_t kHeadSize = 5;
  static constexpr std::uint8_t kHasOld = 1, kHasNew = 2;
  static constexpr bool kBorrows = kBorrowsBytes<V>;

  static void encode(const Change<V>& change, Buffer& to) {
    const std::size_t at = to.size();
    to.resize(at + kHeadSize);
    if (change.old_value) Serde<V>::encode(*change.old_value, to);
    const auto old_size = static_cast<std::uint32_t>(to.size() - at - kHeadSize);
    if (change.new_value) Serde<V>::encode(*change.new_value, to);
    to[at] =
        static_cast<std::byte>((change.old_value ? kHasOld : 0) | (change.new_value ? kHasNew : 0));
    store_le(to.data() + at + 1, old_size);
  }
  static bool decode(ByteView from, Change<V>& out) {
    if (from.size() < kHeadSize) return false;
    const auto flags = static_cast<std::uint8_t>(from[0]);
    const auto old_size = load_le<std::uint32_t>(from.data() + 1);
    from = from.subspan(kHeadSize);
    if (flags > (kHasOld | kHasNew) || old_size > from.size()) return false;
    out.old_value.reset();
    out.new_value.reset();
    if ((flags & kHasOld) != 0 && !Serde<V>::decode(from.first(old_size), out.old_value.emplace()))
      return false;
    return (flags & kHasNew) == 0 ||
           Serde<V>::decode(from.subspan(old_size), out.new_value.emplace());
  }
};

}  // namespace adbrook::stream
