#include "serde/avro_schema.h"

#include <array>

#include "base/bytes.h"
#include "serde/json_writer.h"

namespace adbrook::serde {
namespace {

// CRC-64-AVRO's start value and polynomial, from the specification.
constexpr std::uint64_t kEmptyFingerprint = 0xc15d213aa4d7a795u;

// One table look-up per byte, made by the compiler.
constexpr std::array<std::uint64_t, 256> kFingerprintTable = [] {
  std::array<std::uint64_t, 256> table{};
  for (std::uint64_t i = 0; i < table.size(); ++i) {
    std::uint64_t fingerprint = i;
    for (int bit = 0; bit < 8; ++bit)
      fingerprint = (fingerprint >> 1) ^ (kEmptyFingerprint & -(fingerprint & 1));
    table[i] = fingerprint;
  }
  return table;
}();

// Writes nodes in canonical form: a named type in full where it comes first, by name after that.
class CanonicalWriter {
 public:
  explicit CanonicalWriter(const AvroSchema& schema)
      : schema_(schema), written_(schema.node_count(), false) {}

  std::string take() && { return std::move(out_); }

  void write(AvroNodeIndex index) {
    const AvroNode& node = schema_.node(index);
    if (node.is_named() && written_[index]) return append_json_string(out_, node.name);
    written_[index] = true;
    switch (node.type) {
      case AvroType::record:
      case AvroType::enumeration:
      case AvroType::fixed: return write_named(node);
      case AvroType::array:
      case AvroType::map: return write_container(node);
      case AvroType::union_: return write_union(node);
      default: append_json_string(out_, to_string(node.type));
    }
  }

 private:
  void write_named(const AvroNode& node) {
    out_ += "{\"name\":";
    append_json_string(out_, node.name);
    out_ += ",\"type\":";
    append_json_string(out_, to_string(node.type));
    if (node.type == AvroType::record) write_fields(node);
    if (node.type == AvroType::enumeration) write_symbols(node);
    if (node.type == AvroType::fixed) out_ += ",\"size\":" + std::to_string(node.fixed_size);
    out_ += '}';
  }
  void write_fields(const AvroNode& node) {
    out_ += ",\"fields\":[";
    for (const AvroField& field : node.fields) {
      if (&field != &node.fields.front()) out_ += ',';
      out_ += "{\"name\":";
      append_json_string(out_, field.name);
      out_ += ",\"type\":";
      write(field.type);
      out_ += '}';
    }
    out_ += ']';
  }
  void write_symbols(const AvroNode& node) {
    out_ += ",\"symbols\":[";
    for (const std::string& symbol : node.symbols) {
      if (&symbol != &node.symbols.front()) out_ += ',';
      append_json_string(out_, symbol);
    }
    out_ += ']';
  }
  void write_container(const AvroNode& node) {
    out_ +=
        node.type == AvroType::array ? R"({"type":"array","items":)" : R"({"type":"map","values":)";
    write(node.items);
    out_ += '}';
  }
  void write_union(const AvroNode& node) {
    out_ += '[';
    for (std::size_t i = 0; i < node.branches.size(); ++i) {
      if (i > 0) out_ += ',';
      write(node.branches[i]);
    }
    out_ += ']';
  }

  const AvroSchema& schema_;
  std::vector<bool> written_;
  std::string out_;
};

}  // namespace

std::string_view to_string(AvroType type) {
  constexpr std::array<std::string_view, 14> kNames = {
      "null",   "boolean", "int",  "long",  "float", "double", "bytes",
      "string", "record",  "enum", "array", "map",   "union",  "fixed"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view unqualified_name(std::string_view full_name) {
  return full_name.substr(full_name.rfind('.') + 1);
}

std::optional<std::size_t> AvroSchema::field_index(std::string_view name) const {
  const std::vector<AvroField>& fields = root().fields;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return i;
  return std::nullopt;
}

std::string AvroSchema::canonical_form() const {
  CanonicalWriter writer(*this);
  writer.write(root_);
  return std::move(writer).take();
}

std::uint64_t AvroSchema::fingerprint() const {
  std::uint64_t fingerprint = kEmptyFingerprint;
  for (const char c : canonical_form())
    fingerprint =
        (fingerprint >> 8) ^ kFingerprintTable[(fingerprint ^ static_cast<std::uint8_t>(c)) & 0xFF];
  return fingerprint;
}

}  // namespace adbrook::serde
