#include "state/window_order.h"

#include <algorithm>
#include <array>
#include <utility>

namespace adbrook::state {
namespace {

constexpr std::size_t kRadixCountMin = 64;  // below it comparing is cheaper than counting
constexpr int kDigitBits = 8;
constexpr std::size_t kDigits = 1u << kDigitBits;

// One stable pass: equal digits keep their order.
void pass_by_digit(const std::vector<WindowKey>& from, std::vector<WindowKey>& to, int shift) {
  std::array<std::size_t, kDigits> begins{};
  for (const WindowKey key : from) ++begins[(key >> shift) % kDigits];
  std::size_t begin = 0;
  for (std::size_t& count : begins) begin += std::exchange(count, begin);
  for (const WindowKey key : from) to[begins[(key >> shift) % kDigits]++] = key;
}

}  // namespace

void sort_window_keys(std::vector<WindowKey>& keys, std::vector<WindowKey>& scratch) {
  if (std::ranges::is_sorted(keys)) return;
  if (keys.size() < kRadixCountMin) {
    std::ranges::sort(keys);
    return;
  }
  scratch.resize(keys.size());
  const std::uint32_t largest = delta_of(*std::ranges::max_element(keys));
  for (int shift = 0; shift < 32 && (largest >> shift) != 0; shift += kDigitBits) {
    pass_by_digit(keys, scratch, 32 + shift);
    keys.swap(scratch);
  }
}

}  // namespace adbrook::state
