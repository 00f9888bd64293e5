#include <cstdint>
#include <string>

#include "serde/avro_codec.h"

namespace adbrook::serde {
namespace {

// One value's way into bytes. Functions return false and leave why_ and path_.
class Encoding {
 public:
  Encoding(const AvroSchema& schema, Buffer& to) : schema_(schema), to_(to) {}

  bool write(AvroNodeIndex index, const AvroValue& value);
  std::string take_error() { return "writing an Avro value" + path_ + ": " + why_; }

 private:
  bool write_node(const AvroNode& node, const AvroValue& value);
  bool write_number(AvroType type, const AvroValue& value);
  bool write_text(const AvroNode& node, const AvroValue& value);
  bool write_record(const AvroNode& node, const AvroValue& value);
  bool write_items(const AvroNode& node, const AvroValue& value);
  bool write_entries(const AvroNode& node, const AvroValue& value);

  void put_long(std::int64_t number) {
    const std::size_t at = to_.size();
    to_.resize(at + varint_size(number));
    write_varint(to_.data() + at, number);
  }
  bool stop(std::string why) {
    why_ = std::move(why);
    return false;
  }
  bool wrong_content(const AvroNode& node) {
    return stop("the value is no " + std::string(to_string(node.type)));
  }

  const AvroSchema& schema_;
  Buffer& to_;
  std::string path_;
  std::string why_;
};

bool Encoding::write(AvroNodeIndex index, const AvroValue& value) {
  const AvroNode& node = schema_.node(index);
  if (node.type != AvroType::union_) return write_node(node, value);
  if (value.branch >= node.branches.size()) return stop("the union has no such branch");
  put_long(value.branch);
  return write_node(schema_.node(node.branches[value.branch]), value);
}

bool Encoding::write_node(const AvroNode& node, const AvroValue& value) {
  switch (node.type) {
    case AvroType::null: return value.is_null() || wrong_content(node);
    case AvroType::boolean: {
      const bool* flag = value.get<bool>();
      if (flag == nullptr) return wrong_content(node);
      to_.push_back(static_cast<std::byte>(*flag ? 1 : 0));
      return true;
    }
    case AvroType::int_:
    case AvroType::long_:
    case AvroType::float_:
    case AvroType::double_: return write_number(node.type, value) || wrong_content(node);
    case AvroType::enumeration: {
      const std::int64_t* symbol = value.get<std::int64_t>();
      if (symbol == nullptr) return wrong_content(node);
      if (*symbol < 0 || static_cast<std::uint64_t>(*symbol) >= node.symbols.size())
        return stop("the enum has no such symbol");
      put_long(*symbol);
      return true;
    }
    case AvroType::bytes:
    case AvroType::string:
    case AvroType::fixed: return write_text(node, value);
    case AvroType::record: return write_record(node, value);
    case AvroType::array: return write_items(node, value);
    case AvroType::map: return write_entries(node, value);
    case AvroType::union_: break;
  }
  return stop("a union in a union");
}

// False when the value is no such number, or does not fit an int.
bool Encoding::write_number(AvroType type, const AvroValue& value) {
  if (type == AvroType::int_ || type == AvroType::long_) {
    const std::int64_t* number = value.get<std::int64_t>();
    if (number == nullptr) return false;
    if (type == AvroType::int_ && *number != static_cast<std::int32_t>(*number)) return false;
    put_long(*number);
    return true;
  }
  const double* number = value.get<double>();
  if (number == nullptr) return false;
  if (type == AvroType::float_) {
    append_le(to_, std::bit_cast<std::uint32_t>(static_cast<float>(*number)));
  } else {
    append_le(to_, std::bit_cast<std::uint64_t>(*number));
  }
  return true;
}

bool Encoding::write_text(const AvroNode& node, const AvroValue& value) {
  const std::string* text = value.get<std::string>();
  if (text == nullptr) return wrong_content(node);
  if (node.type == AvroType::fixed) {
    if (text->size() != node.fixed_size) return stop("the value is not as long as the fixed type");
  } else {
    put_long(static_cast<std::int64_t>(text->size()));
  }
  append(to_, as_bytes(*text));
  return true;
}

bool Encoding::write_record(const AvroNode& node, const AvroValue& value) {
  const AvroItems* items = value.get<AvroItems>();
  if (items == nullptr) return wrong_content(node);
  if (items->size() != node.fields.size())
    return stop("the record " + node.name + " has another number of fields");
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (write(node.fields[i].type, (*items)[i])) continue;
    path_ = ", field " + node.fields[i].name + path_;
    return false;
  }
  return true;
}

// Arrays and maps are written as one block of all items.
bool Encoding::write_items(const AvroNode& node, const AvroValue& value) {
  const AvroItems* items = value.get<AvroItems>();
  if (items == nullptr) return wrong_content(node);
  if (!items->empty()) put_long(static_cast<std::int64_t>(items->size()));
  for (const AvroValue& item : *items)
    if (!write(node.items, item)) return false;
  put_long(0);
  return true;
}

// Keys are not compared: a map with a key twice is written as it is.
bool Encoding::write_entries(const AvroNode& node, const AvroValue& value) {
  const AvroEntries* entries = value.get<AvroEntries>();
  if (entries == nullptr) return wrong_content(node);
  if (!entries->empty()) put_long(static_cast<std::int64_t>(entries->size()));
  for (const AvroEntry& entry : *entries) {
    put_long(static_cast<std::int64_t>(entry.key.size()));
    append(to_, as_bytes(entry.key));
    if (!write(node.items, entry.value)) return false;
  }
  put_long(0);
  return true;
}

}  // namespace

Result<void> append_avro(Buffer& to, const AvroSchema& schema, const AvroValue& value) {
  const std::size_t size_before = to.size();
  Encoding encoding(schema, to);
  if (encoding.write(schema.root_index(), value)) return {};
  to.resize(size_before);
  return fail(ErrorKind::invalid, encoding.take_error());
}

}  // namespace adbrook::serde
