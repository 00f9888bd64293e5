#include "record/batch.h"

#include <limits>
#include <string>

#include "base/hash.h"
#include "base/varint.h"
#include "record/batch_layout.h"

namespace adbrook::record {
namespace {

constexpr std::int16_t kLogAppendTime = 8;  // a bit of the attributes

constexpr std::int32_t kLengthMin = kBatchHeaderSize - kLeaderEpochAt;
constexpr auto kMagic = std::byte{2};

std::unexpected<Error> bad_header(const std::string& why) {
  return fail(ErrorKind::invalid,
              "record batch header: " + why + "; send Kafka record batches of version 2");
}

std::unexpected<Error> refused(const std::string& why) {
  return fail(ErrorKind::invalid, "record batch: " + why + "; the producer must send it anew");
}

// What the header claims must be possible before anything is sized or added up by it.
Result<void> check_counts(const BatchHeader& header) {
  if (header.batch_length < kLengthMin)
    return bad_header("length " + std::to_string(header.batch_length) + " is below 49");
  if (header.record_count < 0 || header.last_offset_delta < 0)
    return bad_header("a record count or last offset delta is negative");
  if (header.record_count - 1 > header.last_offset_delta)
    return bad_header(std::to_string(header.record_count) + " records do not fit offsets 0 to " +
                      std::to_string(header.last_offset_delta));
  // One below the highest offset, so that the offset behind the batch exists too.
  const auto offset_max = std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1;
  if (header.base_offset.value < 0 || header.base_offset.value > offset_max)
    return bad_header("base offset " + std::to_string(header.base_offset.value) + " cannot be");
  const std::size_t records_size = header.size() - kBatchHeaderSize;
  if (header.compression() == Compression::none &&
      static_cast<std::size_t>(header.record_count) > records_size / kRecordSizeMin)
    return bad_header(std::to_string(header.record_count) + " records do not fit " +
                      std::to_string(records_size) + " bytes");
  return {};
}

// Steps over one header; null when it does not parse.
const std::byte* read_one_header(const std::byte* from, const std::byte* end, Header& header) {
  std::int64_t key_size = 0;
  from = read_varint(from, end, key_size);
  if (from == nullptr || key_size < 0 || key_size > end - from) return nullptr;
  header.key = {reinterpret_cast<const char*>(from), static_cast<std::size_t>(key_size)};
  std::int64_t value_size = 0;
  from = read_varint(from + key_size, end, value_size);
  if (from == nullptr || value_size < -1 || value_size > end - from) return nullptr;
  header.value.reset();
  if (value_size < 0) return from;
  header.value = ByteView(from, static_cast<std::size_t>(value_size));
  return from + value_size;
}

// A nullable field of a record: -1, or a size and that many bytes.
const std::byte* read_nullable(const std::byte* from, const std::byte* end,
                               std::optional<ByteView>& field) {
  std::int64_t size = 0;
  from = read_varint(from, end, size);
  if (from == nullptr || size < -1 || size > end - from) return nullptr;
  field.reset();
  if (size < 0) return from;
  field.emplace(from, static_cast<std::size_t>(size));
  return from + size;
}

// Whether the encoded headers are exactly header_count of them.
bool headers_parse(const RecordView& record) {
  const std::byte* at = record.headers.data();
  const std::byte* const end = at + record.headers.size();
  // The count was checked against the bytes when the record was read.
  Header header;
  for (std::int32_t i = 0; i < record.header_count; ++i) {
    at = read_one_header(at, end, header);
    if (at == nullptr) return false;
  }
  return at == end;
}

// The rules for producers that the header alone decides, as Kafka checks them (87 INVALID_RECORD).
Result<void> check_produced_header(const BatchHeader& header, std::size_t given_size) {
  if (given_size != header.size())
    return refused("bytes follow it, and a produce request holds exactly one");
  if (header.compression() > Compression::zstd)
    return refused("compression codec " + std::to_string(header.attributes & 7) + " is not known");
  if (header.base_offset.value != 0) return refused("its base offset is not 0");
  if (header.record_count < 1) return refused("it holds no record");
  if (header.last_offset_delta != header.record_count - 1)
    return refused("its last offset delta is not its record count - 1");
  if (header.control()) return refused("control batches come from the broker only");
  if (header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0))
    return refused("it has a producer id but no sequence or epoch");
  return {};
}

}  // namespace

Result<BatchHeader> read_header(ByteView bytes) {
  if (bytes.size() < kBatchHeaderSize)
    return bad_header(std::to_string(bytes.size()) + " bytes are fewer than 61");
  const std::byte* at = bytes.data();
  if (at[kMagicAt] != kMagic)
    return bad_header("magic " + std::to_string(static_cast<int>(at[kMagicAt])) + " is not 2");
  const BatchHeader header{
      .base_offset = {load_be<std::int64_t>(at + kBaseOffsetAt)},
      .batch_length = load_be<std::int32_t>(at + kLengthAt),
      .leader_epoch = load_be<std::int32_t>(at + kLeaderEpochAt),
      .crc = load_be<std::uint32_t>(at + kCrcAt),
      .attributes = load_be<std::int16_t>(at + kAttributesAt),
      .last_offset_delta = load_be<std::int32_t>(at + kLastOffsetDeltaAt),
      .base_timestamp = {load_be<std::int64_t>(at + kBaseTimestampAt)},
      .max_timestamp = {load_be<std::int64_t>(at + kMaxTimestampAt)},
      .producer_id = load_be<std::int64_t>(at + kProducerIdAt),
      .producer_epoch = load_be<std::int16_t>(at + kProducerEpochAt),
      .base_sequence = load_be<std::int32_t>(at + kBaseSequenceAt),
      .record_count = load_be<std::int32_t>(at + kRecordCountAt),
  };
  if (auto checked = check_counts(header); !checked) return pass(std::move(checked.error()));
  return header;
}

Result<BatchHeader> check_batch(ByteView batch) {
  auto header = read_header(batch);
  if (!header) return header;
  if (batch.size() < header->size()) {
    return fail(ErrorKind::corrupt, "record batch at offset " +
                                        std::to_string(header->base_offset.value) + ": only " +
                                        std::to_string(batch.size()) + " of " +
                                        std::to_string(header->size()) + " bytes are there");
  }
  const ByteView covered = batch.first(header->size()).subspan(kAttributesAt);
  if (crc32c(covered) != header->crc) {
    return fail(ErrorKind::corrupt, "record batch at offset " +
                                        std::to_string(header->base_offset.value) +
                                        ": the checksum does not match; it was damaged on its way");
  }
  return header;
}

Result<BatchHeader> check_produced_batch(ByteView batch, Bytes decompressed_max) {
  auto header = check_batch(batch);
  if (!header) return header;
  if (auto checked = check_produced_header(*header, batch.size()); !checked)
    return pass(std::move(checked.error()));
  auto reader = BatchReader::open(batch, decompressed_max);
  // A batch whose checksum holds was sent like this: it is not damaged, it is wrong.
  const auto as_refused = [](Error error) -> std::unexpected<Error> {
    if (error.kind == ErrorKind::corrupt) error.kind = ErrorKind::invalid;
    return pass(std::move(error));
  };
  if (!reader) return as_refused(std::move(reader.error()));
  RecordView record;
  for (std::int64_t index = 0;; ++index) {
    auto more = reader->next(record);
    if (!more) return as_refused(std::move(more.error()));
    if (!*more) return header;
    if (record.offset.value != index)
      return refused("the offset delta of record " + std::to_string(index) + " is not its index");
    if (!headers_parse(record))
      return refused("the headers of record " + std::to_string(index) + " do not parse");
  }
}

void patch_base(std::span<std::byte> batch, Offset base, std::int32_t leader_epoch) {
  store_be(batch.data() + kBaseOffsetAt, base.value);
  store_be(batch.data() + kLeaderEpochAt, leader_epoch);
}

void stamp_producer(std::span<std::byte> batch, const BatchStamp& stamp) {
  constexpr std::int16_t kKept = 15;  // codec and kind of time
  const auto before = load_be<std::int16_t>(batch.data() + kAttributesAt);
  store_be(batch.data() + kAttributesAt,
           static_cast<std::int16_t>((before & kKept) | (stamp.attributes & ~kKept)));
  store_be(batch.data() + kProducerIdAt, stamp.producer_id);
  store_be(batch.data() + kProducerEpochAt, stamp.producer_epoch);
  store_be(batch.data() + kBaseSequenceAt, stamp.base_sequence);
  store_be(batch.data() + kCrcAt, crc32c(ByteView(batch).subspan(kAttributesAt)));
}

void set_log_append_time(std::span<std::byte> batch, Timestamp time) {
  const auto before = load_be<std::int16_t>(batch.data() + kAttributesAt);
  store_be(batch.data() + kAttributesAt, static_cast<std::int16_t>(before | kLogAppendTime));
  store_be(batch.data() + kMaxTimestampAt, time.ms);
  store_be(batch.data() + kCrcAt, crc32c(ByteView(batch).subspan(kAttributesAt)));
}

Result<std::vector<Header>> read_headers(const RecordView& record) {
  if (!headers_parse(record)) {
    return fail(ErrorKind::corrupt, "record at offset " + std::to_string(record.offset.value) +
                                        ": its headers do not parse");
  }
  std::vector<Header> headers(static_cast<std::size_t>(record.header_count));
  const std::byte* at = record.headers.data();
  for (Header& header : headers)
    at = read_one_header(at, record.headers.data() + record.headers.size(), header);
  return headers;
}

Result<BatchReader> BatchReader::open(ByteView batch, Bytes decompressed_max) {
  auto header = read_header(batch);
  if (!header) return pass(std::move(header.error()));
  BatchReader reader;
  reader.header_ = *header;
  if (batch.size() < header->size()) return reader.bad_record("the batch ends early");
  reader.rest_ = batch.first(header->size()).subspan(kBatchHeaderSize);
  if (header->compression() != Compression::none) {
    auto records = decompress(header->compression(), reader.rest_, decompressed_max);
    if (!records) return pass(std::move(records.error()));
    reader.decompressed_ = std::move(*records);
    reader.rest_ = reader.decompressed_;
  }
  return reader;
}

Result<bool> BatchReader::next(RecordView& record) {
  if (seen_ == header_.record_count) {
    if (!rest_.empty()) return bad_record("bytes follow the last record");
    return false;
  }
  std::int64_t size = 0;
  const std::byte* const rest_end = rest_.data() + rest_.size();
  const std::byte* at = read_varint(rest_.data(), rest_end, size);
  if (at == nullptr || size < 1 || size > rest_end - at) return bad_record("its size cannot be");
  const std::byte* const end = at + size;
  ++at;  // the attributes, which no version uses

  std::int64_t timestamp_delta = 0;
  std::int64_t offset_delta = 0;
  std::int64_t header_count = 0;
  // A failed read gives null, and null goes through the reads after it: one check is enough.
  at = read_varint(at, end, timestamp_delta);
  at = read_varint(at, end, offset_delta);
  at = read_nullable(at, end, record.key);
  at = read_nullable(at, end, record.value);
  at = read_varint(at, end, header_count);
  if (at == nullptr) return bad_record("a field does not fit it");
  if (offset_delta < 0 || offset_delta > header_.last_offset_delta)
    return bad_record("its offset delta is outside the batch");
  // Headers are only counted here; a count that cannot be is refused, the rest is lazy.
  constexpr std::int64_t kHeaderSizeMin = 2;
  if (header_count < 0 || header_count > (end - at) / kHeaderSizeMin ||
      (header_count == 0 && at != end))
    return bad_record("its header count cannot be");

  record.offset = header_.base_offset + offset_delta;
  // Wraps as Java's long does, so that every delta has a meaning.
  record.timestamp.ms =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(header_.base_timestamp.ms) +
                                static_cast<std::uint64_t>(timestamp_delta));
  if (header_.log_append_time()) record.timestamp = header_.max_timestamp;
  record.headers = ByteView(at, end);
  record.header_count = static_cast<std::int32_t>(header_count);
  rest_ = ByteView(end, rest_end);
  ++seen_;
  return true;
}

std::unexpected<Error> BatchReader::bad_record(std::string_view why) const {
  return fail(ErrorKind::corrupt, "record " + std::to_string(seen_) + " of the batch at offset " +
                                      std::to_string(header_.base_offset.value) + ": " +
                                      std::string(why));
}

}  // namespace adbrook::record
