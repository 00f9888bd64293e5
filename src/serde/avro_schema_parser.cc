#include "serde/avro_schema_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "base/text.h"
#include "serde/json_reader.h"

namespace adbrook::serde {
namespace {

constexpr std::array kTypeNames = {
    std::string_view("null"),  std::string_view("boolean"), std::string_view("int"),
    std::string_view("long"),  std::string_view("float"),   std::string_view("double"),
    std::string_view("bytes"), std::string_view("string"),  std::string_view("record"),
    std::string_view("enum"),  std::string_view("array"),   std::string_view("map"),
    std::string_view("fixed")};
constexpr std::size_t kPrimitiveCount = 8;

// JSON brackets that one type may take: a field of a record has its object, its array and its type.
constexpr std::uint32_t kJsonDepthPerType = 4;

std::optional<AvroType> primitive_named(std::string_view name) {
  for (std::size_t i = 0; i < kPrimitiveCount; ++i)
    if (kTypeNames[i] == name) return static_cast<AvroType>(i);
  return std::nullopt;
}

// The specification's [A-Za-z_][A-Za-z0-9_]*.
bool is_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (name.empty() || !letter(name[0])) return false;
  return std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_full_name(std::string_view name) {
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_name(name.substr(0, dot))) return false;
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// A name with a dot is full already; any other takes the namespace around it.
std::string with_namespace(std::string_view name, const std::string& space) {
  if (space.empty() || name.find('.') != name.npos) return std::string(name);
  return space + "." + std::string(name);
}

std::string namespace_of(const std::string& full_name) {
  const std::size_t dot = full_name.rfind('.');
  return dot == full_name.npos ? "" : full_name.substr(0, dot);
}

// Puts a step at the end of a path for as long as it lives.
class PathStep {
 public:
  PathStep(std::string& path, std::string_view step) : path_(path), size_before_(path.size()) {
    if (!path_.empty() && !step.starts_with('[')) path_ += '.';
    path_ += step;
  }
  PathStep(const PathStep&) = delete;
  PathStep& operator=(const PathStep&) = delete;
  ~PathStep() { path_.resize(size_before_); }

 private:
  std::string& path_;
  std::size_t size_before_;
};

std::string at_index(std::string_view name, std::size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

}  // namespace

Result<std::shared_ptr<const AvroSchema>> AvroSchemaParser::parse(std::string_view json) {
  const JsonLimits limits{.size_max = Bytes{AvroSchema::kTextSizeMax},
                          .depth_max = AvroSchema::kDepthMax * kJsonDepthPerType};
  if (auto checked = check_json(json, limits); !checked)
    return pass(std::move(checked.error()), "Avro schema");
  Json root;
  // The strings of the tree live in the parser, so the padded copy may end here.
  const simdjson::padded_string padded(json);
  const auto error = json_parser_.parse(padded).get(root);
  if (error != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid, std::string("Avro schema: ") + simdjson::error_message(error) +
                                        "; write it as JSON");
  }
  const auto index = parse_type(root, "");
  if (!index || !read_defaults()) return fail(ErrorKind::invalid, std::move(error_));
  schema_.root_ = *index;
  schema_.text_ = std::string(json);
  return std::shared_ptr<const AvroSchema>(new AvroSchema(std::move(schema_)));
}

// The first error wins: everything returns at once after it.
std::nullopt_t AvroSchemaParser::fail_with(std::string rule) {
  error_ = "Avro schema, " + (path_.empty() ? "its outermost type" : path_) + ": " + rule;
  return std::nullopt;
}

std::optional<AvroNodeIndex> AvroSchemaParser::add(AvroNode node) {
  if (schema_.nodes_.size() == AvroSchema::kNodeCountMax)
    return fail_with("more than " + std::to_string(AvroSchema::kNodeCountMax) + " types");
  schema_.nodes_.push_back(std::move(node));
  return static_cast<AvroNodeIndex>(schema_.nodes_.size() - 1);
}

std::optional<std::string> AvroSchemaParser::text_of(JsonObject json, const char* key) {
  std::string_view text;
  const auto error = json[key].get(text);
  if (error == simdjson::SUCCESS) return std::string(text);
  if (error == simdjson::NO_SUCH_FIELD) return fail_with("'" + std::string(key) + "' is missing");
  return fail_with("'" + std::string(key) + "' must be a text");
}

// Attributes that only inform, like doc, are ignored when they are something else than text.
std::optional<std::string> AvroSchemaParser::optional_text_of(JsonObject json, const char* key) {
  std::string_view text;
  if (json[key].get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

// `space` is the namespace that names without a dot belong to.
std::optional<AvroNodeIndex> AvroSchemaParser::parse_type(Json json, const std::string& space) {
  if (depth_ == AvroSchema::kDepthMax)
    return fail_with("types are nested deeper than " + std::to_string(AvroSchema::kDepthMax));
  ++depth_;
  std::optional<AvroNodeIndex> index;
  if (json.is_string()) {
    index = parse_name(json.get_string().value_unsafe(), space);
  } else if (json.is_array()) {
    index = parse_union(json.get_array().value_unsafe(), space);
  } else if (json.is_object()) {
    index = parse_object(json.get_object().value_unsafe(), space);
  } else {
    fail_with("a type is a name, an object or an array");
  }
  --depth_;
  return index;
}

std::optional<AvroNodeIndex> AvroSchemaParser::parse_name(std::string_view name,
                                                          const std::string& space) {
  if (const auto primitive = primitive_named(name)) return add({.type = *primitive});
  // In the namespace first, then without one, as Java does.
  auto found = names_.find(with_namespace(name, space));
  if (found == names_.end()) found = names_.find(name);
  if (found != names_.end()) return found->second;
  std::vector<std::string_view> known(kTypeNames.begin(), kTypeNames.begin() + kPrimitiveCount);
  for (const auto& [full_name, index] : names_) known.push_back(full_name);
  return fail_with("'" + printable(name) + "' is not a type that is known here" +
                   did_you_mean(name, known));
}

// {"type": X, …}: X is a complex type, a name, or a type in another pair of brackets.
std::optional<AvroNodeIndex> AvroSchemaParser::parse_object(JsonObject json,
                                                            const std::string& space) {
  Json type_json;
  if (json["type"].get(type_json) != simdjson::SUCCESS) return fail_with("'type' is missing");
  std::string_view type;
  if (type_json.get(type) != simdjson::SUCCESS) {
    const PathStep step(path_, "type");
    return parse_type(type_json, space);
  }
  if (type == "array") return parse_container(json, AvroType::array, space);
  if (type == "map") return parse_container(json, AvroType::map, space);
  if (type == "record" || type == "error") return parse_named(json, AvroType::record, space);
  if (type == "enum") return parse_named(json, AvroType::enumeration, space);
  if (type == "fixed") return parse_named(json, AvroType::fixed, space);
  const auto index = parse_name(type, space);
  if (index && primitive_named(type))
    schema_.nodes_[*index].logical_type = optional_text_of(json, "logicalType").value_or("");
  return index;
}

// A reader must be able to tell branches apart: by type, and named ones by name.
bool AvroSchemaParser::check_branch(const AvroNode& branch,
                                    const std::vector<AvroNodeIndex>& before) {
  if (branch.type == AvroType::union_) {
    fail_with("a union may not hold a union");
    return false;
  }
  for (const AvroNodeIndex other : before) {
    const AvroNode& node = schema_.nodes_[other];
    if (node.type != branch.type || node.name != branch.name) continue;
    fail_with("a union may hold " +
              (branch.is_named() ? branch.name : std::string(to_string(branch.type))) +
              " only once");
    return false;
  }
  return true;
}

std::optional<AvroNodeIndex> AvroSchemaParser::parse_union(JsonArray json,
                                                           const std::string& space) {
  AvroNode node{.type = AvroType::union_};
  for (const Json branch_json : json) {
    const PathStep step(path_, at_index("", node.branches.size()));
    const auto branch = parse_type(branch_json, space);
    if (!branch || !check_branch(schema_.nodes_[*branch], node.branches)) return std::nullopt;
    node.branches.push_back(*branch);
  }
  return add(std::move(node));
}

std::optional<AvroNodeIndex> AvroSchemaParser::parse_container(JsonObject json, AvroType type,
                                                               const std::string& space) {
  const char* const key = type == AvroType::array ? "items" : "values";
  Json items_json;
  if (json[key].get(items_json) != simdjson::SUCCESS)
    return fail_with("'" + std::string(key) + "' is missing");
  const PathStep step(path_, key);
  const auto items = parse_type(items_json, space);
  if (!items) return std::nullopt;
  return add({.type = type,
              .logical_type = optional_text_of(json, "logicalType").value_or(""),
              .items = *items});
}

bool AvroSchemaParser::read_aliases(JsonObject json, const std::string& space,
                                    std::vector<std::string>& aliases) {
  JsonArray array;
  const auto error = json["aliases"].get(array);
  if (error == simdjson::NO_SUCH_FIELD) return true;
  if (error == simdjson::SUCCESS) {
    bool good = true;
    for (const Json alias : array) {
      std::string_view name;
      good = good && alias.get(name) == simdjson::SUCCESS && is_full_name(name);
      if (good) aliases.push_back(with_namespace(name, space));
    }
    if (good) return true;
  }
  fail_with("'aliases' must be an array of names");
  return false;
}

std::optional<AvroNodeIndex> AvroSchemaParser::parse_named(JsonObject json, AvroType type,
                                                           const std::string& space) {
  const auto name = text_of(json, "name");
  if (!name) return std::nullopt;
  if (!is_full_name(*name))
    return fail_with("'" + printable(*name) +
                     "' is no name; use letters, digits and _, and begin with no digit");
  const std::string own_space = optional_text_of(json, "namespace").value_or(space);
  if (!own_space.empty() && !is_full_name(own_space))
    return fail_with("'" + printable(own_space) + "' is no namespace");

  AvroNode node{.type = type, .name = with_namespace(*name, own_space)};
  if (primitive_named(node.name)) return fail_with("'" + node.name + "' is a type of Avro itself");
  node.doc = optional_text_of(json, "doc").value_or("");
  node.logical_type = optional_text_of(json, "logicalType").value_or("");
  const std::string inner_space = namespace_of(node.name);
  if (!read_aliases(json, inner_space, node.aliases)) return std::nullopt;
  if (type == AvroType::enumeration && !parse_enum(json, node)) return std::nullopt;
  if (type == AvroType::fixed && !parse_fixed(json, node)) return std::nullopt;

  // Known by name before its fields are read, since they may be of this very type.
  const std::string full_name = node.name;
  const auto index = add(std::move(node));
  if (!index) return std::nullopt;
  if (!names_.emplace(full_name, *index).second)
    return fail_with("'" + full_name + "' is defined twice");
  if (type == AvroType::record && !parse_record(json, *index, inner_space)) return std::nullopt;
  return index;
}

bool AvroSchemaParser::parse_record(JsonObject json, AvroNodeIndex index,
                                    const std::string& space) {
  JsonArray fields;
  if (json["fields"].get(fields) != simdjson::SUCCESS) {
    fail_with("'fields' must be an array");
    return false;
  }
  for (const Json field : fields) {
    const PathStep step(path_, at_index("fields", schema_.nodes_[index].fields.size()));
    if (schema_.nodes_[index].fields.size() == AvroSchema::kFieldCountMax) {
      fail_with("more fields than " + std::to_string(AvroSchema::kFieldCountMax));
      return false;
    }
    if (!parse_field(field, index, space)) return false;
  }
  return true;
}

bool AvroSchemaParser::parse_field(Json json, AvroNodeIndex index, const std::string& space) {
  JsonObject object;
  if (json.get(object) != simdjson::SUCCESS) {
    fail_with("a field is an object");
    return false;
  }
  const auto name = text_of(object, "name");
  if (!name) return false;
  AvroField field{.name = *name, .doc = optional_text_of(object, "doc").value_or("")};
  if (!is_name(*name)) {
    fail_with("'" + printable(*name) + "' is no name of a field");
    return false;
  }
  if (std::ranges::any_of(schema_.nodes_[index].fields,
                          [&](const AvroField& other) { return other.name == *name; })) {
    fail_with("a field '" + *name + "' is there already");
    return false;
  }
  if (!read_aliases(object, "", field.aliases)) return false;
  Json type_json;
  if (object["type"].get(type_json) != simdjson::SUCCESS) {
    fail_with("'type' is missing");
    return false;
  }
  {
    const PathStep step(path_, "type");
    const auto type = parse_type(type_json, space);
    if (!type) return false;
    field.type = *type;
  }
  Json default_json;
  std::vector<AvroField>& fields = schema_.nodes_[index].fields;
  // Read when all types are known: a default may be of a type whose fields are still to come.
  if (object["default"].get(default_json) == simdjson::SUCCESS)
    defaults_.push_back({index, fields.size(), default_json, path_});
  fields.push_back(std::move(field));
  return true;
}

bool AvroSchemaParser::parse_enum(JsonObject json, AvroNode& node) {
  JsonArray symbols;
  if (json["symbols"].get(symbols) != simdjson::SUCCESS) {
    fail_with("'symbols' must be an array");
    return false;
  }
  std::set<std::string_view> seen;
  for (const Json symbol : symbols) {
    const PathStep step(path_, at_index("symbols", node.symbols.size()));
    std::string_view text;
    if (symbol.get(text) != simdjson::SUCCESS || !is_name(text)) {
      fail_with("a symbol is a name of letters, digits and _");
      return false;
    }
    if (!seen.insert(text).second) {
      fail_with("'" + std::string(text) + "' is there already");
      return false;
    }
    node.symbols.emplace_back(text);
  }
  const auto default_symbol = optional_text_of(json, "default");
  if (!default_symbol) return true;
  const auto found = std::ranges::find(node.symbols, *default_symbol);
  if (found == node.symbols.end()) {
    fail_with("the default '" + printable(*default_symbol) + "' is no symbol");
    return false;
  }
  node.default_symbol = static_cast<std::uint32_t>(found - node.symbols.begin());
  return true;
}

// Large sizes are fine: no byte is taken before a value really has them.
bool AvroSchemaParser::parse_fixed(JsonObject json, AvroNode& node) {
  std::int64_t size = 0;
  if (json["size"].get(size) != simdjson::SUCCESS || size < 0 ||
      size > std::numeric_limits<std::int32_t>::max()) {
    fail_with("'size' must be a number of bytes, 0 or more");
    return false;
  }
  node.fixed_size = static_cast<std::uint32_t>(size);
  return true;
}

Result<std::shared_ptr<const AvroSchema>> AvroSchema::parse(std::string_view json) {
  return AvroSchemaParser().parse(json);
}

}  // namespace adbrook::serde
