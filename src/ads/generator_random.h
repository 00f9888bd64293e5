// The generator's own random numbers: integers only, so that one seed gives the same events on
// every machine, whatever its floating point or its standard library's distributions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"

namespace adbrook::ads {

// Shares are in millionths.
inline constexpr std::uint64_t kWholeShare = 1'000'000;

// splitmix64 (Steele, Lea, Flood 2014): passes BigCrush and needs eight bytes of state.
class GeneratorRandom {
 public:
  explicit GeneratorRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // 0 <= n < end; the bias of the multiplication is below 2^-40 for all ends used here.
  std::uint64_t below(std::uint64_t end) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * end) >> 64);
  }
  std::int64_t between(std::int64_t first, std::int64_t end) {
    return first + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(end - first)));
  }
  bool chance(std::uint64_t share) { return below(kWholeShare) < share; }
  // Shaped like a random (version 4) uuid.
  Uuid uuid() {
    const std::uint64_t high = next(), low = next();
    return {(high & ~0xF000ull) | 0x4000u, (low & ~(3ull << 62)) | (2ull << 62)};
  }

 private:
  std::uint64_t state_;
};

// Picks an index by weight.
class WeightedChoice {
 public:
  explicit WeightedChoice(std::span<const std::uint64_t> weights) {
    std::uint64_t sum = 0;
    for (const std::uint64_t weight : weights) ends_.push_back(sum += weight);
  }
  // Zipf's law: the n-th is 1/n as likely as the first.
  static WeightedChoice zipf(std::size_t count) {
    std::vector<std::uint64_t> weights;
    for (std::size_t i = 0; i < count; ++i) weights.push_back(1'000'000 / (i + 1));
    return WeightedChoice(weights);
  }

  std::size_t pick(GeneratorRandom& random) const {
    const std::uint64_t at = random.below(ends_.back());
    return static_cast<std::size_t>(std::ranges::upper_bound(ends_, at) - ends_.begin());
  }

 private:
  std::vector<std::uint64_t> ends_;
};

}  // namespace adbrook::ads
