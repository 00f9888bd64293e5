#include "base/text.h"
#include "protocol/codec.h"

namespace adbrook::protocol {
namespace {

constexpr std::size_t kShownElementsMax = 20;

class Printer {
 public:
  explicit Printer(Style style) : style_(style) {}

  void print_struct(const Shape& shape, const void* object) {
    text_ += '{';
    bool first = true;
    for (const Field& field : shape.fields) {
      if (!field.place.is_in(style_.version)) continue;
      if (field.place.tagged() && !style_.flexible) continue;
      if (!first) text_ += ", ";
      first = false;
      text_ += '"' + std::string(field.name) + "\": ";
      print_member(field.type, field.of(object));
    }
    text_ += '}';
  }

  std::string take() { return std::move(text_); }

 private:
  void print_member(const Type& type, const void* member) {
    if (type.optional != nullptr) {
      member = type.optional->value(member);
      if (member == nullptr) {
        text_ += "null";
        return;
      }
    }
    if (type.array == nullptr) return print_value(type, member);
    const std::size_t count = type.array->count(member);
    const Type element{type.kind, type.shape};
    auto at = static_cast<const std::byte*>(type.array->first(member));
    text_ += '[';
    for (std::size_t i = 0; i < count && i < kShownElementsMax; ++i) {
      if (i > 0) text_ += ", ";
      print_value(element, at);
      at += type.array->element_size;
    }
    if (count > kShownElementsMax)
      text_ += ", \"" + std::to_string(count - kShownElementsMax) + " more\"";
    text_ += ']';
  }

  void print_value(const Type& type, const void* value) {
    switch (type.kind) {
      case Kind::boolean: text_ += *static_cast<const bool*>(value) ? "true" : "false"; return;
      case Kind::int8: return number(*static_cast<const std::int8_t*>(value));
      case Kind::int16: return number(*static_cast<const std::int16_t*>(value));
      case Kind::int32: return number(*static_cast<const std::int32_t*>(value));
      case Kind::int64: return number(*static_cast<const std::int64_t*>(value));
      case Kind::error_code: return quoted(to_string(*static_cast<const ErrorCode*>(value)));
      case Kind::uuid: return quoted(static_cast<const Uuid*>(value)->to_string());
      case Kind::string: return quoted(*static_cast<const std::string_view*>(value));
      case Kind::bytes: return size(static_cast<const ByteView*>(value)->size());
      case Kind::records: {
        const auto& records = *static_cast<const Records*>(value);
        if (!records.is_null) return size(records.size());
        text_ += "null";
        return;
      }
      case Kind::structure: print_struct(*type.shape, value); return;
    }
  }

  void number(std::int64_t value) { text_ += std::to_string(value); }
  void quoted(std::string_view text) { text_ += '"' + printable(text) + '"'; }
  void size(std::size_t size) { quoted(std::to_string(size) + " bytes"); }

  Style style_;
  std::string text_;
};

}  // namespace

std::string to_text(const Shape& shape, Style style, const void* object) {
  Printer printer(style);
  printer.print_struct(shape, object);
  return printer.take();
}

}  // namespace adbrook::protocol
