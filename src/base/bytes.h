// Views of raw bytes, owned buffers, and little/big-endian loads and stores.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace adbrook {

using ByteView = std::span<const std::byte>;
using Buffer = std::vector<std::byte>;

// A size or budget in bytes, where it is a setting or a limit.
struct Bytes {
  std::int64_t count = 0;
  friend constexpr auto operator<=>(Bytes, Bytes) = default;
};
constexpr Bytes operator""_KiB(unsigned long long n) {
  return {static_cast<std::int64_t>(n) << 10};
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return {static_cast<std::int64_t>(n) << 20};
}

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline void append(Buffer& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

namespace detail {
template <class T>
constexpr T swap_if(T value, bool swap) {
  if (!swap) return value;
  if constexpr (sizeof(T) == 2)
    return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4)
    return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  return value;
}
}  // namespace detail

// The caller has checked that sizeof(T) bytes are there.
template <class T>
T load_be(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return detail::swap_if(value, std::endian::native == std::endian::little);
}
template <class T>
T load_le(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return detail::swap_if(value, std::endian::native == std::endian::big);
}
template <class T>
void store_be(std::byte* to, T value) {
  value = detail::swap_if(value, std::endian::native == std::endian::little);
  std::memcpy(to, &value, sizeof value);
}
template <class T>
void store_le(std::byte* to, T value) {
  value = detail::swap_if(value, std::endian::native == std::endian::big);
  std::memcpy(to, &value, sizeof value);
}
template <class T>
void append_le(Buffer& to, T value) {
  const auto at = to.size();
  to.resize(at + sizeof value);
  store_le(to.data() + at, value);
}

}  // namespace adbrook
