#include "http/inflater.h"

#include <zlib.h>

#include "base/assert.h"

namespace adbrook::http {
namespace {

constexpr std::size_t kPieceSize = 64 * 1024;
// zlib's code for "the largest window, gzip header demanded".
constexpr int kGzipWindowBits = 15 + 16;

}  // namespace

struct Inflater::Stream {
  z_stream z{};
  std::size_t output_max = 0;
  std::size_t input_size = 0;
  std::size_t output_size = 0;
  bool between_members = true;

  ~Stream() { inflateEnd(&z); }
};

Inflater::Inflater(Bytes output_max) : stream_(std::make_unique<Stream>()) {
  stream_->output_max = static_cast<std::size_t>(output_max.count);
  ADBROOK_ASSERT(inflateInit2(&stream_->z, kGzipWindowBits) == Z_OK, "zlib gets its memory");
}

Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

Result<void> Inflater::inflate(std::string_view piece, std::string& output) {
  Stream& s = *stream_;
  s.input_size += piece.size();
  s.z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  s.z.avail_in = static_cast<uInt>(piece.size());
  for (;;) {
    if (s.between_members && s.z.avail_in == 0) return {};
    s.between_members = false;
    const std::size_t old_size = output.size();
    output.resize(old_size + kPieceSize);
    s.z.next_out = reinterpret_cast<Bytef*>(output.data() + old_size);
    s.z.avail_out = kPieceSize;
    const int code = ::inflate(&s.z, Z_NO_FLUSH);
    const std::size_t made = kPieceSize - s.z.avail_out;
    output.resize(old_size + made);
    s.output_size += made;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      return fail(ErrorKind::invalid,
                  "body: it does not inflate as gzip; check Content-Encoding, or send it plain");
    if (s.output_size > s.output_max)
      return fail(ErrorKind::overloaded, "body: it inflates to more than " +
                                             std::to_string(s.output_max) +
                                             " bytes; send smaller batches");
    if (s.output_size > kRatioFreeBytes && s.output_size > kInflateRatioMax * s.input_size)
      return fail(ErrorKind::overloaded, "body: it inflates to more than " +
                                             std::to_string(kInflateRatioMax) +
                                             " times its size; send it plain");
    if (code == Z_STREAM_END) {
      ADBROOK_ASSERT(inflateReset(&s.z) == Z_OK, "a finished stream can be reset");
      s.between_members = true;
    } else if (s.z.avail_in == 0 && s.z.avail_out != 0) {
      return {};
    }
  }
}

Result<void> Inflater::finish() const {
  if (stream_->between_members && stream_->input_size > 0) return {};
  return fail(ErrorKind::invalid, "body: the gzip data ends in the middle; send all of it");
}

}  // namespace adbrook::http
