// How a message is described: a plain struct plus one list of its fields, each with the versions
// that have it. Reading, writing, sizing, comparing and printing all walk that one list, and it is
// data, so that a test can hold it against the official schema.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/ids.h"
#include "protocol/api.h"
#include "protocol/error_code.h"
#include "protocol/member_name.h"
#include "protocol/records.h"

namespace adbrook::protocol {

struct Shape;

enum class Kind : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  error_code,  // an int16 on the wire
  uuid,
  string,
  bytes,
  records,
  structure,
};

// Ways into a std::vector and a std::optional for code that does not know their element.
struct ArrayAccess {
  std::size_t element_size;
  std::size_t (*count)(const void* array);
  const void* (*first)(const void* array);
  void (*reserve)(void* array, std::size_t count);
  void* (*add)(void* array);  // a default element at the end
};
struct OptionalAccess {
  const void* (*value)(const void* optional);  // null when there is none
  void* (*fill)(void* optional);               // makes a default value
  void (*clear)(void* optional);
};

// The C++ type of a member. Both wrappers together are an optional of a vector.
struct Type {
  Kind kind = Kind::int8;
  const Shape* shape = nullptr;  // of a structure
  const ArrayAccess* array = nullptr;
  const OptionalAccess* optional = nullptr;
};

// Where a field is on the wire. Versions are inclusive.
struct Place {
  std::int16_t since = 0;
  std::int16_t until = kNever;
  std::int16_t nullable = 0;  // first version in which an optional member may be null
  std::int16_t tag = -1;      // not negative: it stands in the tagged section

  constexpr bool is_in(std::int16_t version) const { return version >= since && version <= until; }
  constexpr bool tagged() const { return tag >= 0; }
};

struct Field {
  std::string_view name;
  Type type;
  Place place;
  void* (*member)(void* object);

  void* of(void* object) const { return member(object); }
  const void* of(const void* object) const { return member(const_cast<void*>(object)); }
};

// One struct: its fields in the order of the wire, tagged ones by ascending tag among themselves.
struct Shape {
  std::span<const Field> fields;
  bool has_tagged = false;
  const void* (*defaults)();  // an object as its constructor leaves it, for the whole run
};

template <class T>
concept Described = requires { T::fields(); };

template <class T>
inline constexpr ArrayAccess kArrayAccess{
    .element_size = sizeof(T),
    .count = [](const void* a) { return static_cast<const std::vector<T>*>(a)->size(); },
    .first = [](const void* a) -> const void* {
      return static_cast<const std::vector<T>*>(a)->data();
    },
    .reserve = [](void* a, std::size_t n) { static_cast<std::vector<T>*>(a)->reserve(n); },
    .add = [](void* a) -> void* { return &static_cast<std::vector<T>*>(a)->emplace_back(); },
};

template <class T>
inline constexpr OptionalAccess kOptionalAccess{
    .value = [](const void* o) -> const void* {
      const auto& optional = *static_cast<const std::optional<T>*>(o);
      return optional ? &*optional : nullptr;
    },
    .fill = [](void* o) -> void* { return &static_cast<std::optional<T>*>(o)->emplace(); },
    .clear = [](void* o) { static_cast<std::optional<T>*>(o)->reset(); },
};

template <class T>
inline constexpr auto kFieldsOf = T::fields();

template <class T>
inline constexpr Shape kShapeOf{
    .fields = kFieldsOf<T>,
    .has_tagged =
        [] {
          for (const Field& field : kFieldsOf<T>)
            if (field.place.tagged()) return true;
          return false;
        }(),
    .defaults = []() -> const void* {
      static const T object{};
      return &object;
    },
};

// Each overload is one C++ type that a member may have; the argument only chooses.
constexpr Type type_of(const bool*) { return {Kind::boolean}; }
constexpr Type type_of(const std::int8_t*) { return {Kind::int8}; }
constexpr Type type_of(const std::int16_t*) { return {Kind::int16}; }
constexpr Type type_of(const std::int32_t*) { return {Kind::int32}; }
constexpr Type type_of(const std::int64_t*) { return {Kind::int64}; }
constexpr Type type_of(const ErrorCode*) { return {Kind::error_code}; }
constexpr Type type_of(const Uuid*) { return {Kind::uuid}; }
constexpr Type type_of(const std::string_view*) { return {Kind::string}; }
constexpr Type type_of(const ByteView*) { return {Kind::bytes}; }
constexpr Type type_of(const Records*) { return {Kind::records}; }
template <Described T>
constexpr Type type_of(const T*) {
  return {Kind::structure, &kShapeOf<T>};
}
template <class T>
constexpr Type type_of(const std::vector<T>*) {
  Type type = type_of(static_cast<const T*>(nullptr));
  type.array = &kArrayAccess<T>;
  return type;
}
template <class T>
constexpr Type type_of(const std::optional<T>*) {
  Type type = type_of(static_cast<const T*>(nullptr));
  type.optional = &kOptionalAccess<T>;
  return type;
}

template <class M>
struct MemberPointer;
template <class S, class T>
struct MemberPointer<T S::*> {
  using Object = S;
  using Value = T;
};

// field<&Topic::topic_id>({.since = 13}): the member's name is the field's name.
template <auto Member>
constexpr Field field(Place place = {}) {
  using Pointer = MemberPointer<decltype(Member)>;
  return {constant_name<Member>(), type_of(static_cast<const typename Pointer::Value*>(nullptr)),
          place, [](void* object) -> void* {
            return &(static_cast<typename Pointer::Object*>(object)->*Member);
          }};
}

}  // namespace adbrook::protocol
