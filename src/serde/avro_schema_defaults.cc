// The part of the schema parser that reads the defaults of fields.
#include <cmath>
#include <limits>

#include "serde/avro_schema_parser.h"

namespace adbrook::serde {
namespace {

// Defaults of records are filled up with the defaults of their fields, which could multiply.
constexpr std::size_t kDefaultValueCountMax = 10'000;

// JSON text of bytes and fixed: each code point, 0 to 255, is one byte.
std::optional<std::string> bytes_from_text(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto first = static_cast<std::uint8_t>(text[at]);
    if (first < 0x80) {
      bytes += text[at];
    } else if ((first == 0xC2 || first == 0xC3) && at + 1 < text.size()) {
      const auto second = static_cast<std::uint8_t>(text[++at]);
      bytes += static_cast<char>((first & 3) << 6 | (second & 0x3F));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace

// After the last type is known, so that a default may be of any of them.
bool AvroSchemaParser::read_defaults() {
  for (const PendingDefault& pending : defaults_) {
    path_ = pending.path + ".default";
    AvroField& field = schema_.nodes_[pending.record].fields[pending.field];
    AvroValue value;
    if (!read_default(pending.json, field.type, 0, value)) {
      if (error_.empty())
        fail_with("the default does not fit the type '" +
                  std::string(to_string(schema_.nodes_[field.type].type)) + "' of field '" +
                  field.name + "'");
      return false;
    }
    field.default_value = std::move(value);
  }
  return true;
}

bool AvroSchemaParser::read_default(Json json, AvroNodeIndex type, std::size_t depth,
                                    AvroValue& value) {
  if (depth == AvroSchema::kDepthMax || ++default_value_count_ > kDefaultValueCountMax) {
    fail_with("the default is too large, or has itself as a part");
    return false;
  }
  const AvroNode& node = schema_.nodes_[type];
  switch (node.type) {
    case AvroType::null: return json.is_null();
    case AvroType::boolean: {
      bool flag = false;
      if (json.get(flag) != simdjson::SUCCESS) return false;
      value.content = flag;
      return true;
    }
    case AvroType::int_:
    case AvroType::long_:
    case AvroType::float_:
    case AvroType::double_: return read_number_default(json, node.type, value);
    case AvroType::bytes:
    case AvroType::string:
    case AvroType::fixed:
    case AvroType::enumeration: return read_text_default(json, node, value);
    case AvroType::union_: return read_union_default(json, node, depth, value);
    case AvroType::record: return read_record_default(json, type, depth, value);
    case AvroType::array:
    case AvroType::map: return read_nested_default(json, node, depth, value);
  }
  return false;
}

// JSON has one kind of number; the type decides the range.
bool AvroSchemaParser::read_number_default(Json json, AvroType type, AvroValue& value) {
  if (type == AvroType::int_ || type == AvroType::long_) {
    std::int64_t number = 0;
    if (json.get(number) != simdjson::SUCCESS) return false;
    if (type == AvroType::int_ && number != static_cast<std::int32_t>(number)) return false;
    value.content = number;
    return true;
  }
  double number = 0;
  if (json.get(number) != simdjson::SUCCESS) return false;
  value.content =
      type == AvroType::float_ ? static_cast<double>(static_cast<float>(number)) : number;
  return true;
}

bool AvroSchemaParser::read_text_default(Json json, const AvroNode& node, AvroValue& value) {
  std::string_view text;
  if (json.get(text) != simdjson::SUCCESS) return false;
  if (node.type == AvroType::string) {
    value.content = std::string(text);
    return true;
  }
  if (node.type == AvroType::enumeration) {
    for (std::size_t i = 0; i < node.symbols.size(); ++i) {
      if (node.symbols[i] != text) continue;
      value.content = static_cast<std::int64_t>(i);
      return true;
    }
    return false;
  }
  auto bytes = bytes_from_text(text);
  if (!bytes || (node.type == AvroType::fixed && bytes->size() != node.fixed_size)) return false;
  value.content = std::move(*bytes);
  return true;
}

// The specification wants the first branch; defaults of another one are common and unambiguous
// enough to be taken too.
bool AvroSchemaParser::read_union_default(Json json, const AvroNode& node, std::size_t depth,
                                          AvroValue& value) {
  for (std::size_t i = 0; i < node.branches.size(); ++i) {
    value = {};
    if (read_default(json, node.branches[i], depth + 1, value)) {
      value.branch = static_cast<std::uint32_t>(i);
      return true;
    }
    if (!error_.empty()) return false;
  }
  return false;
}

// A field that the default does not mention takes its own default.
bool AvroSchemaParser::read_record_default(Json json, AvroNodeIndex type, std::size_t depth,
                                           AvroValue& value) {
  JsonObject object;
  if (json.get(object) != simdjson::SUCCESS) return false;
  const std::vector<AvroField>& fields = schema_.nodes_[type].fields;
  AvroItems items(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Json field_json;
    bool found = object[fields[i].name].get(field_json) == simdjson::SUCCESS;
    for (const PendingDefault& pending : defaults_) {
      if (found) break;
      if (pending.record != type || pending.field != i) continue;
      field_json = pending.json;
      found = true;
    }
    if (!found || !read_default(field_json, fields[i].type, depth + 1, items[i])) return false;
  }
  value.content = std::move(items);
  return true;
}

// Arrays and maps; the count of values is limited over the whole schema.
bool AvroSchemaParser::read_nested_default(Json json, const AvroNode& node, std::size_t depth,
                                           AvroValue& value) {
  if (node.type == AvroType::array) {
    JsonArray array;
    if (json.get(array) != simdjson::SUCCESS) return false;
    AvroItems items;
    for (const Json item : array)
      if (!read_default(item, node.items, depth + 1, items.emplace_back())) return false;
    value.content = std::move(items);
    return true;
  }
  JsonObject object;
  if (json.get(object) != simdjson::SUCCESS) return false;
  AvroEntries entries;
  for (const auto& [key, item] : object) {
    entries.push_back({std::string(key), {}});
    if (!read_default(item, node.items, depth + 1, entries.back().value)) return false;
  }
  value.content = std::move(entries);
  return true;
}

}  // namespace adbrook::serde
