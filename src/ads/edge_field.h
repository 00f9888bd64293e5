// One event from named values, whatever text they came in: JSON, a query string, a CSV row. Each
// value is checked by the rule of its field (event_fields.h) before it becomes part of the event.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ads/event.h"
#include "ads/event_extra.h"
#include "ads/event_fields.h"
#include "ads/event_refusal.h"
#include "ads/event_text.h"

namespace adbrook::ads {

// What is kept of fields nobody knows.
inline constexpr std::size_t kExtraCountMax = 32;
inline constexpr std::size_t kExtraNameSizeMax = 64;
inline constexpr std::size_t kExtraTextSizeMax = 2048;

struct EdgeOptions {
  bool strict = false;  // unknown fields are refused instead of kept
  // The first time too far in the future: now + skew cap at the collector.
  Timestamp time_end = Timestamp::highest();
};

// A value as its reader understood it.
struct FieldValue {
  enum class Kind : std::uint8_t {
    text,     // text between quotes, unescaped
    word,     // untyped, from a query or CSV: number or text, as the field wants
    integer,  // a number without fraction or exponent that fits
    real,     // any other number
    boolean,
    null,
    nested,  // an object or array
  };
  Kind kind = Kind::null;
  std::string_view text;  // for text and word the value, otherwise its source as written
  std::int64_t integer = 0;
  double real = 0;
};

template <class T>
using Checked = std::expected<T, Refusal>;

// Owned by one thread; one builder serves event after event. Views it returns live as long as the
// source bytes and the EventText.
template <class Event>
class EventBuilder {
 public:
  EventBuilder(EdgeOptions options, EventText& text) : options_(options), text_(&text) {}

  void begin();
  Checked<void> put(std::string_view name, const FieldValue& value);
  Checked<void> put_extra(std::string_view name, std::string_view value);
  // Checks what only the whole event shows. The event is valid until the next begin().
  Checked<Event> finish();

  // Names of the fields of this event that nobody knows, at most kExtraCountMax.
  std::span<const std::string_view> unknown_fields() const { return unknown_; }

 private:
  Checked<void> put_unknown(std::string_view name, const FieldValue& value);
  Checked<void> set(const Field<Event>& field, const FieldValue& value);

  EdgeOptions options_;
  EventText* text_;
  Event event_;
  std::uint32_t present_ = 0;  // one bit per field
  std::vector<ExtraField> extra_;
  std::vector<std::string_view> unknown_;
};

extern template class EventBuilder<Impression>;
extern template class EventBuilder<Click>;

// "value 'x' is ...": the printable, cut value in front of the rule it breaks.
Refusal refuse(std::string_view field, Reason reason, std::string_view value,
               std::string_view rule);

}  // namespace adbrook::ads
