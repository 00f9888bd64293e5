// Messages to bytes and back, by the field list of their structs. One walker serves all messages;
// the templates here only name the struct, so a message costs its field list and nothing more.
#pragma once

#include <string>

#include "base/result.h"
#include "protocol/field.h"
#include "protocol/frame.h"

namespace adbrook::protocol {

// A struct with fields() that is a whole request or response and knows its API.
template <class M>
concept Message = Described<M> && requires {
  { M::kApi } -> std::convertible_to<const Api&>;
};

// What the arrays of one message may take in memory, so that a frame of tiny elements cannot cost
// many times its size.
inline constexpr std::size_t kDecodedArraysMax = std::size_t{64} << 20;

// What bytes behind the end of a message mean. Brokers ignore them in requests, as Apache Kafka
// does: librdkafka before 2.1 ends ListGroups 4 and some OffsetFetch requests with a byte too many.
enum class BytesBehind : std::uint8_t { refused, ignored };

// The same for a struct that is known by its shape only. `into` is a default object; after an error
// it holds what was read so far.
Result<void> decode(const Shape& shape, Style style, ByteView body, void* into,
                    BytesBehind behind = BytesBehind::refused);
void encode(Frame& to, const Shape& shape, Style style, const void* object);
std::size_t encoded_size(const Shape& shape, Style style, const void* object);
bool equal(const Shape& shape, const void* a, const void* b);
bool equal(const Type& type, const void* a, const void* b);
std::string to_text(const Shape& shape, Style style, const void* object);

// The error for a version outside of the API's range.
std::unexpected<Error> unspoken(const Api& api, std::int16_t version);

// Reads all of `body`, the bytes behind the header; bytes left over are an error (`invalid`) unless
// they are to be ignored, a version that the API does not speak is one too (`unsupported`).
// Strings, bytes and records of the message are views into `body`. Fields that the version does not
// have keep their defaults.
template <Message M>
Result<M> decode(ByteView body, std::int16_t version, BytesBehind behind = BytesBehind::refused) {
  if (!M::kApi.speaks(version)) return unspoken(M::kApi, version);
  M message;
  const auto read = decode(kShapeOf<M>, style_of(M::kApi, version), body, &message, behind);
  if (!read) return pass(read.error(), M::kApi.name);
  return message;
}

// Appends to `to`. Records are borrowed, see Frame. Fields that the version does not have are left
// out, and a null that the version does not know is written as empty. Strings are cut to 32,767
// bytes, which is all that the protocol carries.
template <Message M>
void encode(Frame& to, const M& message, std::int16_t version) {
  encode(to, kShapeOf<M>, style_of(M::kApi, version), &message);
}

template <Message M>
std::size_t encoded_size(const M& message, std::int16_t version) {
  return encoded_size(kShapeOf<M>, style_of(M::kApi, version), &message);
}

// All fields, whatever their versions; bytes by content.
template <Described S>
bool equal(const S& a, const S& b) {
  return equal(kShapeOf<S>, &a, &b);
}

// For logs: the fields of that version, JSON in form, long strings cut, bytes as their size.
template <Message M>
std::string to_text(const M& message, std::int16_t version) {
  return to_text(kShapeOf<M>, style_of(M::kApi, version), &message);
}

}  // namespace adbrook::protocol
