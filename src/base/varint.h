// Zig-zag varints as Kafka's records and Avro use them: seven bits a byte, lowest first.
// Inline, because every record and every Avro field holds some.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace adbrook {

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

inline constexpr std::size_t kVarintSizeMax = 10;

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

// Byte by byte: near the end of the bytes, and for more than 56 bits. Null when the bytes end early
// or do not fit 64 bits.
inline const std::byte* read_varint_bytewise(const std::byte* from, const std::byte* end,
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
  if (end - from < 8) return read_varint_bytewise(from, end, value);
  const auto second = static_cast<std::uint64_t>(from[1]);
  if (second < 0x80) [[likely]] {
    value = unzigzag((first & 0x7F) | (second << 7));
    return from + 2;
  }
  // Eight bytes at once: find the first byte without the high bit, then close the gaps between the
  // groups of seven bits in three steps.
  const auto word = load_le<std::uint64_t>(from);
  const std::uint64_t stops = ~word & 0x8080808080808080u;
  if (stops == 0) [[unlikely]]
    return read_varint_bytewise(from, end, value);
  std::uint64_t bits = word & (stops ^ (stops - 1)) & 0x7F7F7F7F7F7F7F7Fu;
  bits = (bits & 0x007F007F007F007Fu) | ((bits & 0x7F007F007F007F00u) >> 1);
  bits = (bits & 0x00003FFF00003FFFu) | ((bits & 0x3FFF00003FFF0000u) >> 2);
  bits = (bits & 0x000000000FFFFFFFu) | ((bits & 0x0FFFFFFF00000000u) >> 4);
  value = unzigzag(bits);
  return from + (std::countr_zero(stops) + 1) / 8;
}

}  // namespace adbrook
