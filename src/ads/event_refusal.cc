#include "ads/event_refusal.h"

#include <array>

namespace adbrook::ads {
namespace {

constexpr std::array<std::string_view, kReasonCount> kWords = {
    "missing_field",   "wrong_type",      "out_of_range",
    "bad_uuid",        "bad_time",        "timestamp_out_of_range",
    "bad_country",     "bad_currency",    "bad_ip",
    "bad_utf8",        "too_long",        "unknown_field",
    "duplicate_field", "too_many_fields", "not_an_object",
    "too_deep",        "unreadable",      "unknown_schema",
    "bad_signature",   "bad_target"};

}  // namespace

std::string_view to_string(Reason reason) { return kWords[static_cast<std::size_t>(reason)]; }

std::optional<Reason> parse_reason(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i)
    if (kWords[i] == word) return static_cast<Reason>(i);
  return std::nullopt;
}

std::string describe(const Refusal& refusal) {
  std::string out;
  if (!refusal.field.empty()) out = "field '" + refusal.field + "': ";
  out += to_string(refusal.reason);
  if (!refusal.detail.empty()) out += ": " + refusal.detail;
  return out;
}

}  // namespace adbrook::ads
