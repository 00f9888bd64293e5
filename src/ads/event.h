// The two ad events as plain rows, as every operator and report sees them after they were read.
// Names and rules of the fields are in event_fields.h, the published schemas in schemas/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace adbrook::ads {

// All texts and `extra` are views into the bytes the event was read from, or into the EventText
// that was given to the reader; they live as long as both. An absent text is empty, and an empty
// one counts as absent. `extra` is an encoded Avro map of text (event_extra.h), or empty.
struct Impression {
  Uuid id;
  Timestamp timestamp;
  std::int64_t campaign_id = 0;
  std::int64_t publisher_id = 0;
  std::string_view creative_id;
  std::string_view placement_id;
  std::string_view user_id;
  std::string_view ip;
  std::string_view city;
  std::string_view country;  // two upper-case letters
  std::string_view browser;
  std::string_view platform;
  std::string_view platform_version;
  std::optional<double> latitude;
  std::optional<double> longitude;
  std::optional<std::int64_t> price_micros;
  std::string_view currency;  // three upper-case letters
  std::string_view decision_id;
  std::optional<double> propensity;
  ByteView extra;
};

struct Click {
  Uuid id;
  Timestamp timestamp;
  std::int64_t campaign_id = 0;
  std::int64_t publisher_id = 0;
  std::optional<Uuid> impression_id;  // absent: the click is unlinked
  std::string_view user_id;
  std::string_view ip;
  std::string_view city;
  std::string_view country;
  std::string_view browser;
  std::string_view platform;
  std::string_view platform_version;
  std::optional<double> latitude;
  std::optional<double> longitude;
  ByteView extra;
};

enum class EventKind : std::uint8_t { impression, click };

// The topics they come in by.
inline constexpr std::string_view kImpressionsTopic = "impressions";
inline constexpr std::string_view kClicksTopic = "clicks";

}  // namespace adbrook::ads
