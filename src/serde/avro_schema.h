// An Avro schema, parsed and checked from its JSON text. Follows the Avro 1.11 specification;
// which parts, says docs/formats/avro.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serde/avro_value.h"

namespace adbrook::serde {

enum class AvroType : std::uint8_t {
  null,
  boolean,
  int_,
  long_,
  float_,
  double_,
  bytes,
  string,
  record,
  enumeration,
  array,
  map,
  union_,
  fixed,
};
// As it is written in a schema, e.g. "enum".
std::string_view to_string(AvroType type);

// A node's number in its schema. Nodes refer to each other by number, because a record may hold
// itself.
using AvroNodeIndex = std::uint32_t;

struct AvroField {
  std::string name;
  std::vector<std::string> aliases;
  std::string doc;
  AvroNodeIndex type = 0;
  std::optional<AvroValue> default_value;
};

struct AvroNode {
  AvroType type = AvroType::null;
  std::string name;                  // full name of a record, enum or fixed
  std::vector<std::string> aliases;  // full names
  std::string doc;
  std::string logical_type;          // kept, not acted on
  std::vector<AvroField> fields;     // of a record
  std::vector<std::string> symbols;  // of an enum
  std::optional<std::uint32_t> default_symbol;
  std::vector<AvroNodeIndex> branches;  // of a union
  AvroNodeIndex items = 0;              // of an array; the values of a map
  std::uint32_t fixed_size = 0;

  bool is_named() const {
    return type == AvroType::record || type == AvroType::enumeration || type == AvroType::fixed;
  }
};

// Immutable.
class AvroSchema {
 public:
  static constexpr std::size_t kTextSizeMax = std::size_t{1} << 20;
  static constexpr std::size_t kNodeCountMax = 10'000;
  static constexpr std::size_t kFieldCountMax = 2'000;  // of one record
  static constexpr std::size_t kDepthMax = 64;          // of types in each other

  // invalid with the path of the bad part and the rule it breaks, e.g.
  // "Avro schema, fields[2].type: 'strng' is not a type (did you mean 'string'?)".
  static Result<std::shared_ptr<const AvroSchema>> parse(std::string_view json);

  const AvroNode& root() const { return nodes_[root_]; }
  AvroNodeIndex root_index() const { return root_; }
  const AvroNode& node(AvroNodeIndex index) const { return nodes_[index]; }
  std::size_t node_count() const { return nodes_.size(); }
  const std::string& text() const { return text_; }  // as it was given to parse()

  // The place of a field in the root record, or nothing.
  std::optional<std::size_t> field_index(std::string_view name) const;

  // Parsing canonical form: two schemas that read the same bytes alike have the same one.
  std::string canonical_form() const;
  // CRC-64-AVRO of the canonical form.
  std::uint64_t fingerprint() const;

 private:
  friend class AvroSchemaParser;
  AvroSchema() = default;

  std::string text_;
  std::vector<AvroNode> nodes_;
  AvroNodeIndex root_ = 0;
};

// "Weather" of "test.Weather".
std::string_view unqualified_name(std::string_view full_name);

}  // namespace adbrook::serde
