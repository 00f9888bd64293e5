// Fills any message with random contents that its version can carry: what is written and read back
// must then be equal, field by field.
#pragma once

#include <deque>
#include <string>

#include "protocol/field.h"

namespace adbrook::protocol {

// Owns the strings and bytes that the messages it filled refer to.
class RandomMessage {
 public:
  explicit RandomMessage(std::uint64_t seed) : state_(seed) {}

  void fill(const Shape& shape, Style style, void* object) {
    for (const Field& field : shape.fields) {
      if (!field.place.is_in(style.version)) continue;
      if (field.place.tagged() && (!style.flexible || below(3) == 0)) continue;
      fill_member(field, style, field.of(object));
    }
  }

  std::uint64_t below(std::uint64_t end) { return next() % end; }

 private:
  // SplitMix64.
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  void fill_member(const Field& field, Style style, void* member) {
    const Type& type = field.type;
    if (type.optional != nullptr) {
      if (style.version >= field.place.nullable && below(4) == 0)
        return type.optional->clear(member);
      member = type.optional->fill(member);
    }
    if (type.array == nullptr) return fill_value(type, style, member);
    const Type element{type.kind, type.shape};
    for (std::uint64_t left = below(4); left > 0; --left)
      fill_value(element, style, type.array->add(member));
  }

  void fill_value(const Type& type, Style style, void* to) {
    switch (type.kind) {
      case Kind::boolean: *static_cast<bool*>(to) = below(2) == 1; return;
      case Kind::int8: *static_cast<std::int8_t*>(to) = static_cast<std::int8_t>(next()); return;
      case Kind::int16: *static_cast<std::int16_t*>(to) = static_cast<std::int16_t>(next()); return;
      case Kind::int32: *static_cast<std::int32_t*>(to) = static_cast<std::int32_t>(next()); return;
      case Kind::int64: *static_cast<std::int64_t*>(to) = static_cast<std::int64_t>(next()); return;
      case Kind::error_code:
        *static_cast<ErrorCode*>(to) = static_cast<ErrorCode>(below(140));
        return;
      case Kind::uuid: *static_cast<Uuid*>(to) = {next(), next()}; return;
      case Kind::string: *static_cast<std::string_view*>(to) = text(); return;
      case Kind::bytes: *static_cast<ByteView*>(to) = as_bytes(text()); return;
      case Kind::records: fill_records(*static_cast<Records*>(to)); return;
      case Kind::structure: fill(*type.shape, style, to); return;
    }
  }

  void fill_records(Records& to) {
    to.is_null = below(4) == 0;
    if (to.is_null) return;
    for (std::uint64_t left = below(3); left > 0; --left)
      to.pieces.push_back(as_bytes(text(below(10) == 0 ? 3000 : 40)));
  }

  // Mostly short; now and then longer than a one-byte varint can say.
  std::string_view text(std::size_t size_max = 12) {
    std::string& text = texts_.emplace_back(below(size_max + (below(20) == 0 ? 300 : 0)), 'a');
    for (char& c : text) c = static_cast<char>(next());
    return text;
  }

  std::uint64_t state_;
  std::deque<std::string> texts_;
};

}  // namespace adbrook::protocol
