#include "ads/event_codec.h"

#include "ads/edge_json.h"
#include "ads/event_wire.h"
#include "serde/schema_source.h"

namespace adbrook::ads {
namespace {

// More than all numbers, branches and text sizes of one event take.
constexpr std::size_t kNumbersSizeMax = 256;

class ValueWriter {
 public:
  explicit ValueWriter(std::span<std::byte> to) : out_(to) {}

  void uuid(Uuid id) { out_.write_fixed(id.bytes()); }
  void uuid(const std::optional<Uuid>& id) {
    out_.write_union_branch(id ? 1 : 0);
    if (id) uuid(*id);
  }
  void number(std::int64_t value) { out_.write_long(value); }
  void number(const std::optional<std::int64_t>& value) { out_.write_optional(value); }
  void real(const std::optional<double>& value) { out_.write_optional(value); }
  void text(std::string_view text) {
    out_.write_union_branch(text.empty() ? 0 : 1);
    if (!text.empty()) out_.write_string(text);
  }
  void extra(ByteView encoded) {
    out_.write_union_branch(encoded.empty() ? 0 : 1);
    out_.write_fixed(encoded);
  }
  std::size_t left() const { return out_.left(); }

 private:
  serde::AvroWriter out_;
};

// What both events have in the middle, in the schema's order.
template <class Event>
void write_user(const Event& event, ValueWriter& out) {
  out.text(event.user_id);
  out.text(event.ip);
  out.text(event.city);
  out.text(event.country);
  out.text(event.browser);
  out.text(event.platform);
  out.text(event.platform_version);
  out.real(event.latitude);
  out.real(event.longitude);
}

template <class Event>
std::size_t user_size(const Event& event) {
  return event.user_id.size() + event.ip.size() + event.city.size() + event.country.size() +
         event.browser.size() + event.platform.size() + event.platform_version.size() +
         event.extra.size();
}

// Makes room once, lets `write` fill it and gives back what was too much.
template <class Write>
void append_value(Buffer& to, std::int32_t schema_id, std::size_t texts_size, Write write) {
  const std::size_t first = to.size();
  to.resize(first + serde::kSchemaHeaderSize + kNumbersSizeMax + texts_size);
  serde::write_schema_header(to.data() + first, schema_id);
  ValueWriter out(std::span<std::byte>(to).subspan(first + serde::kSchemaHeaderSize));
  write(out);
  to.resize(to.size() - out.left());
}

// Calls `check(field name, failure)` after each field and stops when it answers false. With a check
// that only tests the failure, the names vanish from the code.
template <class Event, class Check>
bool read_user(wire::ValueReader& in, Event& event, const Check& check) {
  return check("userId", in.text(event.user_id, kUserIdSizeMax)) &&
         check("ip", in.text(event.ip, kIpSizeMax)) &&
         check("city", in.text(event.city, kCitySizeMax)) &&
         check("country", in.letters(event.country, 2, Reason::bad_country)) &&
         check("browser", in.text(event.browser, kDeviceTextSizeMax)) &&
         check("platform", in.text(event.platform, kDeviceTextSizeMax)) &&
         check("platformVersion", in.text(event.platform_version, kDeviceTextSizeMax)) &&
         check("latitude", in.real(event.latitude, -90, 90)) &&
         check("longitude", in.real(event.longitude, -180, 180));
}

template <class Event, class Check>
bool read_head(wire::ValueReader& in, Event& event, const Check& check) {
  return check("uuid", in.uuid(event.id)) && check("timestamp", in.time(event.timestamp)) &&
         check("campaignId", in.whole(event.campaign_id)) &&
         check("pubId", in.whole(event.publisher_id));
}

template <class Check>
bool read_fields(wire::ValueReader& in, Impression& event, const Check& check) {
  constexpr double kAboveZero = 5e-324;
  return read_head(in, event, check) &&
         check("creativeId", in.text(event.creative_id, kNameSizeMax)) &&
         check("placementId", in.text(event.placement_id, kNameSizeMax)) &&
         read_user(in, event, check) && check("priceMicros", in.whole(event.price_micros)) &&
         check("currency", in.letters(event.currency, 3, Reason::bad_currency)) &&
         check("decisionId", in.text(event.decision_id, kDecisionIdSizeMax)) &&
         check("propensity", in.real(event.propensity, kAboveZero, 1)) &&
         check("extra", in.extra(event.extra)) && check("", in.end());
}

template <class Check>
bool read_fields(wire::ValueReader& in, Click& event, const Check& check) {
  return read_head(in, event, check) && check("impressionId", in.uuid(event.impression_id)) &&
         read_user(in, event, check) && check("extra", in.extra(event.extra)) &&
         check("", in.end());
}

template <class Event>
constexpr std::int32_t schema_id() {
  return std::is_same_v<Event, Impression> ? serde::kImpressionSchemaId : serde::kClickSchemaId;
}

// Flattened: seventeen calls per event cost more than reading its bytes.
bool is_right(std::string_view, wire::ValueReader::Failure failure) { return !failure; }
[[gnu::flatten]] bool decode_fields(ByteView bytes, EventText& text, Impression& event) {
  wire::ValueReader in(bytes, text);
  return read_fields(in, event, is_right);
}
[[gnu::flatten]] bool decode_fields(ByteView bytes, EventText& text, Click& event) {
  wire::ValueReader in(bytes, text);
  return read_fields(in, event, is_right);
}

template <class Event>
Refusal explain(ByteView value, EventText& text) {
  if (value.empty()) return {"", Reason::unreadable, "the value is empty"};
  if (value[0] != std::byte{0})
    return {"", Reason::unreadable,
            "the first byte is neither 0 (Avro with a schema id) nor '{' (JSON)"};
  if (value.size() < serde::kSchemaHeaderSize)
    return {"", Reason::unreadable, "the schema's id is cut short"};
  const std::int32_t id = *serde::read_schema_header(value);
  if (id != schema_id<Event>())
    return {"", Reason::unknown_schema,
            "schema id " + std::to_string(id) + " is not this topic's, which is " +
                std::to_string(schema_id<Event>())};
  Refusal refusal;
  Event event;
  wire::ValueReader in(value.subspan(serde::kSchemaHeaderSize), text);
  read_fields(in, event, [&](std::string_view field, wire::ValueReader::Failure failure) {
    if (!failure) return true;
    refusal = {std::string(field), *failure,
               field.empty() ? "bytes follow the end of the value"
                             : "the Avro value breaks the field's type, range or limit"};
    return false;
  });
  return refusal;
}

}  // namespace

void encode(const Impression& event, Buffer& to) {
  const std::size_t texts_size = user_size(event) + event.creative_id.size() +
                                 event.placement_id.size() + event.currency.size() +
                                 event.decision_id.size();
  append_value(to, serde::kImpressionSchemaId, texts_size, [&](ValueWriter& out) {
    out.uuid(event.id);
    out.number(event.timestamp.ms);
    out.number(event.campaign_id);
    out.number(event.publisher_id);
    out.text(event.creative_id);
    out.text(event.placement_id);
    write_user(event, out);
    out.number(event.price_micros);
    out.text(event.currency);
    out.text(event.decision_id);
    out.real(event.propensity);
    out.extra(event.extra);
  });
}

void encode(const Click& event, Buffer& to) {
  append_value(to, serde::kClickSchemaId, user_size(event), [&](ValueWriter& out) {
    out.uuid(event.id);
    out.number(event.timestamp.ms);
    out.number(event.campaign_id);
    out.number(event.publisher_id);
    out.uuid(event.impression_id);
    write_user(event, out);
    out.extra(event.extra);
  });
}

template <class Event>
bool EventDecoder<Event>::decode(ByteView value, Event& event) {
  if (!value.empty() && value[0] == std::byte{'{'}) return decode_json(value, event);
  event = Event{};
  if (serde::read_schema_header(value) == schema_id<Event>() &&
      decode_fields(value.subspan(serde::kSchemaHeaderSize), *text_, event)) [[likely]]
    return true;
  refusal_ = explain<Event>(value, *text_);
  return false;
}

template <class Event>
struct EventDecoder<Event>::Json {
  explicit Json(EventText& text) : edge({}, text) {}
  JsonEdge<Event> edge;
};

template <class Event>
bool EventDecoder<Event>::decode_json(ByteView value, Event& event) {
  if (!json_) json_ = std::make_unique<Json>(*text_);
  auto read = json_->edge.read(as_text(value));
  if (read) {
    event = *read;
    return true;
  }
  refusal_ = std::move(read.error());
  return false;
}

template <class Event>
EventDecoder<Event>::EventDecoder() : text_(std::make_unique<EventText>()) {}
template <class Event>
EventDecoder<Event>::~EventDecoder() = default;
template <class Event>
EventDecoder<Event>::EventDecoder(EventDecoder&&) noexcept = default;
template <class Event>
EventDecoder<Event>& EventDecoder<Event>::operator=(EventDecoder&&) noexcept = default;

template <class Event>
void EventDecoder<Event>::clear() {
  text_->clear();
}

template class EventDecoder<Impression>;
template class EventDecoder<Click>;

}  // namespace adbrook::ads
