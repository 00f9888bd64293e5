// Invariants, for any bytes:
// - nothing crashes; raw texts and keys without escapes lie inside the input;
// - what one call accepts, simdjson's own parser accepts too, with as many fields;
// - a text accepted as an object, written again with JsonWriter, reads back the same;
// - an object reads the same alone, as an array's element, which never takes the short way, and
//   where keys may be repeated;
// - the elements of a body have indexes 0, 1, 2 … and come to an end.
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "serde/json_reader.h"
#include "serde/json_writer.h"

namespace {

using namespace adbrook::serde;

void require(bool holds) {
  if (!holds) std::abort();
}

bool inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

std::string write_again(std::span<const JsonField> fields) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const JsonField& field : fields) {
    json.key(field.key);
    if (field.value.kind == JsonKind::string) {
      json.string(field.value.text);
    } else {
      json.raw(field.value.raw);
    }
  }
  json.end_object();
  return out;
}

bool has_huge_number(std::span<const JsonField> fields) {
  // Numbers that no double holds are fine for the reader and an error for simdjson.
  for (const JsonField& field : fields)
    if (field.value.kind == JsonKind::number || field.value.kind == JsonKind::array ||
        field.value.kind == JsonKind::object)
      return true;
  return false;
}

void check_object(std::string_view text) {
  JsonReader reader;
  const auto fields = reader.object(text);
  if (!fields) return;
  for (const JsonField& field : *fields) require(inside(field.value.raw, text));
  if (!has_huge_number(*fields)) {
    simdjson::dom::parser parser;
    simdjson::dom::object parsed;
    require(parser.parse(text.data(), text.size()).get(parsed) == simdjson::SUCCESS);
    require(parsed.size() == fields->size());
  }
  const std::string again = write_again(*fields);
  JsonReader second;
  const auto reread = second.object(again);
  require(reread.has_value() && reread->size() == fields->size());
  for (std::size_t i = 0; i < fields->size(); ++i) {
    require((*reread)[i].key == (*fields)[i].key);
    require((*reread)[i].value.kind == (*fields)[i].value.kind);
    require((*reread)[i].value.text == (*fields)[i].value.text);
  }
}

void check_in_array(std::string_view text) {
  JsonReader alone, in_array;
  const auto fields = alone.object(text);
  if (!fields) return;
  const std::string array = "[" + std::string(text) + "]";
  JsonElement element;
  require(in_array.open(array).has_value() && in_array.next(element) && element.fields.has_value());
  require(element.fields->size() == fields->size());
  for (std::size_t i = 0; i < fields->size(); ++i) {
    const JsonField &one = (*fields)[i], &other = (*element.fields)[i];
    require(one.key == other.key && one.value.kind == other.value.kind);
    require(one.value.raw == other.value.raw && one.value.text == other.value.text);
  }
  require(!in_array.next(element));
}

void check_members(std::string_view text) {
  JsonReader strict, lenient;
  const auto fields = strict.object(text);
  const auto members = lenient.members(text);
  require(members.has_value() || !fields.has_value());
  if (members)
    for (const JsonField& member : *members) require(inside(member.value.raw, text));
  if (!fields) return;
  require(std::ranges::equal(*fields, *members, [](const JsonField& one, const JsonField& other) {
    return one.key == other.key && one.value.raw == other.value.raw;
  }));
}

void check_body(std::string_view body, JsonShape shape) {
  JsonReader reader;
  if (!reader.open(body, shape)) return;
  JsonElement element;
  std::size_t count = 0;
  while (reader.next(element)) {
    require(element.index == count++);
    require(count <= body.size() + 1);
    require(element.position <= body.size());
    require(element.raw.empty() || inside(element.raw, body));
    if (!element.fields) continue;
    for (const JsonField& field : *element.fields) require(inside(field.value.raw, body));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An exact copy, so that a read behind the end is found.
  const std::vector<char> copy(data, data + size);
  const std::string_view text(copy.data(), copy.size());
  check_object(text);
  check_in_array(text);
  check_members(text);
  check_body(text, JsonShape::automatic);
  check_body(text, JsonShape::lines);
  JsonReader reader;
  const auto values = reader.array(text);
  if (values)
    for (const JsonValue& value : *values) require(inside(value.raw, text));
  const bool valid = check_json(text).has_value();
  if (values) require(valid);
  return 0;
}
