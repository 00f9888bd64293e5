#include "ads/dead_letter_list.h"

namespace adbrook::ads {

void write_members(serde::JsonWriter& json, const DeadLetterEntry& entry) {
  json.field("id", std::string_view(entry.id.to_string()));
  json.field("source", std::string_view(entry.source));
  json.field("place", entry.place);
  json.field("append_time", std::string_view(format_time(entry.append_time)));
  json.field("reason", std::string_view(entry.reason));
  json.field("field", std::string_view(entry.field));
  json.field("detail", std::string_view(entry.detail));
  json.field("size", entry.size);
  json.key("sent_again");
  if (!entry.sent_again) return json.null();
  json.begin_object();
  json.field("count", entry.sent_again->count);
  json.field("append_time", std::string_view(format_time(entry.sent_again->append_time)));
  json.field("topic", std::string_view(entry.sent_again->topic));
  json.field("event", std::string_view(entry.sent_again->event.to_string()));
  json.end_object();
}

void write_more(serde::JsonWriter& json, bool more, const DeadLetterEntry* last) {
  json.field("more", more);
  json.key("next");
  if (!more || last == nullptr) return json.null();
  json.string(std::to_string(last->append_time.ms) + "." + last->id.to_string());
}

namespace {

void write_entry_object(serde::JsonWriter& json, const DeadLetterEntry& entry) {
  json.begin_object();
  write_members(json, entry);
  json.end_object();
}

}  // namespace

std::string to_json(const DeadLetterList& list) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  json.key("groups");
  json.begin_array();
  for (const DeadLetterGroup& group : list.groups) {
    json.begin_object();
    json.field("reason", std::string_view(group.reason));
    json.field("count", group.count);
    json.field("sent_again", group.sent_again);
    json.key("first");
    write_entry_object(json, group.first);
    json.key("last");
    write_entry_object(json, group.last);
    json.end_object();
  }
  json.end_array();
  json.key("dead_letters");
  json.begin_array();
  for (const DeadLetterEntry& entry : list.entries) write_entry_object(json, entry);
  json.end_array();
  write_more(json, list.more, list.entries.empty() ? nullptr : &list.entries.back());
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
