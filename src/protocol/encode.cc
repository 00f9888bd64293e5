#include <algorithm>

#include "protocol/codec.h"

namespace adbrook::protocol {
namespace {

constexpr std::size_t kWrittenSizeMax = 32767;

// Where an encoder's bytes go: into a frame ...
class FrameSink {
 public:
  explicit FrameSink(Frame& frame) : frame_(frame) {}

  template <class T>
  void integer(T value) {
    Buffer& own = frame_.own();
    const std::size_t position = own.size();
    own.resize(position + sizeof value);
    store_be(own.data() + position, value);
  }
  void uvarint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) frame_.own().push_back(static_cast<std::byte>(value | 0x80));
    frame_.own().push_back(static_cast<std::byte>(value));
  }
  void bytes(ByteView bytes) { append(frame_.own(), bytes); }
  void borrowed(ByteView bytes) { frame_.add_borrowed(bytes); }
  void gap(std::size_t size) { frame_.add_gap(size); }

 private:
  Frame& frame_;
};

// ... or nowhere, and only their number is kept.
class SizeSink {
 public:
  template <class T>
  void integer(T) {
    size_ += sizeof(T);
  }
  void uvarint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) ++size_;
    ++size_;
  }
  void bytes(ByteView bytes) { size_ += bytes.size(); }
  void borrowed(ByteView bytes) { size_ += bytes.size(); }
  void gap(std::size_t size) { size_ += size; }

  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

template <class Sink>
class Encoder {
 public:
  Encoder(Sink& out, Style style) : out_(out), style_(style) {}

  void write_struct(const Shape& shape, const void* object) {
    for (const Field& field : shape.fields)
      if (!field.place.tagged() && field.place.is_in(style_.version)) write_field(field, object);
    if (!style_.flexible) return;
    if (shape.has_tagged) {
      write_tags(shape, object);
    } else {
      out_.uvarint(0);
    }
  }

 private:
  void write_field(const Field& field, const void* object) {
    const void* member = field.of(object);
    const Type& type = field.type;
    if (type.optional != nullptr) {
      const void* const value = type.optional->value(member);
      const bool may_be_null = style_.version >= field.place.nullable;
      if (value == nullptr) return write_null(type, may_be_null);
      if (type.kind == Kind::structure && type.array == nullptr)
        out_.template integer<std::int8_t>(1);
      member = value;
    }
    if (type.array == nullptr) return write_value(type, member);
    const std::size_t count = type.array->count(member);
    length<std::int32_t>(count);
    const Type element{type.kind, type.shape};
    auto at = static_cast<const std::byte*>(type.array->first(member));
    for (std::size_t i = 0; i < count; ++i, at += type.array->element_size)
      write_value(element, at);
  }

  // A version without null gets the nearest it has: nothing in it.
  void write_null(const Type& type, bool may_be_null) {
    if (type.kind == Kind::structure && type.array == nullptr) {
      out_.template integer<std::int8_t>(-1);
    } else if (style_.flexible) {
      out_.uvarint(may_be_null ? 0 : 1);
    } else if (type.array != nullptr) {
      out_.template integer<std::int32_t>(may_be_null ? -1 : 0);
    } else {
      out_.template integer<std::int16_t>(may_be_null ? -1 : 0);
    }
  }

  template <std::integral Fixed>
  void length(std::size_t length) {
    if (style_.flexible) {
      out_.uvarint(static_cast<std::uint32_t>(length) + 1);
    } else {
      out_.integer(static_cast<Fixed>(length));
    }
  }

  void write_value(const Type& type, const void* value) {
    switch (type.kind) {
      case Kind::boolean: out_.template integer<std::int8_t>(as<bool>(value)); return;
      case Kind::int8: out_.integer(as<std::int8_t>(value)); return;
      case Kind::int16: out_.integer(as<std::int16_t>(value)); return;
      case Kind::int32: out_.integer(as<std::int32_t>(value)); return;
      case Kind::int64: out_.integer(as<std::int64_t>(value)); return;
      case Kind::error_code: out_.integer(static_cast<std::int16_t>(as<ErrorCode>(value))); return;
      case Kind::uuid:
        out_.integer(as<Uuid>(value).high);
        out_.integer(as<Uuid>(value).low);
        return;
      case Kind::string: write_string(as<std::string_view>(value)); return;
      case Kind::bytes:
        length<std::int32_t>(as<ByteView>(value).size());
        out_.bytes(as<ByteView>(value));
        return;
      case Kind::records: write_records(as<Records>(value)); return;
      case Kind::structure: write_struct(*type.shape, value); return;
    }
  }

  void write_string(std::string_view text) {
    text = text.substr(0, kWrittenSizeMax);
    length<std::int16_t>(text.size());
    out_.bytes(as_bytes(text));
  }

  void write_records(const Records& records) {
    if (records.is_null) {
      if (style_.flexible) return out_.uvarint(0);
      return out_.template integer<std::int32_t>(-1);
    }
    length<std::int32_t>(records.size());
    for (const ByteView piece : records.pieces) out_.borrowed(piece);
    if (records.gap > 0) out_.gap(records.gap);
  }

  bool is_written(const Field& field, const Shape& shape, const void* object) const {
    return field.place.tagged() && field.place.is_in(style_.version) &&
           !equal(field.type, field.of(object), field.of(shape.defaults()));
  }

  // Only what differs from the default is sent; the list is by ascending tag already.
  void write_tags(const Shape& shape, const void* object) {
    std::uint32_t count = 0;
    for (const Field& field : shape.fields) count += is_written(field, shape, object) ? 1 : 0;
    out_.uvarint(count);
    if (count == 0) return;
    for (const Field& field : shape.fields) {
      if (!is_written(field, shape, object)) continue;
      SizeSink sink;
      Encoder<SizeSink>(sink, style_).write_field(field, object);
      out_.uvarint(static_cast<std::uint32_t>(field.place.tag));
      out_.uvarint(static_cast<std::uint32_t>(sink.size()));
      write_field(field, object);
    }
  }

  template <class Other>
  friend class Encoder;

  Sink& out_;
  Style style_;
};

}  // namespace

void encode(Frame& to, const Shape& shape, Style style, const void* object) {
  FrameSink sink(to);
  Encoder<FrameSink>(sink, style).write_struct(shape, object);
}

std::size_t encoded_size(const Shape& shape, Style style, const void* object) {
  SizeSink sink;
  Encoder<SizeSink>(sink, style).write_struct(shape, object);
  return sink.size();
}

}  // namespace adbrook::protocol
