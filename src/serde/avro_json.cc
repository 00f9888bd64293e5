#include "serde/avro_json.h"

#include "base/ids.h"

namespace adbrook::serde {
namespace {

// As the specification writes bytes in JSON: code point = byte.
std::string latin1_to_utf8(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::optional<Uuid> uuid_of(const AvroNode& node, std::string_view bytes) {
  const bool is_uuid =
      node.logical_type == "uuid" || node.name == "Uuid" || node.name.ends_with(".Uuid");
  if (node.type != AvroType::fixed || !is_uuid) return std::nullopt;
  return Uuid::from_bytes(as_bytes(bytes));
}

// The content decides what is written, the schema only gives names.
void write_node(JsonWriter& json, const AvroSchema& schema, AvroNodeIndex index,
                const AvroValue& value, AvroJsonOptions options) {
  const AvroNode& node = schema.node(index);
  if (node.type == AvroType::union_) {
    if (value.branch >= node.branches.size()) return json.null();
    return write_node(json, schema, node.branches[value.branch], value, options);
  }
  if (const auto* flag = value.get<bool>()) return json.boolean(*flag);
  if (const auto* number = value.get<double>()) return json.number(*number);
  if (const auto* integer = value.get<std::int64_t>()) {
    if (node.type != AvroType::enumeration) return json.integer(*integer);
    return json.string(node.symbols[static_cast<std::size_t>(*integer)]);
  }
  if (const auto* text = value.get<std::string>()) {
    if (node.type == AvroType::string) return json.string(*text);
    if (options.uuid_as_text)
      if (const auto uuid = uuid_of(node, *text)) return json.string(uuid->to_string());
    return json.string(latin1_to_utf8(*text));
  }
  if (const auto* items = value.get<AvroItems>()) {
    const bool record = node.type == AvroType::record;
    record ? json.begin_object() : json.begin_array();
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (record) json.key(node.fields[i].name);
      write_node(json, schema, record ? node.fields[i].type : node.items, (*items)[i], options);
    }
    return record ? json.end_object() : json.end_array();
  }
  if (const auto* entries = value.get<AvroEntries>()) {
    json.begin_object();
    for (const AvroEntry& entry : *entries) {
      json.key(entry.key);
      write_node(json, schema, node.items, entry.value, options);
    }
    return json.end_object();
  }
  json.null();
}

}  // namespace

void write_json(JsonWriter& json, const AvroSchema& schema, const AvroValue& value,
                AvroJsonOptions options) {
  write_node(json, schema, schema.root_index(), value, options);
}

}  // namespace adbrook::serde
