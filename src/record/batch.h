// Kafka's record batch v2: checking, reading and building. Described in
// docs/formats/record-batch.md. Pure functions over bytes; nothing here knows files or sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "record/compression.h"

namespace adbrook::record {

inline constexpr std::size_t kBatchHeaderSize = 61;
inline constexpr std::size_t kRecordSizeMin = 7;  // seven one-byte fields, nothing in them

// The 61 bytes in front of the records, decoded.
struct BatchHeader {
  Offset base_offset;
  std::int32_t batch_length;  // bytes after this field; the whole batch has batch_length + 12
  std::int32_t leader_epoch;
  std::uint32_t crc;
  std::int16_t attributes;
  std::int32_t last_offset_delta;
  Timestamp base_timestamp;
  Timestamp max_timestamp;
  std::int64_t producer_id;
  std::int16_t producer_epoch;
  std::int32_t base_sequence;
  std::int32_t record_count;

  std::size_t size() const { return static_cast<std::size_t>(batch_length) + 12; }
  Compression compression() const { return static_cast<Compression>(attributes & 7); }
  bool log_append_time() const { return (attributes & 8) != 0; }
  bool transactional() const { return (attributes & 16) != 0; }
  bool control() const { return (attributes & 32) != 0; }
  Offset last_offset() const { return base_offset + last_offset_delta; }
};

// Decodes the header in front of `bytes`, which may hold more or less than the whole batch.
// invalid: fewer than 61 bytes, another magic, a length or count that cannot be. No checksum yet.
Result<BatchHeader> read_header(ByteView bytes);

// read_header, plus: the whole batch is there and its checksum holds, else corrupt. More bytes may
// follow it.
Result<BatchHeader> check_batch(ByteView batch);

// check_batch, plus what a broker must know before it takes a batch from outside: known
// compression, base offset 0, offset deltas 0..n-1, exactly `record_count` > 0 records that end
// where the batch ends, no control bit, a sequence when there is a producer id, and no bytes behind
// the batch. corrupt: the checksum; overloaded: `decompressed_max`; invalid: the rest.
Result<BatchHeader> check_produced_batch(ByteView batch, Bytes decompressed_max);

// Sets the base offset and leader epoch in place; the checksum does not cover them.
void patch_base(std::span<std::byte> batch, Offset base, std::int32_t leader_epoch);

// What makes a batch a producer's. Attributes beside the codec: 16 transactional, 32 control.
struct BatchStamp {
  std::int16_t attributes = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
};
// Sets these in a whole batch, and its checksum anew. The codec and the kind of time stay.
void stamp_producer(std::span<std::byte> batch, const BatchStamp& stamp);

// Makes `time` the time of all records of a whole batch, and the checksum anew.
void set_log_append_time(std::span<std::byte> batch, Timestamp time);

// The same records in another codec. overloaded: they would become more than `decompressed_max`;
// corrupt: they do not decompress.
Result<Buffer> recompress(ByteView batch, Compression compression, Bytes decompressed_max);

struct Header {
  std::string_view key;
  std::optional<ByteView> value;
};

// One record inside a batch; views into the batch (or the reader's decompressed copy).
struct RecordView {
  Offset offset;
  Timestamp timestamp;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  ByteView headers;  // encoded; read_headers() takes them apart
  std::int32_t header_count;
};

Result<std::vector<Header>> read_headers(const RecordView& record);

// Walks the records of one batch without allocating (but for decompression). The batch must outlive
// it. Owned by one thread.
class BatchReader {
 public:
  // Does not verify the checksum: the log did. `decompressed_max` caps what a compressed batch may
  // become.
  static Result<BatchReader> open(ByteView batch, Bytes decompressed_max);

  const BatchHeader& header() const { return header_; }
  // True and `record` filled, or false at the end. corrupt when the bytes do not parse; then the
  // reader must not be asked again. Headers are counted here and taken apart by read_headers().
  Result<bool> next(RecordView& record);

 private:
  BatchReader() = default;
  std::unexpected<Error> bad_record(std::string_view why) const;

  BatchHeader header_{};
  ByteView rest_;
  Buffer decompressed_;
  std::int32_t seen_ = 0;
};

// Builds one batch. Owned by one thread; reusable after finish().
class BatchBuilder {
 public:
  // A batch must stay below this; the caller looks at size() before it adds.
  static constexpr std::size_t kSizeMax = std::size_t{1} << 30;

  explicit BatchBuilder(Compression compression = Compression::none) : compression_(compression) {}

  void add(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
           std::span<const Header> headers = {});

  // Adds a record whose value of exactly `value_size` bytes the caller writes into the returned
  // span before it calls anything else here. Saves the copy that add() makes.
  std::span<std::byte> add_in_place(Timestamp timestamp, std::optional<ByteView> key,
                                    std::size_t value_size);

  std::int32_t count() const { return count_; }
  // Bytes of the batch so far, before compression; the header included.
  std::size_t size() const { return used_ < kBatchHeaderSize ? kBatchHeaderSize : used_; }
  bool empty() const { return count_ == 0; }

  // The whole batch with base offset 0 and its checksum; the builder is empty again. count() > 0.
  Buffer finish();

 private:
  std::byte* begin_record(Timestamp timestamp, std::optional<ByteView> key,
                          std::size_t size_after_key);
  void grow(std::size_t size);
  void write_header(Buffer& batch) const;

  Compression compression_;
  Buffer bytes_;                  // header space, then records, then room for more
  std::size_t used_ = 0;          // of bytes_
  std::size_t last_size_ = 4096;  // the next batch starts with room for as much as the last one had
  std::int32_t count_ = 0;
  Timestamp base_timestamp_;
  Timestamp max_timestamp_;
};

}  // namespace adbrook::record
