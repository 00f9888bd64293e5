// The places synthetic users live in: real cities with their coordinates, most visited first.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace adbrook::ads {

struct GeneratorPlace {
  std::string_view country;  // ISO 3166-1 alpha-2
  std::string_view city;
  std::int32_t latitude;  // in ten-thousandths of a degree, WGS 84
  std::int32_t longitude;
};

std::span<const GeneratorPlace> generator_places();

}  // namespace adbrook::ads
