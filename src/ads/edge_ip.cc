#include "ads/edge_ip.h"

#include <cstddef>

namespace adbrook::ads {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 4 && is_digit(text[digits]))
      value = value * 10 + (text[digits++] - '0');
    if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[0] == '0')) return false;
    text.remove_prefix(digits);
    if (part == 3) break;
    if (text.empty() || text[0] != '.') return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

// Counts the 16-bit groups of one side of "::"; -1 when it is none.
int count_groups(std::string_view text, bool tail_allowed) {
  if (text.empty()) return 0;
  int groups = 0;
  for (;;) {
    std::size_t digits = 0;
    while (digits < text.size() && is_hex(text[digits])) ++digits;
    if (digits < text.size() && text[digits] == '.')
      return tail_allowed && is_ipv4(text) ? groups + 2 : -1;
    if (digits == 0 || digits > 4) return -1;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) return groups;
    if (text[0] != ':') return -1;
    text.remove_prefix(1);
  }
}

bool is_ipv6(std::string_view text) {
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const int before = count_groups(text.substr(0, gap), false);
  const int after = count_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

}  // namespace

bool is_ip_address(std::string_view text) {
  return text.find(':') == std::string_view::npos ? is_ipv4(text) : is_ipv6(text);
}

}  // namespace adbrook::ads
