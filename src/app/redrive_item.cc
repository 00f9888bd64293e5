#include "app/redrive_item.h"

#include <boost/json.hpp>
#include <map>
#include <set>

#include "base/hex.h"
#include "base/text.h"
#include "serde/json_reader.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

namespace json = boost::json;

std::string string_of(const json::object& letter, std::string_view name) {
  const auto* value = letter.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : "";
}

std::string value_of(const std::string& typed) {
  if (serde::check_json(typed)) return typed;
  std::string quoted;
  serde::append_json_string(quoted, typed);
  return quoted;
}

// The event with its fields set anew. All else stays as it stands there, byte for byte: a number
// may be longer than any type that it could be read into, and a key may be there twice.
Result<std::string> changed(const std::string& event, const std::vector<FieldChange>& changes) {
  serde::JsonReader reader;
  const auto members = reader.members(event);
  if (!members)
    return fail(ErrorKind::invalid,
                "it is no JSON object, so no field of it can be set; correct it with --with FILE");
  std::map<std::string_view, const FieldChange*> wanted;  // the last one of a field counts
  for (const FieldChange& change : changes) wanted[change.name] = &change;
  std::set<std::string_view> set;
  std::string text;
  serde::JsonWriter json(text);
  const auto write = [&](const FieldChange& change) {
    if (!set.insert(change.name).second || change.value.empty()) return;
    json.key(change.name);
    json.raw(value_of(change.value));
  };
  json.begin_object();
  for (const serde::JsonField& member : *members) {
    if (const auto change = wanted.find(member.key); change != wanted.end()) {
      write(*change->second);
      continue;
    }
    json.key(member.key);
    json.raw(member.value.raw);
  }
  for (const FieldChange& change : changes) write(*wanted[change.name]);
  json.end_object();
  return text;
}

std::string line_of(const json::object& letter, const RedriveRules& rules, const char* form,
                    const std::string& bytes) {
  const std::string as = rules.as.empty() ? string_of(letter, "as") : rules.as;
  return json::serialize(
             json::object{{"letter", string_of(letter, "id")}, {"as", as}, {form, bytes}}) +
         "\n";
}

}  // namespace

Result<std::vector<FieldChange>> parse_changes(const std::vector<std::string>& pairs) {
  std::vector<FieldChange> changes;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::invalid, "--set '" + printable(pair) +
                                          "': it must be FIELD=VALUE, like campaignId=7; "
                                          "FIELD= takes the field away");
    changes.push_back({pair.substr(0, equals), pair.substr(equals + 1)});
  }
  return changes;
}

Result<std::string> redrive_line(const json::object& letter, const RedriveRules& rules) {
  const bool has_event = letter.contains("event");
  const std::string text = string_of(letter, has_event ? "event" : "text");
  if (rules.changes.empty())
    return letter.contains("hex") ? line_of(letter, rules, "hex", string_of(letter, "hex"))
                                  : line_of(letter, rules, "text", text);
  auto event = changed(text, rules.changes);
  if (!event) return pass(std::move(event.error()));
  return line_of(letter, rules, "text", *event);
}

std::string redrive_line(const json::object& letter, const RedriveRules& rules, ByteView bytes) {
  return line_of(letter, rules, "hex", hex(bytes));
}

}  // namespace adbrook::app
