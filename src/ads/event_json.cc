#include "ads/event_json.h"

#include <type_traits>
#include <variant>

#include "ads/event_extra.h"
#include "ads/event_fields.h"
#include "serde/json_writer.h"

namespace adbrook::ads {
namespace {

using serde::JsonWriter;

void write_value(JsonWriter& json, Uuid id) { json.string(id.to_string()); }
void write_value(JsonWriter& json, Timestamp time) { json.string(format_time(time)); }
void write_value(JsonWriter& json, std::int64_t value) { json.integer(value); }
void write_value(JsonWriter& json, double value) { json.number(value); }

template <class T>
void write_field(JsonWriter& json, std::string_view name, const T& value) {
  json.key(name);
  write_value(json, value);
}
template <class T>
void write_field(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  if (value) write_field(json, name, *value);
}
void write_field(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.field(name, text);
}

template <class Event>
std::string object_of(const Event& event) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const Field<Event>& field : fields_of<Event>())
    std::visit([&](auto member) { write_field(json, field.name, event.*member); }, field.member);
  if (!event.extra.empty()) {
    json.key("extra");
    json.begin_object();
    ExtraReader extra(event.extra);
    while (const auto field = extra.next()) json.field(field->name, field->value);
    json.end_object();
  }
  json.end_object();
  return out;
}

template <class Event>
ReportedUnder shared_under(const Event& event) {
  return {.campaign_id = event.campaign_id,
          .publisher_id = event.publisher_id,
          .country = event.country,
          .city = event.city,
          .browser = event.browser,
          .platform = event.platform};
}

}  // namespace

std::string event_json(const Impression& event) { return object_of(event); }
std::string event_json(const Click& event) { return object_of(event); }

ReportedUnder under_of(const Impression& event) {
  ReportedUnder under = shared_under(event);
  under.creative_id = event.creative_id;
  under.placement_id = event.placement_id;
  return under;
}
ReportedUnder under_of(const Click& event) { return shared_under(event); }

std::string dimension_text(const ReportedUnder& under, Dimension dimension) {
  switch (dimension) {
    case Dimension::campaign_id: return std::to_string(under.campaign_id);
    case Dimension::publisher_id: return std::to_string(under.publisher_id);
    case Dimension::creative_id: return std::string(under.creative_id);
    case Dimension::placement_id: return std::string(under.placement_id);
    case Dimension::country: return std::string(under.country);
    case Dimension::city: return std::string(under.city);
    case Dimension::browser: return std::string(under.browser);
    case Dimension::platform: return std::string(under.platform);
    case Dimension::currency: break;
  }
  return {};
}

}  // namespace adbrook::ads
