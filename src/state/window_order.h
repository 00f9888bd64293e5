// Sorts the rows of a closing bucket by time: near-sorted keys, many at once.
#pragma once

#include <cstdint>
#include <vector>

namespace adbrook::state {

// ms since the bucket's start in the upper half, the row's index in the bucket in the lower one: so
// the order of keys is the order of (time, insertion).
using WindowKey = std::uint64_t;

constexpr WindowKey window_key(std::uint32_t delta, std::uint32_t index) {
  return (std::uint64_t{delta} << 32) | index;
}
constexpr std::uint32_t delta_of(WindowKey key) { return static_cast<std::uint32_t>(key >> 32); }
constexpr std::uint32_t index_of(WindowKey key) { return static_cast<std::uint32_t>(key); }

// `keys` come in ascending index. `scratch` is overwritten.
void sort_window_keys(std::vector<WindowKey>& keys, std::vector<WindowKey>& scratch);

}  // namespace adbrook::state
