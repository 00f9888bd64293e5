// The declared views: which dimensions are grouped, and how fine in time.
// Plain declarations, so that the generator's truth and the engine count by the same list.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace adbrook::ads {

enum class Dimension : std::uint8_t {
  campaign_id,
  publisher_id,
  creative_id,
  placement_id,
  country,
  city,
  browser,
  platform,
};
inline constexpr std::size_t kDimensionCount = 8;

inline constexpr std::size_t kViewDimensionsMax = 4;

struct ViewDeclaration {
  std::string_view name;
  std::array<Dimension, kViewDimensionsMax> dimensions;
  std::size_t dimension_count;
  Millis bucket;  // the finest grain, UTC

  constexpr auto begin() const { return dimensions.begin(); }
  constexpr auto end() const { return dimensions.begin() + static_cast<std::ptrdiff_t>(dimension_count); }
};

// Coarsest first: a query takes the first one that covers it. The currency is a hidden last key
// part of each, so that spend never adds two currencies.
inline constexpr std::array<ViewDeclaration, 4> kViews = {{
    {"devices", {Dimension::campaign_id, Dimension::browser, Dimension::platform}, 3, Millis(3'600'000)},
    {"places", {Dimension::campaign_id, Dimension::country, Dimension::city}, 3, Millis(3'600'000)},
    {"creatives",
     {Dimension::campaign_id, Dimension::publisher_id, Dimension::creative_id, Dimension::placement_id},
     4,
     Millis(3'600'000)},
    {"click-through",
     {Dimension::campaign_id, Dimension::publisher_id, Dimension::country},
     3,
     Millis(60'000)},
}};

// What a cell counts. `clicks` = joined + unlinked; the audit columns are the sum (mod 2^64) and
// the xor of XXH3-64 of the 16 id bytes over the set that the name says.
enum class Measure : std::uint8_t {
  impressions,
  joined_clicks,
  unlinked_clicks,
  unique_clicks,
  spend_micros,
  impressions_sum,
  impressions_xor,
  clicks_sum,
  clicks_xor,
  unique_clicks_sum,
  unique_clicks_xor,
};
inline constexpr std::size_t kMeasureCount = 11;

constexpr bool combines_by_xor(Measure measure) {
  return measure == Measure::impressions_xor || measure == Measure::clicks_xor ||
         measure == Measure::unique_clicks_xor;
}

}  // namespace adbrook::ads
