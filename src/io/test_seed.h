// The seed of every random test: printed when the test fails, taken back from ADBROOK_SEED.
#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "io/random.h"

namespace adbrook::io {

// ADBROOK_SEED alone when it is set, else `count` seeds that differ from run to run.
inline std::vector<std::uint64_t> test_seeds(std::size_t count) {
  std::vector<std::uint64_t> seeds;
  if (const char* chosen = std::getenv("ADBROOK_SEED")) {
    const std::string_view text(chosen);
    seeds.push_back(0);
    std::from_chars(text.data(), text.data() + text.size(), seeds.back());
    return seeds;
  }
  SystemRandom random;
  for (std::size_t i = 0; i < count; ++i) seeds.push_back(random.next());
  return seeds;
}

// For SCOPED_TRACE: every failure below it tells how to get the same run again.
inline std::string seed_note(std::uint64_t seed) { return "ADBROOK_SEED=" + std::to_string(seed); }

}  // namespace adbrook::io
