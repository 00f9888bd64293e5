// Strong ids that many rooms share: the 128-bit event id and the log's offset.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace adbrook {

// A 128-bit identity. 36 characters with dashes, 32 hex digits (either case) and 16 raw bytes of
// the same value are the same id; the text form is lower-case with dashes.
struct Uuid {
  std::uint64_t high = 0;  // the first eight bytes, big-endian, so that order is byte order
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(Uuid, Uuid) = default;

  static std::optional<Uuid> parse(std::string_view text);
  static std::optional<Uuid> from_bytes(ByteView bytes);  // exactly 16

  // 36 lower-case characters.
  std::array<char, 36> text() const;
  std::string to_string() const;
  std::array<std::byte, 16> bytes() const;
};

// A record's place in a partition.
struct Offset {
  std::int64_t value = 0;

  friend constexpr auto operator<=>(Offset, Offset) = default;
  friend constexpr Offset operator+(Offset o, std::int64_t n) { return {o.value + n}; }
  friend constexpr std::int64_t operator-(Offset a, Offset b) { return a.value - b.value; }
};

}  // namespace adbrook
