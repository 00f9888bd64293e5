#include "app/letter_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "ads/event_fields.h"
#include "app/value_text.h"
#include "base/hex.h"
#include "base/text.h"
#include "http/query.h"
#include "serde/json_writer.h"
#include "serde/schema_source.h"

namespace adbrook::app {
namespace {

using ads::DeadLetterWithBytes;
using ads::EventKind;

// Of what was in the link for the link's own sake.
constexpr std::array<std::string_view, 2> kLinkParameters = {"to", "sig"};

bool came_as_query(const ads::DeadLetterEntry& entry) { return entry.source.starts_with("GET "); }

// A value's schema says best what it was meant to be, also in the wrong topic.
EventKind kind_of(const DeadLetterWithBytes& letter) {
  const auto schema = serde::read_schema_header(letter.bytes);
  if (schema == serde::kClickSchemaId) return EventKind::click;
  if (schema == serde::kImpressionSchemaId) return EventKind::impression;
  return letter.entry.source.find("click") != std::string::npos ? EventKind::click
                                                                : EventKind::impression;
}

bool is_number_field(std::string_view name) {
  const auto* const field =
      std::ranges::find(ads::kImpressionFields, name, &ads::Field<ads::Impression>::name);
  if (field == ads::kImpressionFields.end()) return false;
  using ads::FieldRule;
  return field->rule == FieldRule::whole || field->rule == FieldRule::latitude ||
         field->rule == FieldRule::longitude || field->rule == FieldRule::probability;
}

// Broken escapes stay as they are: somebody is about to look at them.
std::string decoded(std::string_view text) {
  auto decoded = http::percent_decode(text, http::PlusSign::is_space);
  return decoded ? std::move(*decoded) : std::string(text);
}

using Members = std::vector<std::pair<std::string, std::string>>;

void put(Members& members, std::string name, std::string value) {
  const auto known = std::ranges::find(members, name, &Members::value_type::first);
  if (known != members.end())
    known->second = std::move(value);
  else
    members.emplace_back(std::move(name), std::move(value));
}

// The engine adds id and time to what comes by a link. The id is the letter's, so that sending it
// twice makes a duplicate.
Members members_of_query(const ads::DeadLetterEntry& entry, std::string_view query) {
  Members members = {{"uuid", entry.id.to_string()}, {"timestamp", format_time(entry.append_time)}};
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    const std::size_t equals = std::min(part.find('='), part.size());
    std::string name = decoded(part.substr(0, equals));
    if (part.empty() || std::ranges::find(kLinkParameters, name) != kLinkParameters.end()) continue;
    put(members, std::move(name), decoded(part.substr(std::min(equals + 1, part.size()))));
  }
  return members;
}

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, number);
  return ec == std::errc{} && at == end ? std::optional(number) : std::nullopt;
}

void write_member(serde::JsonWriter& json, const std::string& name, const std::string& value) {
  json.key(name);
  if (!is_number_field(name)) return json.string(value);
  if (const auto whole = parse_number<std::int64_t>(value)) return json.integer(*whole);
  const auto real = parse_number<double>(value);
  if (!real || !std::isfinite(*real)) return json.string(value);
  json.number(*real);
}

std::string event_of_query(const DeadLetterWithBytes& letter) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  for (const auto& [name, value] : members_of_query(letter.entry, as_text(letter.bytes)))
    write_member(json, name, value);
  json.end_object();
  return out;
}

// The header of a value begins with a zero, also where the rest of it happens to be UTF-8.
bool is_text(ByteView bytes) {
  return is_valid_utf8(as_text(bytes)) && (bytes.empty() || bytes[0] != std::byte{0});
}

void write_letter(serde::JsonWriter& json, const DeadLetterWithBytes& letter, ValueText& values) {
  json.begin_object();
  ads::write_members(json, letter.entry);
  if (is_text(letter.bytes))
    json.field("text", as_text(letter.bytes));
  else
    json.field("hex", std::string_view(hex(letter.bytes)));
  const std::string_view topic =
      kind_of(letter) == EventKind::click ? ads::kClicksTopic : ads::kImpressionsTopic;
  json.field("as", topic);
  if (came_as_query(letter.entry))
    json.field("event", std::string_view(event_of_query(letter)));
  else if (const ShownValue shown = values.show(letter.bytes); shown.is_json)
    json.field("event", shown.text);
  json.end_object();
}

}  // namespace

std::string letter_json(const DeadLetterWithBytes& letter) {
  std::string out;
  serde::JsonWriter json(out);
  ValueText values;
  write_letter(json, letter, values);
  return out;
}

std::string letters_json(const ads::DeadLettersWithBytes& letters) {
  std::string out;
  serde::JsonWriter json(out);
  ValueText values;
  json.begin_object();
  json.key("dead_letters");
  json.begin_array();
  for (const DeadLetterWithBytes& letter : letters.letters) write_letter(json, letter, values);
  json.end_array();
  ads::write_more(json, letters.more,
                  letters.letters.empty() ? nullptr : &letters.letters.back().entry);
  json.end_object();
  return out;
}

}  // namespace adbrook::app
