#include "protocol/errors_in.h"

namespace adbrook::protocol {
namespace {

void collect(const Shape& shape, const void* object, std::vector<ErrorCode>& found);

void collect_value(const Type& type, const void* value, std::vector<ErrorCode>& found) {
  if (type.kind == Kind::structure) return collect(*type.shape, value, found);
  const ErrorCode code = *static_cast<const ErrorCode*>(value);
  if (code != ErrorCode::none) found.push_back(code);
}

void collect(const Shape& shape, const void* object, std::vector<ErrorCode>& found) {
  for (const Field& field : shape.fields) {
    const Type& type = field.type;
    if (type.kind != Kind::structure && type.kind != Kind::error_code) continue;
    const void* member = field.of(object);
    if (type.optional != nullptr) member = type.optional->value(member);
    if (member == nullptr) continue;
    if (type.array == nullptr) {
      collect_value(type, member, found);
      continue;
    }
    auto at = static_cast<const std::byte*>(type.array->first(member));
    for (std::size_t left = type.array->count(member); left > 0; --left) {
      collect_value({type.kind, type.shape}, at, found);
      at += type.array->element_size;
    }
  }
}

}  // namespace

std::vector<ErrorCode> errors_in(const Shape& shape, const void* object) {
  std::vector<ErrorCode> found;
  collect(shape, object, found);
  return found;
}

}  // namespace adbrook::protocol
