#include "record/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>

#include "base/assert.h"

namespace adbrook::record {
namespace {

// A zstd frame that needs more memory than this for its window is refused; Kafka's clients use at
// most 8 MiB unless told otherwise.
constexpr int kZstdWindowLogMax = 27;
constexpr std::size_t kInputSizeMax = std::size_t{1} << 30;  // zlib counts in 32 bits

std::unexpected<Error> damaged(std::string_view codec, std::string_view why) {
  return fail(ErrorKind::corrupt, "decompressing " + std::string(codec) +
                                      " records: " + std::string(why) +
                                      "; the sender or the storage damaged them");
}

// Output that doubles as bytes come, up to a limit. One byte above the limit is allowed so that
// "exactly full" and "too much" can be told apart.
class CappedOutput {
 public:
  CappedOutput(std::size_t input_size, Bytes size_max)
      : size_max_(static_cast<std::size_t>(std::max<std::int64_t>(size_max.count, 0))),
        bytes_(std::min(size_max_ + 1, std::max<std::size_t>(4 * input_size, 1024))) {}

  // Room for more output, never empty; or overloaded.
  Result<std::span<std::byte>> room() {
    if (used_ > size_max_) {
      return fail(ErrorKind::overloaded, "decompressing records: more than " +
                                             std::to_string(size_max_) +
                                             " bytes come out; send smaller batches");
    }
    if (used_ == bytes_.size()) bytes_.resize(std::min(size_max_ + 1, 2 * bytes_.size()));
    return std::span(bytes_).subspan(used_);
  }
  void advance(std::size_t count) { used_ += count; }
  Result<Buffer> finish() {
    if (used_ > size_max_) return pass(room().error());
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  std::size_t size_max_;
  Buffer bytes_;
  std::size_t used_ = 0;
};

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// Kafka's Java client joins members, so a second one may follow.
Result<Buffer> gunzip(ByteView bytes, Bytes size_max) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    return fail(ErrorKind::overloaded, "decompressing gzip records: no memory; try again later");
  const std::unique_ptr<z_stream, InflateEnd> end(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  CappedOutput out(bytes.size(), size_max);
  while (true) {
    auto room = out.room();
    if (!room) return pass(std::move(room.error()));
    const auto room_size = static_cast<uInt>(std::min<std::size_t>(room->size(), kInputSizeMax));
    stream.next_out = reinterpret_cast<Bytef*>(room->data());
    stream.avail_out = room_size;
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.advance(room_size - stream.avail_out);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return out.finish();
      if (inflateReset(&stream) != Z_OK) return damaged("gzip", "a second member does not start");
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return damaged("gzip", stream.msg != nullptr ? stream.msg : "not a gzip stream");
    } else if (stream.avail_in == 0 && stream.avail_out != 0) {
      return damaged("gzip", "the stream ends early");
    }
  }
}

Result<Buffer> gzip(ByteView bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(ErrorKind::overloaded, "compressing records with gzip: no memory; try again later");
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

// Appends one raw snappy block.
Result<void> append_unsnappy(ByteView block, Bytes size_max, Buffer& out) {
  std::size_t size = 0;
  const auto* from = reinterpret_cast<const char*>(block.data());
  if (!snappy::GetUncompressedLength(from, block.size(), &size))
    return damaged("snappy", "a block has no length");
  // Three bytes of input make at most 64 of output, so a longer claim is a lie.
  constexpr std::size_t kRatioMax = 32;
  if (size > kRatioMax * block.size()) return damaged("snappy", "a block's length cannot be");
  if (out.size() + size > static_cast<std::size_t>(std::max<std::int64_t>(size_max.count, 0))) {
    return fail(ErrorKind::overloaded, "decompressing records: more than " +
                                           std::to_string(size_max.count) +
                                           " bytes come out; send smaller batches");
  }
  const std::size_t at = out.size();
  out.resize(at + size);
  if (!snappy::RawUncompress(from, block.size(), reinterpret_cast<char*>(out.data()) + at))
    return damaged("snappy", "a block is not snappy");
  return {};
}

// Java frames blocks ("xerial"), librdkafka and kafkajs send one raw block: told by the magic.
Result<Buffer> unsnappy(ByteView bytes, Bytes size_max) {
  constexpr std::array<unsigned char, 8> kXerialMagic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
  constexpr std::size_t kXerialHeaderSize = 16;  // magic, version, oldest readable version
  Buffer out;
  if (bytes.size() < kXerialMagic.size() ||
      std::memcmp(bytes.data(), kXerialMagic.data(), kXerialMagic.size()) != 0) {
    if (auto done = append_unsnappy(bytes, size_max, out); !done)
      return pass(std::move(done.error()));
    return out;
  }
  if (bytes.size() < kXerialHeaderSize) return damaged("snappy", "the xerial header ends early");
  ByteView rest = bytes.subspan(kXerialHeaderSize);
  while (!rest.empty()) {
    if (rest.size() < 4) return damaged("snappy", "a block length ends early");
    const auto size = load_be<std::uint32_t>(rest.data());
    rest = rest.subspan(4);
    if (size > rest.size()) return damaged("snappy", "a block ends early");
    if (auto done = append_unsnappy(rest.first(size), size_max, out); !done)
      return pass(std::move(done.error()));
    rest = rest.subspan(size);
  }
  return out;
}

Result<Buffer> snappy_raw(ByteView bytes) {
  Buffer out(snappy::MaxCompressedLength(bytes.size()));
  std::size_t size = 0;
  snappy::RawCompress(reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                      reinterpret_cast<char*>(out.data()), &size);
  out.resize(size);
  return out;
}

struct Lz4Free {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

// Several frames may follow each other; each restarts the context.
Result<Buffer> unlz4(ByteView bytes, Bytes size_max) {
  LZ4F_dctx* created = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&created, LZ4F_VERSION)))
    return fail(ErrorKind::overloaded, "decompressing lz4 records: no memory; try again later");
  const std::unique_ptr<LZ4F_dctx, Lz4Free> context(created);
  CappedOutput out(bytes.size(), size_max);
  ByteView rest = bytes;
  while (true) {
    auto room = out.room();
    if (!room) return pass(std::move(room.error()));
    std::size_t written = room->size();
    std::size_t consumed = rest.size();
    const std::size_t hint =
        LZ4F_decompress(context.get(), room->data(), &written, rest.data(), &consumed, nullptr);
    if (LZ4F_isError(hint)) return damaged("lz4", LZ4F_getErrorName(hint));
    out.advance(written);
    rest = rest.subspan(consumed);
    if (hint == 0 && rest.empty()) return out.finish();
    if (consumed == 0 && written == 0) return damaged("lz4", "the frame ends early");
  }
}

Result<Buffer> lz4_frame(ByteView bytes) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Kafka's Java client reads no other
  Buffer out(LZ4F_compressFrameBound(bytes.size(), &preferences));
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  ADBROOK_ASSERT(!LZ4F_isError(size), "LZ4F_compressFrameBound is enough for any input");
  out.resize(size);
  return out;
}

struct ZstdFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Streaming, because frames may lack their content size and it could be a lie.
Result<Buffer> unzstd(ByteView bytes, Bytes size_max) {
  const std::unique_ptr<ZSTD_DCtx, ZstdFree> context(ZSTD_createDCtx());
  if (context == nullptr)
    return fail(ErrorKind::overloaded, "decompressing zstd records: no memory; try again later");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  CappedOutput out(bytes.size(), size_max);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    auto room = out.room();
    if (!room) return pass(std::move(room.error()));
    ZSTD_outBuffer to{room->data(), room->size(), 0};
    const std::size_t in_before = in.pos;
    const std::size_t hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint)) return damaged("zstd", ZSTD_getErrorName(hint));
    out.advance(to.pos);
    if (hint == 0 && in.pos == in.size) return out.finish();
    if (in.pos == in_before && to.pos == 0) return damaged("zstd", "the frame ends early");
  }
}

Result<Buffer> zstd_frame(ByteView bytes) {
  Buffer out(ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  ADBROOK_ASSERT(!ZSTD_isError(size), "ZSTD_compressBound is enough for any input");
  out.resize(size);
  return out;
}

// Codecs 5 to 7 fit the attribute bits and nobody has defined them.
std::unexpected<Error> unknown_codec(Compression compression) {
  return fail(ErrorKind::unsupported,
              "compression codec " + std::to_string(static_cast<int>(compression)) +
                  " of a record batch is not known; use gzip, snappy, lz4, zstd or none");
}

}  // namespace

const char* to_string(Compression compression) {
  switch (compression) {
    case Compression::none: return "none";
    case Compression::gzip: return "gzip";
    case Compression::snappy: return "snappy";
    case Compression::lz4: return "lz4";
    case Compression::zstd: return "zstd";
  }
  return "unknown";
}

Result<Buffer> decompress(Compression compression, ByteView bytes, Bytes size_max) {
  if (bytes.size() > kInputSizeMax)
    return fail(ErrorKind::overloaded, "decompressing records: more than 1 GiB in one piece");
  switch (compression) {
    case Compression::none: return Buffer(bytes.begin(), bytes.end());
    case Compression::gzip: return gunzip(bytes, size_max);
    case Compression::snappy: return unsnappy(bytes, size_max);
    case Compression::lz4: return unlz4(bytes, size_max);
    case Compression::zstd: return unzstd(bytes, size_max);
  }
  return unknown_codec(compression);
}

Result<Buffer> compress(Compression compression, ByteView bytes) {
  if (bytes.size() > kInputSizeMax)
    return fail(ErrorKind::overloaded, "compressing records: more than 1 GiB in one piece");
  switch (compression) {
    case Compression::none: return Buffer(bytes.begin(), bytes.end());
    case Compression::gzip: return gzip(bytes);
    case Compression::snappy: return snappy_raw(bytes);
    case Compression::lz4: return lz4_frame(bytes);
    case Compression::zstd: return zstd_frame(bytes);
  }
  return unknown_codec(compression);
}

}  // namespace adbrook::record
