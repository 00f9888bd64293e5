#include "io/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace adbrook::io {

std::uint64_t Random::below(std::uint64_t bound) {
  ADBROOK_ASSERT(bound > 0, "a random number below zero was asked for");
  // Lemire's multiply-and-reject: the numbers under `threshold` would make some results likelier.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const auto product = static_cast<unsigned __int128>(next()) * bound;
    if (static_cast<std::uint64_t>(product) >= threshold)
      return static_cast<std::uint64_t>(product >> 64);
  }
}

void Random::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::uint64_t bits = next();
    const std::size_t size = std::min(out.size(), sizeof bits);
    std::memcpy(out.data(), &bits, size);
    out = out.subspan(size);
  }
}

std::uint64_t SystemRandom::next() {
  std::uint64_t bits = 0;
  ssize_t size = 0;
  do {
    size = ::getrandom(&bits, sizeof bits, 0);
  } while (size < 0 && errno == EINTR);
  // Up to 256 bytes are never cut short; an id from a broken source must never be handed out.
  ADBROOK_ASSERT(size == static_cast<ssize_t>(sizeof bits), "the kernel gave no random bytes");
  return bits;
}

std::uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15ull;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

}  // namespace adbrook::io
