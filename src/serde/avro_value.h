// One decoded Avro value of any schema, as a small tree. For readers that know their schema only
// at run time (imports, archives, schema changes); the codecs of fixed schemas use avro_wire.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace adbrook::serde {

struct AvroValue;
struct AvroEntry;  // of a map
using AvroItems = std::vector<AvroValue>;
using AvroEntries = std::vector<AvroEntry>;

// The schema says what a value is: int, long and the index of an enum's symbol are std::int64_t;
// float and double are double; string, bytes and fixed are std::string; the fields of a record (in
// the schema's order) and the items of an array are AvroItems.
struct AvroValue {
  using Content =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, AvroItems, AvroEntries>;
  Content content;
  std::uint32_t branch = 0;  // which one of a union; 0 elsewhere

  bool is_null() const { return std::holds_alternative<std::monostate>(content); }
  // The content as this type, or null.
  template <class T>
  const T* get() const {
    return std::get_if<T>(&content);
  }
  friend bool operator==(const AvroValue& a, const AvroValue& b);
};

struct AvroEntry {
  std::string key;
  AvroValue value;
  friend bool operator==(const AvroEntry& a, const AvroEntry& b) = default;
};

inline bool operator==(const AvroValue& a, const AvroValue& b) {
  return a.branch == b.branch && a.content == b.content;
}

}  // namespace adbrook::serde
