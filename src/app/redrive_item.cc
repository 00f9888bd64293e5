#include "app/redrive_item.h"

#include <boost/json.hpp>

#include "base/hex.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& letter, std::string_view name) {
  const auto* value = letter.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : "";
}

json::value value_of(const std::string& typed) {
  boost::system::error_code broken;
  auto value = json::parse(typed, broken);
  return broken ? json::value(typed) : value;
}

std::string line_of(const json::object& letter, const RedriveRules& rules, const char* form,
                    const std::string& bytes) {
  const std::string as = rules.as.empty() ? text_of(letter, "as") : rules.as;
  return json::serialize(
             json::object{{"letter", text_of(letter, "id")}, {"as", as}, {form, bytes}}) +
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
  std::string text = text_of(letter, has_event ? "event" : "text");
  if (rules.changes.empty())
    return letter.contains("hex") ? line_of(letter, rules, "hex", text_of(letter, "hex"))
                                  : line_of(letter, rules, "text", text);
  boost::system::error_code broken;
  auto event = json::parse(text, broken);
  if (broken || !event.is_object())
    return fail(ErrorKind::invalid,
                "it is no JSON object, so no field of it can be set; correct it with --with FILE");
  for (const FieldChange& change : rules.changes)
    if (change.value.empty())
      event.as_object().stable_erase(change.name);
    else
      event.as_object()[change.name] = value_of(change.value);
  return line_of(letter, rules, "text", json::serialize(event));
}

std::string redrive_line(const json::object& letter, const RedriveRules& rules, ByteView bytes) {
  return line_of(letter, rules, "hex", hex(bytes));
}

}  // namespace adbrook::app
