// The header of every value Adbrook writes, and the parts that several output records share.
// Schemas with their ids: schemas/*.avsc, docs/formats/topics.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "serde/avro_wire.h"

namespace adbrook::ads {

// Ids 1 and 2 are the events themselves (event.h).
inline constexpr std::uint32_t kImpressionSummarySchemaId = 3;
inline constexpr std::uint32_t kAttributedClickSchemaId = 4;
inline constexpr std::uint32_t kOutcomeSchemaId = 5;
inline constexpr std::uint32_t kDeadLetterSchemaId = 6;
inline constexpr std::uint32_t kDeadLetterRedriveSchemaId = 7;

inline constexpr std::size_t kValueHeaderSize = 5;

inline void write_value_header(std::byte* to, std::uint32_t schema_id) {
  to[0] = std::byte{0};
  store_be(to + 1, schema_id);
}

// The bytes behind the header, or nothing when the header is another one.
inline std::optional<ByteView> value_body(ByteView value, std::uint32_t schema_id) {
  if (value.size() < kValueHeaderSize || value[0] != std::byte{0} ||
      load_be<std::uint32_t>(value.data() + 1) != schema_id)
    return std::nullopt;
  return value.subspan(kValueHeaderSize);
}

// What an event is reported under. Absent texts are empty.
struct ReportedUnder {
  std::int64_t campaign_id = 0;
  std::int64_t publisher_id = 0;
  std::string_view creative_id;
  std::string_view placement_id;
  std::string_view country;
  std::string_view city;
  std::string_view browser;
  std::string_view platform;
};

// A union of null and string in which the empty text is null.
inline std::size_t text_or_null_size(std::string_view text) {
  return text.empty() ? 1 : 1 + serde::avro_size(text);
}
inline void write_text_or_null(serde::AvroWriter& to, std::string_view text) {
  to.write_union_branch(text.empty() ? 0 : 1);
  if (!text.empty()) to.write_string(text);
}
inline std::string_view read_text_or_null(serde::AvroReader& from) {
  return from.read_optional_string_view().value_or(std::string_view());
}

inline std::size_t avro_size(const ReportedUnder& under) {
  return serde::avro_size(under.campaign_id) + serde::avro_size(under.publisher_id) +
         text_or_null_size(under.creative_id) + text_or_null_size(under.placement_id) +
         text_or_null_size(under.country) + text_or_null_size(under.city) +
         text_or_null_size(under.browser) + text_or_null_size(under.platform);
}
inline void write(serde::AvroWriter& to, const ReportedUnder& under) {
  to.write_long(under.campaign_id);
  to.write_long(under.publisher_id);
  for (const std::string_view text : {under.creative_id, under.placement_id, under.country,
                                      under.city, under.browser, under.platform})
    write_text_or_null(to, text);
}
inline void read(serde::AvroReader& from, ReportedUnder& under) {
  under.campaign_id = from.read_long();
  under.publisher_id = from.read_long();
  for (std::string_view* text : {&under.creative_id, &under.placement_id, &under.country,
                                 &under.city, &under.browser, &under.platform})
    *text = read_text_or_null(from);
}

inline void write(serde::AvroWriter& to, Uuid id) {
  const auto bytes = id.bytes();
  to.write_fixed(bytes);
}
inline Uuid read_uuid(serde::AvroReader& from) {
  return Uuid::from_bytes(from.read_fixed(16)).value_or(Uuid{});
}

}  // namespace adbrook::ads
