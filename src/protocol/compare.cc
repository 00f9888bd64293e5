#include <algorithm>

#include "protocol/codec.h"

namespace adbrook::protocol {
namespace {

template <class T>
bool same(const void* a, const void* b) {
  return *static_cast<const T*>(a) == *static_cast<const T*>(b);
}

bool same_records(const Records& a, const Records& b) {
  const auto joined = [](const Records& records) {
    Buffer bytes;
    for (const ByteView piece : records.pieces) append(bytes, piece);
    return bytes;
  };
  return a.is_null == b.is_null && joined(a) == joined(b);
}

bool same_value(const Type& type, const void* a, const void* b) {
  switch (type.kind) {
    case Kind::boolean: return same<bool>(a, b);
    case Kind::int8: return same<std::int8_t>(a, b);
    case Kind::int16: return same<std::int16_t>(a, b);
    case Kind::int32: return same<std::int32_t>(a, b);
    case Kind::int64: return same<std::int64_t>(a, b);
    case Kind::error_code: return same<ErrorCode>(a, b);
    case Kind::uuid: return same<Uuid>(a, b);
    case Kind::string: return same<std::string_view>(a, b);
    case Kind::bytes:
      return std::ranges::equal(*static_cast<const ByteView*>(a), *static_cast<const ByteView*>(b));
    case Kind::records:
      return same_records(*static_cast<const Records*>(a), *static_cast<const Records*>(b));
    case Kind::structure: return equal(*type.shape, a, b);
  }
  return false;
}

}  // namespace

bool equal(const Type& type, const void* a, const void* b) {
  if (type.optional != nullptr) {
    a = type.optional->value(a);
    b = type.optional->value(b);
    if (a == nullptr || b == nullptr) return a == b;
  }
  if (type.array == nullptr) return same_value(type, a, b);
  const std::size_t count = type.array->count(a);
  if (count != type.array->count(b)) return false;
  const Type element{type.kind, type.shape};
  auto x = static_cast<const std::byte*>(type.array->first(a));
  auto y = static_cast<const std::byte*>(type.array->first(b));
  for (std::size_t i = 0; i < count; ++i) {
    if (!same_value(element, x, y)) return false;
    x += type.array->element_size;
    y += type.array->element_size;
  }
  return true;
}

bool equal(const Shape& shape, const void* a, const void* b) {
  return std::ranges::all_of(shape.fields, [&](const Field& field) {
    return equal(field.type, field.of(a), field.of(b));
  });
}

}  // namespace adbrook::protocol
