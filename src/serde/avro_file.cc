#include "serde/avro_file.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/text.h"

namespace adbrook::serde {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr std::size_t kReadSize = 64 * 1024;

void append_long(Buffer& to, std::int64_t number) {
  const std::size_t at = to.size();
  to.resize(at + varint_size(number));
  write_varint(to.data() + at, number);
}

void append_text(Buffer& to, std::string_view text) {
  append_long(to, static_cast<std::int64_t>(text.size()));
  append(to, as_bytes(text));
}

// What a file's header says, as views into it.
struct Header {
  std::string_view schema;
  std::string_view codec = "null";
  ByteView sync;
  std::size_t size = 0;
};

// Nothing when the bytes end early or are no header.
std::optional<Header> parse_header(ByteView bytes) {
  constexpr std::size_t kEntrySizeMin = 2;
  AvroReader reader(bytes.subspan(kMagic.size()));
  Header header;
  while (const std::size_t count = reader.read_block_count(kEntrySizeMin)) {
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
      const std::string_view key = reader.read_string_view();
      const std::string_view value = reader.read_string_view();
      if (key == "avro.schema") header.schema = value;
      if (key == "avro.codec") header.codec = value;
    }
  }
  header.sync = reader.read_fixed(kAvroSyncSize);
  if (!reader.ok()) return std::nullopt;
  header.size = kMagic.size() + reader.position();
  return header;
}

}  // namespace

std::unexpected<Error> AvroFileReader::damaged(std::string_view why) const {
  return fail(ErrorKind::corrupt, "Avro file, block at byte " + std::to_string(position_) + ": " +
                                      std::string(why) + "; the file is damaged or cut");
}

Result<AvroFileReader> AvroFileReader::open(AvroBytesSource source,
                                            std::shared_ptr<const AvroSchema> schema,
                                            AvroFileLimits limits) {
  AvroFileReader reader(std::move(source), limits);
  if (auto read = reader.read_header(std::move(schema)); !read)
    return pass(std::move(read.error()));
  return reader;
}

// Reads until `size` bytes are buffered, or the source ends.
Result<void> AvroFileReader::fill(std::size_t size) {
  while (end_ - begin_ < size && !source_ended_) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    // Doubles, so that memory follows the bytes that are there and not a size that is claimed.
    if (end_ == buffer_.size()) buffer_.resize(std::max(kReadSize, 2 * end_));
    const auto count = source_(std::span(buffer_).subspan(end_));
    if (!count) return pass(count.error());
    end_ += *count;
    source_ended_ = *count == 0;
  }
  return {};
}

void AvroFileReader::consume(std::size_t size) {
  begin_ += size;
  position_ += size;
}

Result<void> AvroFileReader::read_header(std::shared_ptr<const AvroSchema> schema) {
  if (auto filled = fill(kMagic.size()); !filled) return filled;
  if (!as_text(buffered()).starts_with(kMagic))
    return fail(ErrorKind::invalid, "Avro file: it does not begin with 'Obj' and 1; is it one?");
  // The header has no size in front, so it is tried with more and more bytes.
  std::optional<Header> header;
  for (std::size_t size = kReadSize;; size *= 2) {
    if (auto filled = fill(size); !filled) return filled;
    header = parse_header(buffered());
    if (header || source_ended_ || size > static_cast<std::size_t>(limits_.header_size_max.count))
      break;
  }
  if (!header) return damaged("the header ends early, or is larger than the limit");
  const auto codec = avro_block_codec_named(header->codec);
  if (!codec) {
    return fail(ErrorKind::unsupported, "Avro file: codec '" + printable(header->codec) +
                                            "' is not known; write it with null, deflate, snappy "
                                            "or zstandard");
  }
  codec_ = *codec;
  std::copy(header->sync.begin(), header->sync.end(), sync_.begin());
  auto writer = AvroSchema::parse(header->schema);
  if (!writer) return pass(std::move(writer.error()), "Avro file");
  auto decoder = AvroDecoder::create(*writer, schema ? schema : *writer, limits_.value);
  if (!decoder) return pass(std::move(decoder.error()), "Avro file");
  decoder_ = std::move(*decoder);
  consume(header->size);
  return {};
}

// The end of the file is right only between two blocks.
Result<bool> AvroFileReader::read_block() {
  if (auto filled = fill(2 * kVarintSizeMax); !filled) return pass(std::move(filled.error()));
  if (buffered().empty()) return false;
  AvroReader head(buffered());
  const std::int64_t count = head.read_long();
  const std::int64_t size = head.read_long();
  if (!head.ok() || count < 0 || size < 0) return damaged("its count or size cannot be");
  if (size > limits_.block_size_max.count || count > limits_.block_count_max) {
    return fail(ErrorKind::overloaded,
                "Avro file, block at byte " + std::to_string(position_) + ": " +
                    std::to_string(count) + " values in " + std::to_string(size) +
                    " bytes are more than the limit; write the file with smaller blocks");
  }
  if (auto taken = take_block(count, head.position(), static_cast<std::size_t>(size)); !taken)
    return pass(std::move(taken.error()));
  return true;
}

// Nothing is taken before the marker behind the block was seen.
Result<void> AvroFileReader::take_block(std::int64_t count, std::size_t head_size,
                                        std::size_t size) {
  const std::size_t whole_size = head_size + size + kAvroSyncSize;
  if (auto filled = fill(whole_size); !filled) return filled;
  if (buffered().size() < whole_size) return damaged("it ends early");
  const ByteView body = buffered().subspan(head_size, size);
  if (std::memcmp(body.data() + size, sync_.data(), kAvroSyncSize) != 0)
    return damaged("the marker behind it is another");
  auto block = decompress_avro_block(codec_, body, limits_.block_size_max);
  if (!block) return damaged(block.error().message);
  block_ = std::move(*block);
  block_position_ = 0;
  block_left_ = count;
  consume(whole_size);
  return {};
}

Result<bool> AvroFileReader::next(AvroValue& value) {
  while (block_left_ == 0) {
    if (block_position_ != block_.size()) return damaged("bytes follow its last value");
    auto more = read_block();
    if (!more || !*more) return more;
  }
  // Each value begins where the last one ended; the format has no sizes of values.
  AvroReader from(ByteView(block_).subspan(block_position_));
  auto decoded = decoder_->decode_next(from);
  if (!decoded) {
    return pass(std::move(decoded.error()),
                "Avro file, block before byte " + std::to_string(position_));
  }
  value = std::move(*decoded);
  block_position_ += from.position();
  --block_left_;
  return true;
}

AvroFileWriter::AvroFileWriter(std::shared_ptr<const AvroSchema> schema, AvroBlockCodec codec,
                               AvroSync sync, Bytes block_size)
    : schema_(std::move(schema)),
      codec_(codec),
      sync_(sync),
      block_size_(static_cast<std::size_t>(block_size.count)) {
  append(out_, as_bytes(kMagic));
  append_long(out_, 2);
  append_text(out_, "avro.schema");
  append_text(out_, schema_->text());
  append_text(out_, "avro.codec");
  append_text(out_, to_string(codec_));
  append_long(out_, 0);
  append(out_, sync_);
}

Result<void> AvroFileWriter::add(const AvroValue& value) {
  if (auto written = append_avro(block_, *schema_, value); !written) return written;
  ++block_count_;
  if (block_.size() >= block_size_) end_block();
  return {};
}

// count, size, body, marker: drawn in docs/formats/avro.md.
void AvroFileWriter::end_block() {
  const Buffer body = compress_avro_block(codec_, block_);
  append_long(out_, block_count_);
  append_long(out_, static_cast<std::int64_t>(body.size()));
  append(out_, body);
  append(out_, sync_);
  block_.clear();
  block_count_ = 0;
}

Buffer AvroFileWriter::finish() {
  if (block_count_ > 0) end_block();
  return take();
}

}  // namespace adbrook::serde
