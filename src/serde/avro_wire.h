// Avro's binary encoding, field by field, for hand-written codecs of fixed schemas.
// Described in docs/formats/avro.md. Inline: these calls are on the path of every event.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/varint.h"

namespace adbrook::serde {

// Walks encoded bytes with a sticky error: after the first field that does not fit, ok() is false
// and every read returns 0 or nothing, so a codec asks once, at its end. Views point into the
// bytes. Owned by one thread.
class AvroReader {
 public:
  explicit AvroReader(ByteView bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  // All bytes were read, and nothing was wrong.
  bool done() const { return ok_ && at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  // Bytes read so far; after an error, where the field began that did not fit.
  std::size_t position() const {
    return static_cast<std::size_t>((ok_ ? at_ : failed_at_) - begin_);
  }
  // For rules of the codec itself; the first failure counts.
  void fail_here() {
    if (ok_) failed_at_ = at_;
    ok_ = false;
    at_ = end_;
  }

  std::int64_t read_long() {
    std::int64_t value = 0;
    const std::byte* next = read_varint(at_, end_, value);
    if (next == nullptr) [[unlikely]] {
      fail_here();
      return 0;
    }
    at_ = next;
    return value;
  }
  std::int32_t read_int() {
    const std::byte* const before = at_;
    const std::int64_t value = read_long();
    if (value == static_cast<std::int32_t>(value)) [[likely]]
      return static_cast<std::int32_t>(value);
    at_ = before;
    fail_here();
    return 0;
  }
  bool read_boolean() {
    if (at_ == end_ || static_cast<std::uint8_t>(*at_) > 1) [[unlikely]] {
      fail_here();
      return false;
    }
    return *at_++ == std::byte{1};
  }
  float read_float() { return std::bit_cast<float>(read_word<std::uint32_t>()); }
  double read_double() { return std::bit_cast<double>(read_word<std::uint64_t>()); }
  ByteView read_fixed(std::size_t size) {
    if (size > left()) [[unlikely]] {
      fail_here();
      return {};
    }
    const ByteView view(at_, size);
    at_ += size;
    return view;
  }
  ByteView read_bytes() {
    const std::byte* const before = at_;
    const std::int64_t size = read_long();
    if (size < 0 || size > end_ - at_) [[unlikely]] {
      if (ok_) at_ = before;
      fail_here();
      return {};
    }
    const ByteView view(at_, static_cast<std::size_t>(size));
    at_ += size;
    return view;
  }
  // Not checked for UTF-8.
  std::string_view read_string_view() { return as_text(read_bytes()); }

  // The branch of a union with `branch_count` branches.
  std::size_t read_union_branch(std::size_t branch_count) {
    const std::byte* const before = at_;
    const auto branch = static_cast<std::uint64_t>(read_long());
    if (branch < branch_count) [[likely]]
      return static_cast<std::size_t>(branch);
    if (ok_) at_ = before;
    fail_here();
    return 0;
  }
  // A union of null and one more, in this order: whether the other one follows.
  bool read_present() {
    if (at_ != end_ && static_cast<std::uint8_t>(*at_) <= 2 && *at_ != std::byte{1}) [[likely]]
      return *at_++ == std::byte{2};
    return read_union_branch(2) == 1;
  }
  std::optional<std::int64_t> read_optional_long() {
    if (!read_present()) return std::nullopt;
    return read_long();
  }
  std::optional<double> read_optional_double() {
    if (!read_present()) return std::nullopt;
    return read_double();
  }
  std::optional<std::string_view> read_optional_string_view() {
    if (!read_present()) return std::nullopt;
    return read_string_view();
  }

  // How many items of an array or entries of a map follow before the next count; 0 ends it. Items
  // take at least `item_size_min` bytes each, so a count that cannot be is refused before it is
  // used; with 0 the caller must have a limit of its own.
  std::size_t read_block_count(std::size_t item_size_min) {
    const std::byte* const before = at_;
    std::int64_t count = read_long();
    if (count < 0) {
      // A negative count is followed by the block's size, which only those need who skip it.
      const std::int64_t size = read_long();
      count = count == std::numeric_limits<std::int64_t>::min() || size < 0 ? -1 : -count;
    }
    if (count < 0 || (item_size_min > 0 &&
                      static_cast<std::uint64_t>(count) > left() / item_size_min)) [[unlikely]] {
      if (ok_) at_ = before;
      fail_here();
      return 0;
    }
    return static_cast<std::size_t>(count);
  }

 private:
  template <class Word>
  Word read_word() {
    if (left() < sizeof(Word)) [[unlikely]] {
      fail_here();
      return 0;
    }
    const Word word = load_le<Word>(at_);
    at_ += sizeof(Word);
    return word;
  }

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  const std::byte* failed_at_ = nullptr;
  bool ok_ = true;
};

// Sizes of encoded values, for the buffer that AvroWriter fills.
constexpr std::size_t avro_size(std::int64_t value) { return varint_size(value); }
constexpr std::size_t avro_size(std::string_view text) {
  return varint_size(static_cast<std::int64_t>(text.size())) + text.size();
}
constexpr std::size_t avro_size(double) { return sizeof(double); }
// As a union of null and one more.
template <class T>
constexpr std::size_t avro_size(const std::optional<T>& value) {
  return value ? 1 + avro_size(*value) : 1;
}

// Fills a buffer whose size the caller computed before; one byte too many ends the process, because
// the computed size is then wrong. Owned by one thread.
class AvroWriter {
 public:
  explicit AvroWriter(std::span<std::byte> to) : at_(to.data()), end_(to.data() + to.size()) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  void write_long(std::int64_t value) {
    if (left() < kVarintSizeMax) need(varint_size(value));
    at_ = write_varint(at_, value);
  }
  void write_boolean(bool value) {
    need(1);
    *at_++ = static_cast<std::byte>(value ? 1 : 0);
  }
  void write_float(float value) { write_word(std::bit_cast<std::uint32_t>(value)); }
  void write_double(double value) { write_word(std::bit_cast<std::uint64_t>(value)); }
  void write_fixed(ByteView bytes) {
    need(bytes.size());
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void write_bytes(ByteView bytes) {
    write_long(static_cast<std::int64_t>(bytes.size()));
    write_fixed(bytes);
  }
  void write_string(std::string_view text) { write_bytes(as_bytes(text)); }
  void write_union_branch(std::size_t branch) { write_long(static_cast<std::int64_t>(branch)); }
  // Unions of null and one more, in this order.
  void write_optional(const std::optional<std::int64_t>& value) {
    write_union_branch(value ? 1 : 0);
    if (value) write_long(*value);
  }
  void write_optional(const std::optional<double>& value) {
    write_union_branch(value ? 1 : 0);
    if (value) write_double(*value);
  }
  void write_optional(const std::optional<std::string_view>& value) {
    write_union_branch(value ? 1 : 0);
    if (value) write_string(*value);
  }

 private:
  void need(std::size_t size) const {
    ADBROOK_ASSERT(size <= left(), "the size of an encoded value was computed before");
  }
  template <class Word>
  void write_word(Word word) {
    need(sizeof word);
    store_le(at_, word);
    at_ += sizeof word;
  }

  std::byte* at_;
  std::byte* end_;
};

}  // namespace adbrook::serde
