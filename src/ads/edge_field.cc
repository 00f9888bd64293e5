#include "ads/edge_field.h"

#include <charconv>
#include <cmath>

#include "ads/edge_ip.h"
#include "base/text.h"

namespace adbrook::ads {
namespace {

constexpr std::size_t kShownSizeMax = 80;

std::unexpected<Refusal> no(std::string_view field, Reason reason, std::string_view value,
                            std::string_view rule) {
  return std::unexpected(refuse(field, reason, value, rule));
}

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

Checked<std::string_view> letters(std::string_view field, std::string_view value, std::size_t count,
                                  Reason reason, std::string_view rule, EventText& text) {
  bool right = value.size() == count, lower = false;
  for (const char c : value) {
    right = right && is_letter(c);
    lower = lower || (c >= 'a');
  }
  if (!right) return no(field, reason, value, rule);
  if (!lower) return value;
  char* at = text.room(count);
  for (std::size_t i = 0; i < count; ++i) at[i] = upper(value[i]);
  return std::string_view(at, count);
}

Checked<std::int64_t> whole(std::string_view field, const FieldValue& value) {
  constexpr std::string_view kRule = "a whole number n with 0 <= n < 2^53";
  std::int64_t number = value.integer;
  switch (value.kind) {
    case FieldValue::Kind::integer: break;
    case FieldValue::Kind::word: {
      const char* end = value.text.data() + value.text.size();
      const auto [at, ec] = std::from_chars(value.text.data(), end, number);
      if (at != end || value.text.empty()) return no(field, Reason::wrong_type, value.text, kRule);
      if (ec != std::errc{}) return no(field, Reason::out_of_range, value.text, kRule);
      break;
    }
    case FieldValue::Kind::real:
      // 1e300 is a number outside the range, 1.5 is no whole number at all.
      return no(field,
                std::abs(value.real) >= static_cast<double>(kWholeEnd) ? Reason::out_of_range
                                                                       : Reason::wrong_type,
                value.text, kRule);
    default: return no(field, Reason::wrong_type, value.text, kRule);
  }
  if (number < 0 || number >= kWholeEnd) return no(field, Reason::out_of_range, value.text, kRule);
  return number;
}

Checked<double> real(std::string_view field, const FieldValue& value, std::string_view rule) {
  switch (value.kind) {
    case FieldValue::Kind::integer: return static_cast<double>(value.integer);
    case FieldValue::Kind::real: return value.real;
    case FieldValue::Kind::word: {
      double number = 0;
      const char* end = value.text.data() + value.text.size();
      const auto [at, ec] = std::from_chars(value.text.data(), end, number);
      if (at != end || value.text.empty()) return no(field, Reason::wrong_type, value.text, rule);
      if (ec != std::errc{}) return no(field, Reason::out_of_range, value.text, rule);
      return number;
    }
    default: return no(field, Reason::wrong_type, value.text, rule);
  }
}

Checked<double> number_in(std::string_view field, FieldRule kind, const FieldValue& value) {
  struct Range {
    double first, last;
    std::string_view rule;
  };
  const Range range = kind == FieldRule::latitude    ? Range{-90, 90, "degrees from -90 to 90"}
                      : kind == FieldRule::longitude ? Range{-180, 180, "degrees from -180 to 180"}
                                                     : Range{0, 1, "a number above 0, at most 1"};
  auto number = real(field, value, range.rule);
  if (!number) return number;
  // Written so that NaN fails too.
  const bool inside = *number >= range.first && *number <= range.last &&
                      (kind != FieldRule::probability || *number > 0);
  if (!inside) return no(field, Reason::out_of_range, value.text, range.rule);
  return number;
}

Checked<Timestamp> event_time(std::string_view field, const FieldValue& value, Timestamp time_end) {
  Timestamp time;
  if (value.kind == FieldValue::Kind::integer) {
    time.ms = value.integer;
  } else if (value.kind == FieldValue::Kind::text || value.kind == FieldValue::Kind::word) {
    const auto parsed = parse_time(value.text);
    if (!parsed)
      return no(field, Reason::bad_time, value.text,
                "RFC 3339 like 2013-05-17T13:50:01Z or whole milliseconds since 1970");
    time = *parsed;
  } else {
    return no(field, Reason::wrong_type, value.text,
              "RFC 3339 text or a whole number of milliseconds since 1970");
  }
  if (time < kEventTimeFirst || time >= time_end)
    return no(field, Reason::timestamp_out_of_range, value.text,
              "from 2000-01-01T00:00:00Z to a few minutes from now");
  return time;
}

bool is_text(const FieldValue& value) {
  return value.kind == FieldValue::Kind::text || value.kind == FieldValue::Kind::word;
}

Checked<std::string_view> text_of(std::string_view field, FieldRule rule, const FieldValue& value,
                                  EventText& text) {
  if (rule == FieldRule::name && value.kind == FieldValue::Kind::integer) return value.text;
  if (!is_text(value))
    return no(field, Reason::wrong_type, value.text,
              rule == FieldRule::name ? "text or a whole number" : "text");
  if (value.text.empty()) return value.text;
  switch (rule) {
    case FieldRule::country:
      return letters(field, value.text, 2, Reason::bad_country,
                     "two letters as in ISO 3166-1 alpha-2", text);
    case FieldRule::currency:
      return letters(field, value.text, 3, Reason::bad_currency, "three letters as in ISO 4217",
                     text);
    case FieldRule::ip:
      if (!is_ip_address(value.text))
        return no(field, Reason::bad_ip, value.text, "an IPv4 or IPv6 address");
      return value.text;
    default: return value.text;
  }
}

Checked<Uuid> uuid_of(std::string_view field, const FieldValue& value) {
  constexpr std::string_view kRule = "36 characters with dashes or 32 hex digits";
  if (!is_text(value) && !(value.kind == FieldValue::Kind::integer && value.text.size() == 32))
    return no(field, Reason::wrong_type, value.text, kRule);
  const auto id = Uuid::parse(value.text);
  if (!id) return no(field, Reason::bad_uuid, value.text, kRule);
  return *id;
}

template <class T>
Checked<void> store(Checked<T> checked, auto& to) {
  if (!checked) return std::unexpected(std::move(checked.error()));
  to = *checked;
  return {};
}

Checked<void> check_size(std::string_view field, std::string_view value, std::size_t size_max) {
  if (value.size() <= size_max) return {};
  return no(field, Reason::too_long, value, "at most " + std::to_string(size_max) + " bytes");
}

}  // namespace

Refusal refuse(std::string_view field, Reason reason, std::string_view value,
               std::string_view rule) {
  // A field's name comes from outside too when nobody knows it.
  return {printable(field, kShownSizeMax), reason,
          "'" + printable(value, kShownSizeMax) + "' is refused: it must be " + std::string(rule)};
}

template <class Event>
void EventBuilder<Event>::begin() {
  event_ = Event{};
  present_ = 0;
  extra_.clear();
  unknown_.clear();
}

template <class Event>
Checked<void> EventBuilder<Event>::put(std::string_view name, const FieldValue& value) {
  constexpr auto kFields = fields_of<Event>();
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].name != name) continue;
    const std::uint32_t bit = std::uint32_t{1} << i;
    if (present_ & bit)
      return no(name, Reason::duplicate_field, value.text, "given once in an event");
    // Null is the same as absent, and so is an empty text where the field may be absent.
    const bool optional = kFields[i].presence == Presence::optional;
    if (value.kind == FieldValue::Kind::null) return {};
    if (optional && is_text(value) && value.text.empty()) return {};
    present_ |= bit;
    if (value.kind == FieldValue::Kind::nested)
      return no(name, Reason::wrong_type, value.text, "a single value");
    return set(kFields[i], value);
  }
  return put_unknown(name, value);
}

template <class Event>
Checked<void> EventBuilder<Event>::set(const Field<Event>& field, const FieldValue& value) {
  if (auto sized = check_size(field.name, value.text, field.size_max); !sized) return sized;
  if (is_text(value) && !is_valid_utf8(value.text))
    return no(field.name, Reason::bad_utf8, value.text, "UTF-8");
  return std::visit(
      [&](auto member) -> Checked<void> {
        auto& to = event_.*member;
        using T = std::remove_cvref_t<decltype(to)>;
        if constexpr (std::is_same_v<T, Uuid> || std::is_same_v<T, std::optional<Uuid>>)
          return store(uuid_of(field.name, value), to);
        else if constexpr (std::is_same_v<T, Timestamp>)
          return store(event_time(field.name, value, options_.time_end), to);
        else if constexpr (std::is_same_v<T, std::string_view>)
          return store(text_of(field.name, field.rule, value, *text_), to);
        else if constexpr (std::is_same_v<T, std::optional<double>>)
          return store(number_in(field.name, field.rule, value), to);
        else
          return store(whole(field.name, value), to);
      },
      field.member);
}

template <class Event>
Checked<void> EventBuilder<Event>::put_unknown(std::string_view name, const FieldValue& value) {
  if (options_.strict)
    return no(name, Reason::unknown_field, value.text, "a known field under strict");
  if (value.kind == FieldValue::Kind::null) return {};
  if (auto kept = put_extra(name, value.text); !kept) return kept;
  unknown_.push_back(name);
  return {};
}

template <class Event>
Checked<void> EventBuilder<Event>::put_extra(std::string_view name, std::string_view value) {
  if (auto sized = check_size(name, name, kExtraNameSizeMax); !sized) return sized;
  if (auto sized = check_size(name, value, kExtraTextSizeMax); !sized) return sized;
  if (!is_valid_utf8(name) || !is_valid_utf8(value))
    return no(name, Reason::bad_utf8, value, "UTF-8");
  for (const ExtraField& field : extra_)
    if (field.name == name)
      return no(name, Reason::duplicate_field, value, "given once in an event");
  if (extra_.size() == kExtraCountMax)
    return no(name, Reason::too_many_fields, value,
              "one of at most " + std::to_string(kExtraCountMax) + " extra fields");
  extra_.push_back({name, value});
  return {};
}

template <class Event>
Checked<Event> EventBuilder<Event>::finish() {
  constexpr auto kFields = fields_of<Event>();
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].presence == Presence::optional || (present_ & (std::uint32_t{1} << i))) continue;
    return std::unexpected(Refusal{std::string(kFields[i].name), Reason::missing_field,
                                   "the field is required and is absent or null"});
  }
  event_.extra = encode_extra(extra_, *text_);
  return event_;
}

template class EventBuilder<Impression>;
template class EventBuilder<Click>;

}  // namespace adbrook::ads
