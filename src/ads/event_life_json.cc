#include "ads/event_life.h"
#include "serde/json_writer.h"

namespace adbrook::ads {
namespace {

using serde::JsonWriter;

void write_time(JsonWriter& json, std::string_view name, std::optional<Timestamp> time) {
  json.key(name);
  if (time)
    json.string(format_time(*time));
  else
    json.null();
}

void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  if (text.empty())
    json.null();
  else
    json.string(text);
}

void write_copy(JsonWriter& json, const EventCopy& copy) {
  json.begin_object();
  json.field("topic", std::string_view(copy.place.topic));
  json.field("partition", std::int64_t{copy.place.partition});
  json.field("offset", copy.place.offset.value);
  write_time(json, "append_time", copy.append_time);
  write_time(json, "timestamp", copy.timestamp);
  json.field("outcome", std::string_view(copy.outcome));
  write_text(json, "reason", copy.reason);
  if (copy.sent) {
    json.key("sent_through");
    json.begin_object();
    json.field("topic", std::string_view(copy.sent->topic));
    json.field("partition", std::int64_t{copy.sent->number});
    json.end_object();
  }
  if (copy.dead_letter) json.field("dead_letter", std::string_view(copy.dead_letter->to_string()));
  json.end_object();
}

void write_impression(JsonWriter& json, const ImpressionOfClick& impression) {
  json.key("impression");
  json.begin_object();
  json.field("uuid", std::string_view(impression.id.to_string()));
  json.field("found", !impression.outcome.empty());
  write_time(json, "timestamp", impression.timestamp);
  write_text(json, "outcome", impression.outcome);
  write_text(json, "reason", impression.reason);
  json.key("delay_ms");
  if (impression.delay)
    json.integer(impression.delay->count());
  else
    json.null();
  json.end_object();
}

void write_clicks(JsonWriter& json, const EventOfKind& kind) {
  json.field("summary_written", kind.summary_written);
  json.key("clicks");
  json.begin_array();
  for (const JoinedClick& click : kind.clicks) {
    json.begin_object();
    json.field("uuid", std::string_view(click.id.to_string()));
    json.field("timestamp", std::string_view(format_time(click.timestamp)));
    json.field("delay_ms", std::int64_t{click.delay.count()});
    json.end_object();
  }
  json.end_array();
  json.field("more_clicks", kind.more_clicks);
}

void write_cell(JsonWriter& json, const EventCell& cell) {
  const ViewDeclaration& view = kViews[cell.view_index];
  json.begin_object();
  json.field("view", view.name);
  json.field("bucket", std::string_view(format_time(cell.bucket)));
  json.field("bucket_size", std::string_view(format_duration(view.bucket)));
  json.key("key");
  json.begin_object();
  for (std::size_t i = 0; i < cell.key.size(); ++i)
    json.field(to_string(view.parts[i]), std::string_view(cell.key[i]));
  json.end_object();
  json.field("cell", std::string_view(cell_text(cell)));
  json.end_object();
}

void write_kind(JsonWriter& json, const EventOfKind& kind) {
  json.field("kind", kind.kind);
  json.field("outcome", std::string_view(kind.outcome));
  write_text(json, "reason", kind.reason);
  json.key("copies");
  json.begin_array();
  for (const EventCopy& copy : kind.copies) write_copy(json, copy);
  json.end_array();
  json.field("more_copies", kind.more_copies);
  if (kind.impression) write_impression(json, *kind.impression);
  if (kind.kind == "impression")
    write_clicks(json, kind);
  else
    json.field("unique_click", kind.unique_click);
  json.key("cells");
  json.begin_array();
  for (const EventCell& cell : kind.cells) write_cell(json, cell);
  json.end_array();
  json.key("event");
  if (kind.event.empty())
    json.null();
  else
    json.raw(kind.event);
}

}  // namespace

std::string cell_text(const EventCell& cell) {
  const ViewDeclaration& view = kViews[cell.view_index];
  std::string text = std::string(view.name) + ";" + format_time(cell.bucket);
  for (std::size_t i = 0; i < cell.key.size(); ++i)
    if (view.parts[i] != Dimension::currency)
      text += ";" + to_text({view.parts[i], std::string(cell.key[i])});
  return text;
}

// The first kind's fields stand beside the uuid; a second kind is an object of its own.
std::string to_json(const EventLife& life) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("uuid", std::string_view(life.id.to_string()));
  if (!life.kinds.empty()) write_kind(json, life.kinds[0]);
  for (std::size_t i = 1; i < life.kinds.size(); ++i) {
    json.key("same_id");
    json.begin_object();
    write_kind(json, life.kinds[i]);
    json.end_object();
  }
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
