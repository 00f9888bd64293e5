// Avro object container files: one schema, then blocks of values. Reading pulls bytes from the
// caller and writing leaves bytes to it, because only io/ knows files.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "serde/avro_block_codec.h"
#include "serde/avro_codec.h"

namespace adbrook::serde {

inline constexpr std::size_t kAvroSyncSize = 16;
using AvroSync = std::array<std::byte, kAvroSyncSize>;

struct AvroFileLimits {
  Bytes header_size_max = 2_MiB;
  Bytes block_size_max = 64_MiB;                         // compressed, and what comes out of it
  std::int64_t block_count_max = std::int64_t{1} << 24;  // values of one block
  AvroLimits value;
};

// Fills the front of the span and says how many bytes; 0 is the end.
using AvroBytesSource = std::move_only_function<Result<std::size_t>(std::span<std::byte>)>;

// Holds one block in memory. Owned by one thread.
class AvroFileReader {
 public:
  // Reads the header. Values are given in `schema` when there is one, else as they were written.
  static Result<AvroFileReader> open(AvroBytesSource source,
                                     std::shared_ptr<const AvroSchema> schema = nullptr,
                                     AvroFileLimits limits = {});

  const AvroSchema& schema() const { return decoder_->schema(); }  // of the values given
  AvroBlockCodec codec() const { return codec_; }
  // Bytes of the file that lie before the current block.
  std::uint64_t position() const { return position_; }

  // True and `value` filled, or false at the end of the file. After an error the rest cannot be
  // read; values before it were right.
  Result<bool> next(AvroValue& value);

 private:
  explicit AvroFileReader(AvroBytesSource source, AvroFileLimits limits)
      : source_(std::move(source)), limits_(limits) {}

  Result<void> read_header(std::shared_ptr<const AvroSchema> schema);
  Result<bool> read_block();
  Result<void> take_block(std::int64_t count, std::size_t head_size, std::size_t size);
  Result<void> fill(std::size_t size);
  void consume(std::size_t size);
  ByteView buffered() const { return ByteView(buffer_).subspan(begin_, end_ - begin_); }
  std::unexpected<Error> damaged(std::string_view why) const;

  AvroBytesSource source_;
  AvroFileLimits limits_;
  std::optional<AvroDecoder> decoder_;
  AvroBlockCodec codec_ = AvroBlockCodec::none;
  AvroSync sync_{};
  Buffer buffer_;  // [begin_, end_) was read and is not yet used
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool source_ended_ = false;
  std::uint64_t position_ = 0;
  Buffer block_;  // decompressed
  std::size_t block_position_ = 0;
  std::int64_t block_left_ = 0;  // values
};

// Collects values into blocks. Owned by one thread.
class AvroFileWriter {
 public:
  // `sync` must be random bytes: readers find block ends by them.
  AvroFileWriter(std::shared_ptr<const AvroSchema> schema, AvroBlockCodec codec, AvroSync sync,
                 Bytes block_size = 64_KiB);

  // invalid when the value is none of the schema; nothing is written then.
  Result<void> add(const AvroValue& value);
  // The bytes that are ready since the last call: header and whole blocks.
  Buffer take() { return std::exchange(out_, {}); }
  // The same, with the last block, which may be small. More values may follow.
  Buffer finish();

 private:
  void end_block();

  std::shared_ptr<const AvroSchema> schema_;
  AvroBlockCodec codec_;
  AvroSync sync_;
  std::size_t block_size_;
  Buffer block_;
  std::int64_t block_count_ = 0;
  Buffer out_;
};

}  // namespace adbrook::serde
