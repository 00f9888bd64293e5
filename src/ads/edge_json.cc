#include "ads/edge_json.h"

#include <functional>
#include <limits>

#include "base/text.h"

namespace adbrook::ads {
namespace {

constexpr serde::JsonLimits kObjectLimits{
    .size_max = 1_MiB, .depth_max = 16, .field_count_max = 128};
constexpr std::size_t kRefusalSizeMax = 300;

Refusal unreadable(const Error& error, std::string_view source) {
  const auto first = source.find_first_not_of(" \t\r\n");
  const bool is_object = first != std::string_view::npos && source[first] == '{';
  // A whole value of another kind is readable; it only is no event.
  if (!is_object && serde::check_json(source, kObjectLimits))
    return refuse({}, Reason::not_an_object, source, "one JSON object");
  return {{}, Reason::unreadable, printable(error.message, kRefusalSizeMax)};
}

}  // namespace

template <class Event>
JsonEdge<Event>::JsonEdge(EdgeOptions options, EventText& text)
    : builder_(options, text), text_(&text), reader_(kObjectLimits), extra_reader_(kObjectLimits) {}

template <class Event>
Checked<Event> JsonEdge<Event>::read(std::string_view source) {
  return read(reader_.object(source), source);
}

template <class Event>
Checked<Event> JsonEdge<Event>::read(const serde::JsonElement& element) {
  return read(element.fields, element.raw);
}

template <class Event>
Checked<Event> JsonEdge<Event>::read(const Result<std::span<const serde::JsonField>>& fields,
                                     std::string_view source) {
  builder_.begin();
  if (!fields) return std::unexpected(unreadable(fields.error(), source));
  source_ = source;
  for (const serde::JsonField& field : *fields)
    if (auto put_in = put(field); !put_in) return std::unexpected(std::move(put_in.error()));
  return builder_.finish();
}

template <class Event>
Checked<void> JsonEdge<Event>::put(const serde::JsonField& field) {
  if (field.key == "extra" && field.value.kind == serde::JsonKind::object)
    return put_extra(field.value.raw);
  if (field.key == "extra" && !field.value.is_null())
    return std::unexpected(
        refuse("extra", Reason::wrong_type, field.value.raw, "an object of texts"));
  return builder_.put(kept(field.key), understood(field.value));
}

template <class Event>
Checked<void> JsonEdge<Event>::put_extra(std::string_view source) {
  const auto fields = extra_reader_.object(source);
  if (!fields) return std::unexpected(unreadable(fields.error(), source));
  for (const serde::JsonField& field : *fields) {
    if (field.value.kind != serde::JsonKind::string)
      return std::unexpected(refuse("extra." + printable(field.key, kExtraNameSizeMax),
                                    Reason::wrong_type, field.value.raw, "text"));
    if (auto put_in = builder_.put_extra(kept(field.key), kept(field.value.text)); !put_in)
      return put_in;
  }
  return {};
}

template <class Event>
FieldValue JsonEdge<Event>::understood(const serde::JsonValue& value) {
  switch (value.kind) {
    case serde::JsonKind::null: return {FieldValue::Kind::null, value.raw};
    case serde::JsonKind::boolean: return {FieldValue::Kind::boolean, value.raw};
    case serde::JsonKind::string: return {FieldValue::Kind::text, kept(value.text)};
    case serde::JsonKind::number: break;
    default: return {FieldValue::Kind::nested, value.raw};
  }
  if (value.raw.find_first_of(".eE") == std::string_view::npos)
    if (const auto integer = value.integer())
      return {FieldValue::Kind::integer, value.raw, *integer};
  const auto number = value.number();
  // Too large for a double is too large for every field.
  const double real = number ? *number : std::numeric_limits<double>::infinity();
  return {FieldValue::Kind::real, value.raw, 0, real};
}

// Unescaped texts lie in the JSON reader and end with its next call.
template <class Event>
std::string_view JsonEdge<Event>::kept(std::string_view text) {
  const std::less<const char*> before;
  const bool in_source = !before(text.data(), source_.data()) &&
                         !before(source_.data() + source_.size(), text.data() + text.size());
  return in_source ? text : text_->keep(text);
}

template class JsonEdge<Impression>;
template class JsonEdge<Click>;

}  // namespace adbrook::ads
