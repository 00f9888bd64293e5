// The hashes that other programs must be able to repeat, and the checksum of everything stored.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"

namespace adbrook {

// CRC-32C (Castagnoli), as in Kafka's record batch v2: "123456789" gives 0xE3069283.
// `previous` continues a checksum over adjacent bytes.
std::uint32_t crc32c(ByteView bytes, std::uint32_t previous = 0);

// Kafka's murmur2 with its fixed seed, as the Java client's default partitioner uses it.
std::uint32_t kafka_murmur2(ByteView key);

// The partition Kafka's default partitioner picks for this key: (murmur2 & 0x7fffffff) % count.
std::int32_t kafka_partition(ByteView key, std::int32_t partition_count);

// XXH3-64, unseeded: for audit columns and ids made from text, never for hash tables.
std::uint64_t xxh3(ByteView bytes);
std::uint64_t xxh3(Uuid id);  // of the 16 id bytes

// A fast 64-bit mix of an id with a secret seed, for hash tables only. Inline: it is on the path of
// every event.
inline std::uint64_t seeded_hash(Uuid id, std::uint64_t seed) {
  const auto product = static_cast<unsigned __int128>(id.high ^ seed) *
                       (id.low ^ (seed * 0x9E3779B97F4A7C15ull) ^ 0xA0761D6478BD642Full);
  const auto folded =
      static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  const auto second = static_cast<unsigned __int128>(folded ^ id.low) * 0xE7037ED1A0B428DBull;
  return static_cast<std::uint64_t>(second) ^ static_cast<std::uint64_t>(second >> 64) ^ id.high;
}
std::uint64_t seeded_hash(std::string_view text, std::uint64_t seed);

}  // namespace adbrook
