// How keys, values and aggregates become bytes, in topics and in stores alike, so that the order of
// a store's keys is that of their bytes in Kafka. Texts are UTF-8, numbers big-endian as Kafka's
// own serdes write them.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/time.h"

namespace adbrook::stream {

// Specialise it for a type of your own:
//   static void encode(const T& value, Buffer& to);   appends
//   static bool decode(ByteView from, T& out);        false: these bytes are no T
// and, where it can: `static constexpr std::size_t kSize` when all have one size, and `static
// ByteView view(const T&)` when a value holds its own bytes. `static constexpr bool kBorrows =
// true` says that a decoded T holds views into `from`; in a flow those live until the step's end.
template <class T>
struct Serde;

template <class T>
concept Serializable = requires(const T& value, T& out, Buffer& to, ByteView from) {
  Serde<T>::encode(value, to);
  { Serde<T>::decode(from, out) } -> std::same_as<bool>;
};

template <>
struct Serde<std::string> {
  static void encode(const std::string& value, Buffer& to) { append(to, view(value)); }
  static bool decode(ByteView from, std::string& out) {
    out.assign(as_text(from));
    return true;
  }
  static ByteView view(const std::string& value) { return as_bytes(value); }
};

template <>
struct Serde<std::string_view> {
  static constexpr bool kBorrows = true;
  static void encode(std::string_view value, Buffer& to) { append(to, as_bytes(value)); }
  static bool decode(ByteView from, std::string_view& out) {
    out = as_text(from);
    return true;
  }
  static ByteView view(std::string_view value) { return as_bytes(value); }
};

template <std::integral T>
struct Serde<T> {
  static constexpr std::size_t kSize = sizeof(T);
  static void encode(T value, Buffer& to) {
    to.resize(to.size() + kSize);
    store_be(to.data() + to.size() - kSize, value);
  }
  static bool decode(ByteView from, T& out) {
    if (from.size() != kSize) return false;
    out = load_be<T>(from.data());
    return true;
  }
};

// One byte; of other values than 0 and 1 no bool can be made.
template <>
struct Serde<bool> {
  static constexpr std::size_t kSize = 1;
  static void encode(bool value, Buffer& to) { to.push_back(std::byte{value}); }
  static bool decode(ByteView from, bool& out) {
    if (from.size() != kSize || std::to_integer<unsigned>(from[0]) > 1) return false;
    out = from[0] == std::byte{1};
    return true;
  }
};

template <>
struct Serde<double> {
  static constexpr std::size_t kSize = sizeof(double);
  static void encode(double value, Buffer& to) {
    Serde<std::uint64_t>::encode(std::bit_cast<std::uint64_t>(value), to);
  }
  static bool decode(ByteView from, double& out) {
    std::uint64_t bits = 0;
    if (!Serde<std::uint64_t>::decode(from, bits)) return false;
    out = std::bit_cast<double>(bits);
    return true;
  }
};

template <>
struct Serde<Timestamp> {
  static constexpr std::size_t kSize = sizeof(std::int64_t);
  static void encode(Timestamp value, Buffer& to) { Serde<std::int64_t>::encode(value.ms, to); }
  static bool decode(ByteView from, Timestamp& out) {
    return Serde<std::int64_t>::decode(from, out.ms);
  }
};

// For plain structs of numbers that stay inside this program, such as aggregates:
// `template <> struct Serde<Totals> : PlainSerde<Totals> {};`. The bytes are the machine's own.
template <class T>
struct PlainSerde {
  static_assert(std::is_trivially_copyable_v<T>, "only plain structs are copied as bytes");
  static constexpr std::size_t kSize = sizeof(T);
  static void encode(const T& value, Buffer& to) {
    append(to, std::as_bytes(std::span(&value, 1)));
  }
  static bool decode(ByteView from, T& out) {
    if (from.size() != kSize) return false;
    std::memcpy(&out, from.data(), kSize);
    return true;
  }
};

template <class T>
inline constexpr bool kBorrowsBytes = requires { requires Serde<T>::kBorrows; };
template <class T>
inline constexpr std::size_t kFixedSize = 0;
template <class T>
  requires requires { Serde<T>::kSize; }
inline constexpr std::size_t kFixedSize<T> = Serde<T>::kSize;

// A key or value that may be absent is a std::optional in the type of its stream: null in Kafka.
template <class T>
struct Nullable {
  using Value = T;
  static constexpr bool kNullable = false;
  static bool absent(const T&) { return false; }
  static const T& value(const T& from) { return from; }
};
template <class T>
struct Nullable<std::optional<T>> {
  using Value = T;
  static constexpr bool kNullable = true;
  static bool absent(const std::optional<T>& from) { return !from.has_value(); }
  static const T& value(const std::optional<T>& from) { return *from; }
};
template <class T>
using NonNull = typename Nullable<T>::Value;

template <class T>
bool is_null(const T& value) {
  return Nullable<T>::absent(value);
}
// Not of a null.
template <class T>
const NonNull<T>& value_of(const T& value) {
  return Nullable<T>::value(value);
}

// The bytes of a key that is not null, in `scratch` unless it holds its own.
template <class T>
ByteView encoded(const T& value, Buffer& scratch) {
  if constexpr (requires { Serde<T>::view(value); }) {
    return Serde<T>::view(value);
  } else {
    scratch.clear();
    Serde<T>::encode(value, scratch);
    return scratch;
  }
}
template <class T>
std::optional<ByteView> encoded_or_null(const T& value, Buffer& scratch) {
  if (is_null(value)) return std::nullopt;
  return encoded(value_of(value), scratch);
}

// False for bytes that are no T, and for an absent value when T may not be absent.
template <class T>
bool decode_or_null(const std::optional<ByteView>& from, T& out) {
  if constexpr (Nullable<T>::kNullable) {
    if (!from) return out.reset(), true;
    return Serde<NonNull<T>>::decode(*from, out.emplace());
  } else {
    return from && Serde<T>::decode(*from, out);
  }
}

}  // namespace adbrook::stream
