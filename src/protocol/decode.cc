#include <algorithm>

#include "protocol/codec.h"
#include "protocol/wire_reader.h"

namespace adbrook::protocol {
namespace {

constexpr std::size_t kReservedMax = 256;
constexpr std::int64_t kStringSizeMax = 32767;
constexpr std::int64_t kNull = -1;

// Walks one message. Structs nest as deep as their C++ types do and no deeper, so the bytes cannot
// choose the depth.
class Decoder {
 public:
  Decoder(ByteView bytes, Style style) : in_(bytes), style_(style) {}

  void read_struct(const Shape& shape, void* object) {
    for (const Field& field : shape.fields) {
      if (field.place.tagged() || !field.place.is_in(style_.version)) continue;
      read_field(field, object);
      if (in_.failed()) return;
    }
    if (style_.flexible) read_tags(shape, object);
  }

  Result<void> finish(BytesBehind behind) {
    if (!in_.failed() && in_.left() != 0 && behind == BytesBehind::refused)
      in_.fail("there are bytes behind the end");
    if (!in_.failed()) return {};
    std::string message = "version " + std::to_string(style_.version);
    if (failing_ != nullptr) message += ", field " + std::string(failing_->name);
    message += ", byte " + std::to_string(in_.failed_at()) + ": " + in_.why();
    return fail(ErrorKind::invalid,
                message + "; the sender is broken or does not speak this version");
  }

 private:
  void read_field(const Field& field, void* object) {
    void* const member = field.of(object);
    const bool may_be_null =
        field.type.optional != nullptr && style_.version >= field.place.nullable;
    if (field.type.array != nullptr) {
      read_array(field.type, may_be_null, member);
    } else {
      read_value(field.type, may_be_null, member);
    }
    if (in_.failed() && failing_ == nullptr) failing_ = &field;
  }

  // A length of -1 is null. Anything lower, or a null where none may be, is a mistake.
  template <std::integral Fixed>
  std::int64_t length(bool may_be_null) {
    const std::int64_t length =
        style_.flexible ? std::int64_t{in_.uvarint()} - 1 : std::int64_t{in_.integer<Fixed>()};
    if (length < kNull) in_.fail("a length is negative");
    if (length == kNull && !may_be_null) in_.fail("null where a value must be");
    return in_.failed() ? kNull : length;
  }

  void read_array(const Type& type, bool may_be_null, void* member) {
    const std::int64_t count = length<std::int32_t>(may_be_null);
    if (count == kNull) {
      if (type.optional != nullptr) type.optional->clear(member);
      return;
    }
    // Every element takes a byte or more.
    if (static_cast<std::size_t>(count) > in_.left()) {
      in_.fail("an array counts more elements than bytes are left");
      return;
    }
    if (type.optional != nullptr) member = type.optional->fill(member);
    const ArrayAccess& array = *type.array;
    arrays_size_ += static_cast<std::size_t>(count) * array.element_size;
    if (arrays_size_ > kDecodedArraysMax) {
      in_.fail("the arrays have more elements than are accepted");
      return;
    }
    array.reserve(member, std::min(static_cast<std::size_t>(count), kReservedMax));
    const Type element{type.kind, type.shape};
    for (std::int64_t i = 0; i < count && !in_.failed(); ++i)
      read_value(element, false, array.add(member));
  }

  void read_value(const Type& type, bool may_be_null, void* to) {
    switch (type.kind) {
      case Kind::boolean: *static_cast<bool*>(to) = in_.integer<std::int8_t>() != 0; return;
      case Kind::int8: *static_cast<std::int8_t*>(to) = in_.integer<std::int8_t>(); return;
      case Kind::int16: *static_cast<std::int16_t*>(to) = in_.integer<std::int16_t>(); return;
      case Kind::int32: *static_cast<std::int32_t*>(to) = in_.integer<std::int32_t>(); return;
      case Kind::int64: *static_cast<std::int64_t*>(to) = in_.integer<std::int64_t>(); return;
      case Kind::error_code:
        *static_cast<ErrorCode*>(to) = static_cast<ErrorCode>(in_.integer<std::int16_t>());
        return;
      case Kind::uuid:
        static_cast<Uuid*>(to)->high = in_.integer<std::uint64_t>();
        static_cast<Uuid*>(to)->low = in_.integer<std::uint64_t>();
        return;
      case Kind::string: read_string(type, may_be_null, to); return;
      case Kind::bytes: *static_cast<ByteView*>(to) = in_.take(sized_length(false)); return;
      case Kind::records: read_records(*static_cast<Records*>(to)); return;
      case Kind::structure: read_structure(type, may_be_null, to); return;
    }
  }

  void read_string(const Type& type, bool may_be_null, void* to) {
    const std::int64_t size = length<std::int16_t>(may_be_null);
    if (size > kStringSizeMax) in_.fail("a string is longer than 32767 bytes");
    if (size == kNull || in_.failed()) {
      if (type.optional != nullptr) type.optional->clear(to);
      return;
    }
    if (type.optional != nullptr) to = type.optional->fill(to);
    *static_cast<std::string_view*>(to) = as_text(in_.take(static_cast<std::size_t>(size)));
  }

  std::size_t sized_length(bool may_be_null) {
    return static_cast<std::size_t>(std::max<std::int64_t>(length<std::int32_t>(may_be_null), 0));
  }

  void read_records(Records& to) {
    const std::int64_t size = length<std::int32_t>(true);
    to.is_null = size == kNull;
    if (size > 0) to.pieces.push_back(in_.take(static_cast<std::size_t>(size)));
  }

  void read_structure(const Type& type, bool may_be_null, void* to) {
    if (type.optional != nullptr) {
      // One byte before a struct that may be null says whether it is there.
      if (in_.integer<std::int8_t>() < 0) {
        if (!may_be_null) in_.fail("null where a value must be");
        type.optional->clear(to);
        return;
      }
      to = type.optional->fill(to);
    }
    read_struct(*type.shape, to);
  }

  void read_tags(const Shape& shape, void* object) {
    std::int64_t last_tag = -1;
    for (std::uint32_t count = in_.uvarint(); count > 0 && !in_.failed(); --count) {
      const std::int64_t tag = in_.uvarint();
      if (tag <= last_tag) in_.fail("tags do not ascend");
      last_tag = tag;
      const std::size_t size = in_.uvarint();
      if (size > in_.left()) in_.fail("a tagged field is longer than the message");
      if (in_.failed()) return;
      const std::size_t left_behind = in_.left() - size;
      const Field* field = tagged(shape, tag);
      if (field == nullptr) {
        in_.take(size);
        continue;
      }
      read_field(*field, object);
      if (!in_.failed() && in_.left() != left_behind)
        in_.fail("a tagged field has not the size it says");
    }
  }

  const Field* tagged(const Shape& shape, std::int64_t tag) const {
    if (!shape.has_tagged) return nullptr;
    for (const Field& field : shape.fields)
      if (field.place.tag == tag && field.place.is_in(style_.version)) return &field;
    return nullptr;
  }

  WireReader in_;
  Style style_;
  std::size_t arrays_size_ = 0;
  const Field* failing_ = nullptr;  // the innermost one
};

}  // namespace

std::unexpected<Error> unspoken(const Api& api, std::int16_t version) {
  return fail(ErrorKind::unsupported,
              std::string(api.name) + " version " + std::to_string(version) +
                  " is not spoken here, only " + std::to_string(api.first) + " to " +
                  std::to_string(api.last) + "; ApiVersions tells a client which to use");
}

Result<void> decode(const Shape& shape, Style style, ByteView body, void* into,
                    BytesBehind behind) {
  Decoder decoder(body, style);
  decoder.read_struct(shape, into);
  return decoder.finish(behind);
}

}  // namespace adbrook::protocol
