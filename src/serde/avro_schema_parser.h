// Turns the JSON text of a schema into nodes, with a path in every error. Private to AvroSchema.
#pragma once

#include <simdjson.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serde/avro_schema.h"

namespace adbrook::serde {

// One parse of one text. Recursive functions return a node or leave an error and return nothing.
class AvroSchemaParser {
 public:
  Result<std::shared_ptr<const AvroSchema>> parse(std::string_view json);

 private:
  using Json = simdjson::dom::element;
  using JsonObject = simdjson::dom::object;
  using JsonArray = simdjson::dom::array;
  struct PendingDefault {
    AvroNodeIndex record;
    std::size_t field;
    Json json;
    std::string path;
  };

  std::optional<AvroNodeIndex> parse_type(Json json, const std::string& space);
  std::optional<AvroNodeIndex> parse_name(std::string_view name, const std::string& space);
  std::optional<AvroNodeIndex> parse_object(JsonObject json, const std::string& space);
  std::optional<AvroNodeIndex> parse_union(JsonArray json, const std::string& space);
  std::optional<AvroNodeIndex> parse_container(JsonObject json, AvroType type,
                                               const std::string& space);
  std::optional<AvroNodeIndex> parse_named(JsonObject json, AvroType type,
                                           const std::string& space);
  bool parse_record(JsonObject json, AvroNodeIndex index, const std::string& space);
  bool parse_field(Json json, AvroNodeIndex index, const std::string& space);
  bool parse_enum(JsonObject json, AvroNode& node);
  bool parse_fixed(JsonObject json, AvroNode& node);
  bool read_aliases(JsonObject json, const std::string& space, std::vector<std::string>& aliases);
  bool check_branch(const AvroNode& branch, const std::vector<AvroNodeIndex>& before);

  std::optional<AvroNodeIndex> add(AvroNode node);
  // The text under `key`, or nothing; a value of another type is an error too.
  std::optional<std::string> text_of(JsonObject json, const char* key);
  std::optional<std::string> optional_text_of(JsonObject json, const char* key);

  bool read_defaults();
  bool read_default(Json json, AvroNodeIndex type, std::size_t depth, AvroValue& value);
  bool read_union_default(Json json, const AvroNode& node, std::size_t depth, AvroValue& value);
  bool read_record_default(Json json, AvroNodeIndex type, std::size_t depth, AvroValue& value);
  bool read_number_default(Json json, AvroType type, AvroValue& value);
  bool read_text_default(Json json, const AvroNode& node, AvroValue& value);
  bool read_nested_default(Json json, const AvroNode& node, std::size_t depth, AvroValue& value);

  std::nullopt_t fail_with(std::string rule);

  simdjson::dom::parser json_parser_;
  AvroSchema schema_;
  std::map<std::string, AvroNodeIndex, std::less<>> names_;
  std::vector<PendingDefault> defaults_;
  std::size_t default_value_count_ = 0;
  std::string path_;  // of what is being parsed
  std::size_t depth_ = 0;
  std::string error_;
};

}  // namespace adbrook::serde
