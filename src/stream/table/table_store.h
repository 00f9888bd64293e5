// Typed rows over a store of bytes: for each key a value and the event time it is of. What tables
// keep, what aggregates are, and what joins look up.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "state/key_value_store.h"
#include "stream/keyed/serde.h"
#include "stream/keyed/store_options.h"

namespace adbrook::stream {

// A row's bytes begin with its time in eight bytes, little-endian, with the sign bit flipped, so
// that the zeroed bytes of a new row are no time of any row.
inline constexpr std::size_t kRowTimeSize = 8;
inline void store_row_time(std::byte* to, Timestamp time) {
  store_le(to, static_cast<std::uint64_t>(time.ms) ^ (std::uint64_t{1} << 63));
}
inline Timestamp load_row_time(const std::byte* from) {
  return {static_cast<std::int64_t>(load_le<std::uint64_t>(from) ^ (std::uint64_t{1} << 63))};
}
inline bool is_new_row(std::span<const std::byte> bytes) {
  return load_le<std::uint64_t>(bytes.data()) == 0;
}

template <class V>
struct TableRow {
  V value{};
  Timestamp time;
};

// A typed look at a store that somebody else owns. Owned by one thread (the task's).
template <class K, class V>
class TableStore {
 public:
  explicit TableStore(state::KeyValueStore& bytes) : bytes_(&bytes) {}

  // Values that borrow are good until the next change of the store.
  std::optional<TableRow<V>> find(const K& key) {
    const auto bytes = bytes_->get(encoded(key, key_bytes_));
    if (!bytes) return std::nullopt;
    TableRow<V> row{.time = load_row_time(bytes->data())};
    if (!Serde<V>::decode(bytes->subspan(kRowTimeSize), row.value)) return std::nullopt;
    return row;
  }
  void put(const K& key, const V& value, Timestamp time) {
    row_bytes_.resize(kRowTimeSize);
    store_row_time(row_bytes_.data(), time);
    Serde<V>::encode(value, row_bytes_);
    bytes_->put(encoded(key, key_bytes_), row_bytes_);
  }
  void erase(const K& key) { bytes_->erase(encoded(key, key_bytes_)); }
  // f(const K&, const TableRow<V>&) by byte order of the keys. The store does not change meanwhile.
  template <class F>
  void for_each(F f) const {
    K key{};
    TableRow<V> row;
    bytes_->for_each([&](ByteView key_bytes, ByteView bytes) {
      row.time = load_row_time(bytes.data());
      if (Serde<K>::decode(key_bytes, key) &&
          Serde<V>::decode(bytes.subspan(kRowTimeSize), row.value))
        f(std::as_const(key), std::as_const(row));
    });
  }

  state::KeyValueStore& bytes() { return *bytes_; }
  const state::KeyValueStore& bytes() const { return *bytes_; }

 private:
  state::KeyValueStore* bytes_;
  Buffer key_bytes_, row_bytes_;
};

}  // namespace adbrook::stream
