// The materialised views of the click-through reports, as plain declarations: what they group by,
// their bucket and their measures. The topology fills them, the generator's truth predicts them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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
  currency,
};
inline constexpr std::array<std::string_view, 9> kDimensionNames = {
    "campaign_id", "publisher_id", "creative_id", "placement_id", "country",
    "city",        "browser",      "platform",    "currency"};

constexpr std::string_view to_string(Dimension dimension) {
  return kDimensionNames[static_cast<std::size_t>(dimension)];
}
constexpr std::optional<Dimension> parse_dimension(std::string_view name) {
  for (std::size_t i = 0; i < kDimensionNames.size(); ++i)
    if (kDimensionNames[i] == name) return static_cast<Dimension>(i);
  return std::nullopt;
}

// How two values of one measure become one.
enum class Combine : std::uint8_t { sum, exclusive_or };

enum class Measure : std::uint8_t {
  impressions,
  joined_clicks,
  unlinked_clicks,
  unique_clicks,  // at most one per impression
  spend_micros,   // of the impressions, in the cell's currency
  impression_id_sum,
  impression_id_xor,
  click_id_sum,  // joined and unlinked
  click_id_xor,
  unique_click_id_sum,
  unique_click_id_xor,
};
inline constexpr std::size_t kMeasureCount = 11;

struct MeasureDeclaration {
  std::string_view name;
  Combine combine;
};
// All are 64-bit and wrap; id sums and exclusive ors are of xxh3(Uuid), design section 9.
inline constexpr std::array<MeasureDeclaration, kMeasureCount> kMeasures = {{
    {"impressions", Combine::sum},
    {"joined_clicks", Combine::sum},
    {"unlinked_clicks", Combine::sum},
    {"unique_clicks", Combine::sum},
    {"spend_micros", Combine::sum},
    {"impression_id_sum", Combine::sum},
    {"impression_id_xor", Combine::exclusive_or},
    {"click_id_sum", Combine::sum},
    {"click_id_xor", Combine::exclusive_or},
    {"unique_click_id_sum", Combine::sum},
    {"unique_click_id_xor", Combine::exclusive_or},
}};

inline constexpr std::size_t kViewKeySizeMax = 5;

// A joined click counts in the bucket of its own time under its impression's dimensions (its
// currency included), an unlinked one under its own (without a currency). The last part of every
// key is the currency: money of two currencies is never added up.
struct ViewDeclaration {
  std::string_view name;
  std::array<Dimension, kViewKeySizeMax> parts;
  std::size_t part_count;
  Millis bucket;

  constexpr std::span<const Dimension> key() const { return {parts.data(), part_count}; }
};

inline constexpr std::size_t kViewCount = 4;
inline constexpr std::array<ViewDeclaration, kViewCount> kViews = {{
    {"click-through",
     {Dimension::campaign_id, Dimension::publisher_id, Dimension::country, Dimension::currency},
     4,
     Millis(60'000)},
    {"creatives",
     {Dimension::campaign_id, Dimension::publisher_id, Dimension::creative_id,
      Dimension::placement_id, Dimension::currency},
     5,
     Millis(3'600'000)},
    {"places",
     {Dimension::campaign_id, Dimension::country, Dimension::city, Dimension::currency},
     4,
     Millis(3'600'000)},
    {"devices",
     {Dimension::campaign_id, Dimension::browser, Dimension::platform, Dimension::currency},
     4,
     Millis(3'600'000)},
}};

}  // namespace adbrook::ads
