#include "serde/avro_block_codec.h"

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/assert.h"

namespace adbrook::serde {
namespace {

constexpr int kRawDeflateWindow = -15;
constexpr int kZstdWindowLogMax = 27;
constexpr std::size_t kSnappyChecksumSize = 4;

std::unexpected<Error> damaged(AvroBlockCodec codec, std::string_view why) {
  return fail(ErrorKind::corrupt, "decompressing an Avro block (" + std::string(to_string(codec)) +
                                      "): " + std::string(why) + "; the file is damaged");
}

std::unexpected<Error> too_large(Bytes size_max) {
  return fail(ErrorKind::overloaded, "decompressing an Avro block: more than " +
                                         std::to_string(size_max.count) +
                                         " bytes come out; write the file with smaller blocks");
}

// Room behind what is there: the buffer doubles, up to one byte above the limit.
std::span<std::byte> make_room(Buffer& out, std::size_t used, Bytes size_max) {
  constexpr std::size_t kFirstSize = 64 * 1024;
  const auto most = static_cast<std::size_t>(size_max.count) + 1;
  if (used == out.size()) out.resize(std::min(most, std::max(2 * out.size(), kFirstSize)));
  return std::span(out).subspan(used);
}

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// Exactly one deflate stream, without zlib's header and checksum.
Result<Buffer> inflate_block(ByteView bytes, Bytes size_max) {
  z_stream stream{};
  if (inflateInit2(&stream, kRawDeflateWindow) != Z_OK)
    return fail(ErrorKind::overloaded, "decompressing an Avro block: no memory; try again later");
  const std::unique_ptr<z_stream, InflateEnd> end(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  Buffer out;
  std::size_t used = 0;
  while (true) {
    const auto room = make_room(out, used, size_max);
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    used += room.size() - stream.avail_out;
    if (used > static_cast<std::size_t>(size_max.count)) return too_large(size_max);
    if (result == Z_STREAM_END) break;
    if (result != Z_OK && result != Z_BUF_ERROR)
      return damaged(AvroBlockCodec::deflate, stream.msg != nullptr ? stream.msg : "no deflate");
    if (stream.avail_in == 0 && stream.avail_out != 0)
      return damaged(AvroBlockCodec::deflate, "the block ends early");
  }
  if (stream.avail_in != 0) return damaged(AvroBlockCodec::deflate, "bytes follow the block");
  out.resize(used);
  return out;
}

Buffer deflate_block(ByteView bytes) {
  z_stream stream{};
  constexpr int kMemoryLevel = 8;
  const int started = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawDeflateWindow,
                                   kMemoryLevel, Z_DEFAULT_STRATEGY);
  ADBROOK_ASSERT(started == Z_OK, "deflate starts unless memory is gone");
  Buffer out(deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  ADBROOK_ASSERT(result == Z_STREAM_END, "deflateBound is enough for any input");
  return out;
}

std::uint32_t crc32_of(ByteView bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// The CRC-32 of what comes out stands behind the block, big-endian.
Result<Buffer> unsnappy_block(ByteView bytes, Bytes size_max) {
  if (bytes.size() < kSnappyChecksumSize)
    return damaged(AvroBlockCodec::snappy, "the block ends early");
  const ByteView packed = bytes.first(bytes.size() - kSnappyChecksumSize);
  const auto* from = reinterpret_cast<const char*>(packed.data());
  std::size_t size = 0;
  // Three bytes of input make at most 64 of output, so a longer claim is a lie.
  constexpr std::size_t kRatioMax = 32;
  if (!snappy::GetUncompressedLength(from, packed.size(), &size) ||
      size > kRatioMax * packed.size())
    return damaged(AvroBlockCodec::snappy, "its length cannot be");
  if (size > static_cast<std::size_t>(size_max.count)) return too_large(size_max);
  Buffer out(size);
  if (!snappy::RawUncompress(from, packed.size(), reinterpret_cast<char*>(out.data())))
    return damaged(AvroBlockCodec::snappy, "it is not snappy");
  if (crc32_of(out) != load_be<std::uint32_t>(bytes.data() + packed.size()))
    return damaged(AvroBlockCodec::snappy, "the checksum does not match");
  return out;
}

Buffer snappy_block(ByteView bytes) {
  Buffer out(snappy::MaxCompressedLength(bytes.size()) + kSnappyChecksumSize);
  std::size_t size = 0;
  snappy::RawCompress(reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                      reinterpret_cast<char*>(out.data()), &size);
  store_be(out.data() + size, crc32_of(bytes));
  out.resize(size + kSnappyChecksumSize);
  return out;
}

struct ZstdFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Streaming: content sizes may be missing or wrong.
Result<Buffer> unzstd_block(ByteView bytes, Bytes size_max) {
  const std::unique_ptr<ZSTD_DCtx, ZstdFree> context(ZSTD_createDCtx());
  if (context == nullptr)
    return fail(ErrorKind::overloaded, "decompressing an Avro block: no memory; try again later");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  Buffer out;
  std::size_t used = 0;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    const auto room = make_room(out, used, size_max);
    ZSTD_outBuffer to{room.data(), room.size(), 0};
    const std::size_t in_before = in.pos;
    const std::size_t hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint)) return damaged(AvroBlockCodec::zstandard, ZSTD_getErrorName(hint));
    used += to.pos;
    if (used > static_cast<std::size_t>(size_max.count)) return too_large(size_max);
    if (hint == 0 && in.pos == in.size) break;
    if (in.pos == in_before && to.pos == 0)
      return damaged(AvroBlockCodec::zstandard, "the block ends early");
  }
  out.resize(used);
  return out;
}

Buffer zstd_block(ByteView bytes) {
  Buffer out(ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  ADBROOK_ASSERT(!ZSTD_isError(size), "ZSTD_compressBound is enough for any input");
  out.resize(size);
  return out;
}

}  // namespace

std::string_view to_string(AvroBlockCodec codec) {
  switch (codec) {
    case AvroBlockCodec::none: return "null";
    case AvroBlockCodec::deflate: return "deflate";
    case AvroBlockCodec::snappy: return "snappy";
    case AvroBlockCodec::zstandard: return "zstandard";
  }
  return "unknown";
}

std::optional<AvroBlockCodec> avro_block_codec_named(std::string_view name) {
  for (const auto codec : {AvroBlockCodec::none, AvroBlockCodec::deflate, AvroBlockCodec::snappy,
                           AvroBlockCodec::zstandard})
    if (to_string(codec) == name) return codec;
  return std::nullopt;
}

Result<Buffer> decompress_avro_block(AvroBlockCodec codec, ByteView bytes, Bytes size_max) {
  switch (codec) {
    case AvroBlockCodec::none: break;
    case AvroBlockCodec::deflate: return inflate_block(bytes, size_max);
    case AvroBlockCodec::snappy: return unsnappy_block(bytes, size_max);
    case AvroBlockCodec::zstandard: return unzstd_block(bytes, size_max);
  }
  if (bytes.size() > static_cast<std::size_t>(size_max.count)) return too_large(size_max);
  return Buffer(bytes.begin(), bytes.end());
}

Buffer compress_avro_block(AvroBlockCodec codec, ByteView bytes) {
  switch (codec) {
    case AvroBlockCodec::none: break;
    case AvroBlockCodec::deflate: return deflate_block(bytes);
    case AvroBlockCodec::snappy: return snappy_block(bytes);
    case AvroBlockCodec::zstandard: return zstd_block(bytes);
  }
  return Buffer(bytes.begin(), bytes.end());
}

}  // namespace adbrook::serde
