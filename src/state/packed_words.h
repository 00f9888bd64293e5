// 64-bit words with their leading zero bytes left out, for rows that are mostly small numbers and
// zeros. A row is one nibble per word, which says how many bytes it has, then those bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "state/blob_reader.h"

namespace adbrook::state {

// The most that pack_words() adds for `count` words.
constexpr std::size_t packed_size_max(std::size_t count) {
  return (count + 1) / 2 + count * sizeof(std::uint64_t);
}

// Writes one row and returns the place behind it; packed_size_max() bytes must have room there.
inline std::byte* pack_words(std::byte* to, std::span<const std::uint64_t> words) {
  const std::size_t head_size = (words.size() + 1) / 2;
  std::byte* body = to + head_size;
  std::memset(to, 0, head_size);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto size = (static_cast<std::size_t>(std::bit_width(words[i])) + 7) / 8;
    to[i / 2] |= static_cast<std::byte>(size << (i % 2 * 4));
    store_le(body, words[i]);
    body += size;
  }
  return body;
}

// Reads one row; false when it is cut off or a size is no size.
inline bool unpack_words(BlobReader& reader, std::span<std::uint64_t> words) {
  const ByteView head = reader.bytes((words.size() + 1) / 2);
  if (!reader.good()) return false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto size = std::to_integer<std::size_t>(head[i / 2] >> (i % 2 * 4)) & 0xF;
    const ByteView bytes = reader.bytes(size);
    if (!reader.good() || size > sizeof(std::uint64_t)) return false;
    words[i] = 0;
    if (size > 0) std::memcpy(&words[i], bytes.data(), size);
  }
  return true;
}

}  // namespace adbrook::state
