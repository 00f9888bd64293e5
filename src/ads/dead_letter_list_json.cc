#include "ads/dead_letter_list.h"
#include "base/text.h"
#include "serde/json_writer.h"

namespace adbrook::ads {
namespace {

void write_entry(serde::JsonWriter& json, const DeadLetterEntry& entry) {
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

void write_entry_object(serde::JsonWriter& json, const DeadLetterEntry& entry) {
  json.begin_object();
  write_entry(json, entry);
  json.end_object();
}

std::string hex_of(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    hex += kDigits[static_cast<std::size_t>(byte) >> 4];
    hex += kDigits[static_cast<std::size_t>(byte) & 15];
  }
  return hex;
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
  json.field("more", list.more);
  json.end_object();
  return out;
}

std::string to_json(const DeadLetterWithBytes& letter) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  write_entry(json, letter.entry);
  if (is_valid_utf8(as_text(letter.bytes)))
    json.field("text", as_text(letter.bytes));
  else
    json.field("hex", std::string_view(hex_of(letter.bytes)));
  json.end_object();
  return out;
}

std::string to_json(const DeadLettersWithBytes& letters) {
  std::string out = "{\"dead_letters\":[";
  for (const DeadLetterWithBytes& letter : letters.letters)
    out += (out.ends_with('[') ? "" : ",") + to_json(letter);
  return out + (letters.more ? "],\"more\":true}" : "],\"more\":false}");
}

}  // namespace adbrook::ads
