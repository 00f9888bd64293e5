// Why an event was refused: the field, one word of a closed list, and a sentence that names the
// value and the rule. HTTP answers, dead letters and metrics carry the same word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adbrook::ads {

enum class Reason : std::uint8_t {
  missing_field,           // a required field is absent or null
  wrong_type,              // another JSON or Avro type than the field's
  out_of_range,            // a number outside the field's range
  bad_uuid,                // neither 36 characters, nor 32 hex digits
  bad_time,                // neither RFC 3339 nor whole ms since 1970
  timestamp_out_of_range,  // before 2000-01-01 or too far in the future
  bad_country,             // not two ASCII letters
  bad_currency,            // not three ASCII letters
  bad_ip,                  // neither IPv4 nor IPv6
  bad_utf8,                // text that is not UTF-8
  too_long,                // longer than the field's limit
  unknown_field,           // only under strict
  duplicate_field,         // the same field twice
  too_many_fields,         // more unknown fields than are kept
  not_an_object,           // readable, but not an object
  too_deep,                // nested deeper than is read
  unreadable,              // not JSON, not Avro, cut short
  unknown_schema,          // a header with a schema id that is not this topic's
  bad_signature,           // a click link that was not signed by this engine
  bad_target,              // a click link whose target is no absolute http address
};
inline constexpr std::size_t kReasonCount = 20;

// The word itself, e.g. "bad_uuid".
std::string_view to_string(Reason reason);
std::optional<Reason> parse_reason(std::string_view word);

struct Refusal {
  std::string field;  // empty when the whole is to blame
  Reason reason = Reason::unreadable;
  std::string detail;  // printable, cut to a few hundred bytes
};

// "field 'country': bad_country: ..." for logs and import's talk.
std::string describe(const Refusal& refusal);

}  // namespace adbrook::ads
