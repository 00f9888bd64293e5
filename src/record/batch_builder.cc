#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"
#include "base/varint.h"
#include "record/batch.h"
#include "record/batch_layout.h"

namespace adbrook::record {
namespace {

// Sizes first, bytes after: a record begins with its own size.
std::size_t nullable_size(const std::optional<ByteView>& field) {
  return field ? varint_size(static_cast<std::int64_t>(field->size())) + field->size() : 1;
}

std::byte* write_nullable(std::byte* to, const std::optional<ByteView>& field) {
  if (!field) return write_varint(to, -1);
  to = write_varint(to, static_cast<std::int64_t>(field->size()));
  return std::copy(field->begin(), field->end(), to);
}

std::size_t headers_size(std::span<const Header> headers) {
  std::size_t size = varint_size(static_cast<std::int64_t>(headers.size()));
  for (const Header& header : headers)
    size += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
  return size;
}

}  // namespace

void BatchBuilder::grow(std::size_t size) {
  ADBROOK_ASSERT(size <= kSizeMax, "the caller keeps a batch below kSizeMax");
  // Doubling, and a start as large as the last batch: few copies, little room unused.
  bytes_.resize(std::max({size, 2 * bytes_.size(), last_size_ + last_size_ / 8}));
}

// Writes the record up to and with its key. Returns the place behind it, where exactly
// `size_after_key` bytes must follow.
std::byte* BatchBuilder::begin_record(Timestamp timestamp, std::optional<ByteView> key,
                                      std::size_t size_after_key) {
  if (count_ == 0) {
    used_ = kBatchHeaderSize;
    base_timestamp_ = max_timestamp_ = timestamp;
  }
  const auto delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp.ms) -
                                               static_cast<std::uint64_t>(base_timestamp_.ms));
  const std::size_t size =
      1 + varint_size(delta) + varint_size(count_) + nullable_size(key) + size_after_key;
  const std::size_t end = used_ + varint_size(static_cast<std::int64_t>(size)) + size;
  if (end > bytes_.size()) grow(end);

  std::byte* to = write_varint(bytes_.data() + used_, static_cast<std::int64_t>(size));
  *to++ = std::byte{0};  // attributes
  to = write_varint(to, delta);
  to = write_varint(to, count_);
  to = write_nullable(to, key);
  used_ = end;
  ++count_;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  return to;
}

void BatchBuilder::add(Timestamp timestamp, std::optional<ByteView> key,
                       std::optional<ByteView> value, std::span<const Header> headers) {
  std::byte* to = begin_record(timestamp, key, nullable_size(value) + headers_size(headers));
  to = write_nullable(to, value);
  to = write_varint(to, static_cast<std::int64_t>(headers.size()));
  for (const Header& header : headers) {
    to = write_nullable(to, as_bytes(header.key));
    to = write_nullable(to, header.value);
  }
}

std::span<std::byte> BatchBuilder::add_in_place(Timestamp timestamp, std::optional<ByteView> key,
                                                std::size_t value_size) {
  const auto size = static_cast<std::int64_t>(value_size);
  std::byte* to = begin_record(timestamp, key, varint_size(size) + value_size + 1);
  to = write_varint(to, size);
  to[value_size] = std::byte{0};  // no headers
  return {to, value_size};
}

Buffer BatchBuilder::finish() {
  ADBROOK_ASSERT(count_ > 0, "a batch holds at least one record");
  bytes_.resize(used_);
  last_size_ = used_;
  Buffer batch = std::exchange(bytes_, {});
  // Without compression the records stay where they are; only the header is still to write.
  if (compression_ != Compression::none) {
    auto records = compress(compression_, ByteView(batch).subspan(kBatchHeaderSize));
    ADBROOK_ASSERT(records, "a batch below kSizeMax can be compressed");
    batch.resize(kBatchHeaderSize);
    append(batch, *records);
  }
  write_header(batch);
  count_ = 0;
  used_ = 0;
  return batch;
}

void BatchBuilder::write_header(Buffer& batch) const {
  std::byte* at = batch.data();
  const auto put = [&at](auto value) {
    store_be(at, value);
    at += sizeof value;
  };
  put(std::int64_t{0});  // base offset
  put(static_cast<std::int32_t>(batch.size() - 12));
  put(std::int32_t{-1});  // leader epoch: the log sets it
  *at++ = std::byte{2};   // magic
  std::byte* const crc_at = at;
  put(std::uint32_t{0});
  put(static_cast<std::int16_t>(compression_));
  put(count_ - 1);  // last offset delta
  put(base_timestamp_.ms);
  put(max_timestamp_.ms);
  // Batches of the engine itself have no producer; atomic appends make them exactly-once.
  put(std::int64_t{-1});  // producer id
  put(std::int16_t{-1});  // producer epoch
  put(std::int32_t{-1});  // base sequence
  put(count_);
  store_be(crc_at, crc32c(ByteView(batch).subspan(kAttributesAt)));
}

}  // namespace adbrook::record
