// Batches that are written anew: in another codec, or with fewer records.
#include "record/batch_rewrite.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/hash.h"
#include "base/varint.h"
#include "record/batch_layout.h"

namespace adbrook::record {
namespace {

constexpr std::int16_t kCodecBits = 7;
constexpr std::int16_t kDeleteHorizon = 64;

Result<Buffer> plain_records(ByteView batch, const BatchHeader& header, Bytes decompressed_max) {
  if (batch.size() < header.size()) return fail(ErrorKind::corrupt, "record batch: it ends early");
  const ByteView records = batch.first(header.size()).subspan(kBatchHeaderSize);
  if (header.compression() == Compression::none) return Buffer(records.begin(), records.end());
  return decompress(header.compression(), records, decompressed_max);
}

// Behind the header in `batch`, which is then made to fit them.
Result<void> add_records(Buffer& batch, ByteView records, Compression compression) {
  if (compression == Compression::none) {
    append(batch, records);
  } else {
    const auto packed = compress(compression, records);
    if (!packed) return pass(packed.error());
    append(batch, *packed);
  }
  const auto attributes = load_be<std::int16_t>(batch.data() + kAttributesAt);
  store_be(batch.data() + kLengthAt, static_cast<std::int32_t>(batch.size() - kLeaderEpochAt));
  store_be(batch.data() + kAttributesAt,
           static_cast<std::int16_t>((attributes & ~kCodecBits) |
                                     static_cast<std::int16_t>(compression)));
  store_be(batch.data() + kCrcAt, crc32c(ByteView(batch).subspan(kAttributesAt)));
  return {};
}

std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// Walks encoded records and writes those that stay, their times counted from another base.
class RecordSieve {
 public:
  RecordSieve(ByteView records, std::int64_t base_time, std::int64_t new_base_time)
      : rest_(records), base_time_(base_time), new_base_time_(new_base_time) {}

  Result<void> next(bool keep) {
    const std::byte* const rest_end = rest_.data() + rest_.size();
    std::int64_t size = 0;
    const std::byte* at = read_varint(rest_.data(), rest_end, size);
    if (at == nullptr || size < 1 || size > rest_end - at)
      return fail(ErrorKind::corrupt, "record batch: a record's size cannot be");
    const std::byte* const end = at + size;
    const std::byte attributes = *at++;
    std::int64_t delta = 0;
    at = read_varint(at, end, delta);
    if (at == nullptr) return fail(ErrorKind::corrupt, "record batch: a record has no time");
    rest_ = ByteView(end, rest_end);
    if (keep) take(attributes, wrapping_sum(base_time_, delta), ByteView(at, end));
    return {};
  }

  Buffer kept;
  std::int32_t count = 0;
  std::int64_t max_time = std::numeric_limits<std::int64_t>::lowest();

 private:
  void take(std::byte attributes, std::int64_t time, ByteView behind_time) {
    const auto delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(time) -
                                                 static_cast<std::uint64_t>(new_base_time_));
    std::byte front[2 * kVarintSizeMax + 1];
    const auto size = 1 + varint_size(delta) + behind_time.size();
    std::byte* to = write_varint(front, static_cast<std::int64_t>(size));
    *to++ = attributes;
    to = write_varint(to, delta);
    append(kept, ByteView(front, to));
    append(kept, behind_time);
    max_time = std::max(max_time, time);
    ++count;
  }

  ByteView rest_;
  const std::int64_t base_time_;
  const std::int64_t new_base_time_;
};

}  // namespace

Result<Buffer> recompress(ByteView batch, Compression compression, Bytes decompressed_max) {
  const auto header = read_header(batch);
  if (!header) return pass(header.error());
  const auto plain = plain_records(batch, *header, decompressed_max);
  if (!plain) return pass(plain.error());
  Buffer again(batch.begin(), batch.begin() + kBatchHeaderSize);
  if (auto done = add_records(again, *plain, compression); !done) return pass(done.error());
  return again;
}

std::optional<Timestamp> delete_horizon(const BatchHeader& header) {
  if ((header.attributes & kDeleteHorizon) == 0) return std::nullopt;
  return header.base_timestamp;
}

Result<Buffer> keep_records(ByteView batch, const std::vector<bool>& keep,
                            std::optional<Timestamp> horizon, Bytes decompressed_max) {
  const auto header = read_header(batch);
  if (!header) return pass(header.error());
  const auto plain = plain_records(batch, *header, decompressed_max);
  if (!plain) return pass(plain.error());
  const std::int64_t base_time = header->base_timestamp.ms;
  const std::int64_t new_base_time = horizon ? horizon->ms : base_time;
  RecordSieve sieve(*plain, base_time, new_base_time);
  for (const bool stays : keep)
    if (auto done = sieve.next(stays); !done) return pass(done.error());

  Buffer again(batch.begin(), batch.begin() + kBatchHeaderSize);
  store_be(again.data() + kRecordCountAt, sieve.count);
  store_be(again.data() + kBaseTimestampAt, new_base_time);
  // Times that the log set are all the same one, which stands here.
  if (!header->log_append_time()) store_be(again.data() + kMaxTimestampAt, sieve.max_time);
  if (horizon)
    store_be(again.data() + kAttributesAt,
             static_cast<std::int16_t>(header->attributes | kDeleteHorizon));
  if (auto done = add_records(again, sieve.kept, header->compression()); !done)
    return pass(done.error());
  return again;
}

}  // namespace adbrook::record
