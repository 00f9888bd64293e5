// What one API of the protocol is: its key, its name and the versions that are spoken here.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace adbrook::protocol {

inline constexpr std::int16_t kNever = std::numeric_limits<std::int16_t>::max();

struct Api {
  std::int16_t key = 0;
  std::string_view name;
  // The versions that can be read and written, both ends included.
  std::int16_t first = 0;
  std::int16_t last = 0;
  // From here on lengths are varints and every struct ends with tagged fields.
  std::int16_t flexible = kNever;
  // The lowest version to name in an ApiVersions answer; it is lower than `first` where clients
  // take that number for a sign of what the broker can do and never send it.
  std::int16_t advertised_first = first;

  constexpr bool speaks(std::int16_t version) const { return version >= first && version <= last; }
};

// How the bytes of one message are laid out.
struct Style {
  std::int16_t version = 0;
  bool flexible = false;
};
constexpr Style style_of(const Api& api, std::int16_t version) {
  return {version, version >= api.flexible};
}

}  // namespace adbrook::protocol
