// Zig-zag varints as Kafka's records use them: seven bits a byte, lowest first.
// Inline, because every record holds seven of them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace adbrook::record {

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Bytes that write_varint() will use, 1 to 10.
constexpr std::size_t varint_size(std::int64_t value) {
  return (static_cast<std::size_t>(std::bit_width(zigzag(value) | 1)) + 6) / 7;
}

// Writes varint_size(value) bytes and returns the place behind them.
inline std::byte* write_varint(std::byte* to, std::int64_t value) {
  std::uint64_t rest = zigzag(value);
  while (rest >= 0x80) {
    *to++ = static_cast<std::byte>(rest | 0x80);
    rest >>= 7;
  }
  *to++ = static_cast<std::byte>(rest);
  return to;
}

// The rare case: two bytes or more. Null when the bytes end early or do not fit 64 bits.
inline const std::byte* read_long_varint(const std::byte* from, const std::byte* end,
                                         std::int64_t& value) {
  std::uint64_t bits = 0;
  for (int shift = 0; shift < 64 && from != end; shift += 7) {
    const auto byte = static_cast<std::uint64_t>(*from++);
    if (shift == 63 && byte > 1) return nullptr;
    bits |= (byte & 0x7F) << shift;
    if (byte < 0x80) {
      value = unzigzag(bits);
      return from;
    }
  }
  return nullptr;
}

// Reads one varint from [from, end) and returns the place behind it, or null. `from` may be null:
// a chain of reads needs one check at its end.
inline const std::byte* read_varint(const std::byte* from, const std::byte* end,
                                    std::int64_t& value) {
  if (from == nullptr || from == end) return nullptr;
  const auto first = static_cast<std::uint64_t>(*from);
  if (first < 0x80) [[likely]] {
    value = unzigzag(first);
    return from + 1;
  }
  return read_long_varint(from, end, value);
}

}  // namespace adbrook::record
