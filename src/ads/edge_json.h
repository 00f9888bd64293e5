// JSON from outside becomes a checked event: one object by itself, or one element of a request body
// that serde::JsonReader walks. Field names and rules are those of event_fields.h.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ads/edge_field.h"
#include "serde/json_reader.h"

namespace adbrook::ads {

// Owned by one thread and reused. The event and the names of its unknown fields are views into the
// source and the EventText; unknown_fields() is valid until the next read().
template <class Event>
class JsonEdge {
 public:
  JsonEdge(EdgeOptions options, EventText& text);

  Checked<Event> read(std::string_view source);
  Checked<Event> read(const serde::JsonElement& element);

  // At most kExtraCountMax names, for counting.
  std::span<const std::string_view> unknown_fields() const { return builder_.unknown_fields(); }

 private:
  Checked<Event> read(const Result<std::span<const serde::JsonField>>& fields,
                      std::string_view source);
  Checked<void> put(const serde::JsonField& field);
  Checked<void> put_extra(std::string_view source);
  FieldValue understood(const serde::JsonValue& value);
  std::string_view kept(std::string_view text);

  EventBuilder<Event> builder_;
  EventText* text_;
  serde::JsonReader reader_;
  serde::JsonReader extra_reader_;
  std::string_view source_;
};

extern template class JsonEdge<Impression>;
extern template class JsonEdge<Click>;

}  // namespace adbrook::ads
