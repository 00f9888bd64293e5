// The fields of both events by their published names, with the rule and the limit of each: the one
// table behind the JSON and query edges, the importer and the codec's checks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

#include "ads/event.h"

namespace adbrook::ads {

enum class FieldRule : std::uint8_t {
  uuid,         // 36 characters or 32 hex digits
  time,         // RFC 3339 or whole ms since 1970
  whole,        // 0 <= n < 2^53
  text,         // any UTF-8 up to the field's limit
  name,         // text, or a whole number that is kept as text
  ip,           // IPv4 or IPv6
  country,      // two ASCII letters, kept in upper case
  currency,     // three ASCII letters, kept in upper case
  latitude,     // -90 .. 90
  longitude,    // -180 .. 180
  probability,  // 0 < p <= 1
};

// Text limits in bytes. They bound what a dictionary entry or a report row can cost.
inline constexpr std::size_t kUserIdSizeMax = 256;
inline constexpr std::size_t kIpSizeMax = 45;
inline constexpr std::size_t kCitySizeMax = 128;
inline constexpr std::size_t kDeviceTextSizeMax = 64;  // browser, platform, platformVersion
inline constexpr std::size_t kNameSizeMax = 128;       // creativeId, placementId
inline constexpr std::size_t kDecisionIdSizeMax = 256;
inline constexpr std::size_t kFixedTextSizeMax = 64;  // what is parsed, never kept

// Whole numbers stay exact in every JSON reader, which holds them as doubles.
inline constexpr std::int64_t kWholeEnd = std::int64_t{1} << 53;
inline constexpr Timestamp kEventTimeFirst{946'684'800'000};  // 2000-01-01T00:00:00Z

enum class Presence : std::uint8_t { required, optional };

template <class Event>
struct Field {
  std::string_view name;
  FieldRule rule;
  Presence presence;
  std::size_t size_max;  // of its text form
  std::variant<Uuid Event::*, std::optional<Uuid> Event::*, Timestamp Event::*,
               std::int64_t Event::*, std::optional<std::int64_t> Event::*,
               std::string_view Event::*, std::optional<double> Event::*>
      member;
};

// In the order of the published schema.
inline constexpr std::array<Field<Impression>, 19> kImpressionFields = {{
    {"uuid", FieldRule::uuid, Presence::required, kFixedTextSizeMax, &Impression::id},
    {"timestamp", FieldRule::time, Presence::required, kFixedTextSizeMax, &Impression::timestamp},
    {"campaignId", FieldRule::whole, Presence::required, kFixedTextSizeMax,
     &Impression::campaign_id},
    {"pubId", FieldRule::whole, Presence::required, kFixedTextSizeMax, &Impression::publisher_id},
    {"creativeId", FieldRule::name, Presence::optional, kNameSizeMax, &Impression::creative_id},
    {"placementId", FieldRule::name, Presence::optional, kNameSizeMax, &Impression::placement_id},
    {"userId", FieldRule::text, Presence::optional, kUserIdSizeMax, &Impression::user_id},
    {"ip", FieldRule::ip, Presence::optional, kIpSizeMax, &Impression::ip},
    {"city", FieldRule::text, Presence::optional, kCitySizeMax, &Impression::city},
    {"country", FieldRule::country, Presence::optional, kFixedTextSizeMax, &Impression::country},
    {"browser", FieldRule::text, Presence::optional, kDeviceTextSizeMax, &Impression::browser},
    {"platform", FieldRule::text, Presence::optional, kDeviceTextSizeMax, &Impression::platform},
    {"platformVersion", FieldRule::text, Presence::optional, kDeviceTextSizeMax,
     &Impression::platform_version},
    {"latitude", FieldRule::latitude, Presence::optional, kFixedTextSizeMax, &Impression::latitude},
    {"longitude", FieldRule::longitude, Presence::optional, kFixedTextSizeMax,
     &Impression::longitude},
    {"priceMicros", FieldRule::whole, Presence::optional, kFixedTextSizeMax,
     &Impression::price_micros},
    {"currency", FieldRule::currency, Presence::optional, kFixedTextSizeMax, &Impression::currency},
    {"decisionId", FieldRule::text, Presence::optional, kDecisionIdSizeMax,
     &Impression::decision_id},
    {"propensity", FieldRule::probability, Presence::optional, kFixedTextSizeMax,
     &Impression::propensity},
}};

inline constexpr std::array<Field<Click>, 14> kClickFields = {{
    {"uuid", FieldRule::uuid, Presence::required, kFixedTextSizeMax, &Click::id},
    {"timestamp", FieldRule::time, Presence::required, kFixedTextSizeMax, &Click::timestamp},
    {"campaignId", FieldRule::whole, Presence::required, kFixedTextSizeMax, &Click::campaign_id},
    {"pubId", FieldRule::whole, Presence::required, kFixedTextSizeMax, &Click::publisher_id},
    {"impressionId", FieldRule::uuid, Presence::optional, kFixedTextSizeMax, &Click::impression_id},
    {"userId", FieldRule::text, Presence::optional, kUserIdSizeMax, &Click::user_id},
    {"ip", FieldRule::ip, Presence::optional, kIpSizeMax, &Click::ip},
    {"city", FieldRule::text, Presence::optional, kCitySizeMax, &Click::city},
    {"country", FieldRule::country, Presence::optional, kFixedTextSizeMax, &Click::country},
    {"browser", FieldRule::text, Presence::optional, kDeviceTextSizeMax, &Click::browser},
    {"platform", FieldRule::text, Presence::optional, kDeviceTextSizeMax, &Click::platform},
    {"platformVersion", FieldRule::text, Presence::optional, kDeviceTextSizeMax,
     &Click::platform_version},
    {"latitude", FieldRule::latitude, Presence::optional, kFixedTextSizeMax, &Click::latitude},
    {"longitude", FieldRule::longitude, Presence::optional, kFixedTextSizeMax, &Click::longitude},
}};

template <class Event>
constexpr std::span<const Field<Event>> fields_of() {
  if constexpr (std::is_same_v<Event, Impression>)
    return kImpressionFields;
  else
    return kClickFields;
}

}  // namespace adbrook::ads
