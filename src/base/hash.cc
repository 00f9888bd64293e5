#include "base/hash.h"

#include <isa-l/crc.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace adbrook {

std::uint32_t crc32c(ByteView bytes, std::uint32_t previous) {
  // isa-l wants the inverted state and a pointer to non-const, which it does not write through.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  ByteView rest = bytes;
  std::uint32_t state = ~previous;
  constexpr std::size_t kMostPerCall = 1u << 30;  // its length is an int
  while (rest.size() > kMostPerCall) {
    state = crc32_iscsi(data, static_cast<int>(kMostPerCall), state);
    data += kMostPerCall;
    rest = rest.subspan(kMostPerCall);
  }
  return ~crc32_iscsi(data, static_cast<int>(rest.size()), state);
}

std::uint32_t kafka_murmur2(ByteView key) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    auto word = load_le<std::uint32_t>(key.data() + at);
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  const std::size_t left = key.size() - at;
  if (left >= 3) hash ^= static_cast<std::uint32_t>(key[at + 2]) << 16;
  if (left >= 2) hash ^= static_cast<std::uint32_t>(key[at + 1]) << 8;
  if (left >= 1) {
    hash ^= static_cast<std::uint32_t>(key[at]);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

std::int32_t kafka_partition(ByteView key, std::int32_t partition_count) {
  return static_cast<std::int32_t>((kafka_murmur2(key) & 0x7fffffffu) %
                                   static_cast<std::uint32_t>(partition_count));
}

std::uint64_t xxh3(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t xxh3(Uuid id) {
  const auto raw = id.bytes();
  return XXH3_64bits(raw.data(), raw.size());
}

std::uint64_t seeded_hash(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace adbrook
