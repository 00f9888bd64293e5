#include "ads/import_bytes.h"

#include <zlib.h>

#include <algorithm>

namespace adbrook::ads {
namespace {

constexpr std::size_t kBufferSize = 128 << 10;

}  // namespace

// zlib's state; several gzip members behind each other are one file.
struct ImportBytes::Unpacker {
  z_stream stream{};
  bool inside_member = false;

  Unpacker() { inflateInit2(&stream, 16 + MAX_WBITS); }
  ~Unpacker() { inflateEnd(&stream); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
};

ImportBytes::ImportBytes() = default;
ImportBytes::ImportBytes(ImportBytes&&) noexcept = default;
ImportBytes& ImportBytes::operator=(ImportBytes&&) noexcept = default;
ImportBytes::~ImportBytes() = default;

Result<ImportBytes> ImportBytes::open(io::FileSystem& files, const std::string& path) {
  ImportBytes out;
  out.path_ = path;
  auto file = files.open(path, io::OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  out.file_ = std::move(*file);
  const auto size = out.file_->size();
  if (!size) return std::unexpected(size.error());
  out.size_ = *size;
  if (const auto filled = out.fill(); !filled) return std::unexpected(filled.error());
  const bool is_gzip = out.buffer_.size() >= 2 && out.buffer_[0] == std::byte{0x1F} &&
                       out.buffer_[1] == std::byte{0x8B};
  if (is_gzip) out.unpacker_ = std::make_unique<Unpacker>();
  return out;
}

// False at the end of the file.
Result<bool> ImportBytes::fill() {
  buffer_.resize(kBufferSize);
  begin_ = 0;
  const auto count = file_->read_at(position_, buffer_);
  if (!count) return std::unexpected(count.error());
  buffer_.resize(*count);
  position_ += *count;
  return *count > 0;
}

Result<std::size_t> ImportBytes::read(std::span<std::byte> into) {
  return unpacker_ ? unpack(into) : read_plain(into);
}

Result<std::size_t> ImportBytes::read_plain(std::span<std::byte> into) {
  if (begin_ == buffer_.size())
    if (const auto filled = fill(); !filled) return std::unexpected(filled.error());
  const std::size_t count = std::min(into.size(), buffer_.size() - begin_);
  std::copy_n(buffer_.data() + begin_, count, into.data());
  begin_ += count;
  return count;
}

std::unexpected<Error> ImportBytes::damaged(std::string_view why) const {
  return fail(ErrorKind::corrupt, path_ + ": gzip " + std::string(why) + " near byte " +
                                      std::to_string(position_ - (buffer_.size() - begin_)) +
                                      "; everything before it was read, fetch the file again for "
                                      "the rest");
}

Result<std::size_t> ImportBytes::unpack(std::span<std::byte> into) {
  z_stream& stream = unpacker_->stream;
  stream.next_out = reinterpret_cast<Bytef*>(into.data());
  stream.avail_out = static_cast<uInt>(into.size());
  while (stream.avail_out == into.size()) {
    if (begin_ == buffer_.size()) {
      const auto filled = fill();
      if (!filled) return std::unexpected(filled.error());
      if (!*filled) {
        if (unpacker_->inside_member) return damaged("data is cut short");
        return 0;
      }
    }
    unpacker_->inside_member = true;
    stream.next_in = reinterpret_cast<Bytef*>(buffer_.data() + begin_);
    stream.avail_in = static_cast<uInt>(buffer_.size() - begin_);
    const int done = inflate(&stream, Z_NO_FLUSH);
    begin_ = buffer_.size() - stream.avail_in;
    if (done == Z_STREAM_END) {
      unpacker_->inside_member = false;
      inflateReset(&stream);
    } else if (done != Z_OK && done != Z_BUF_ERROR) {
      const std::size_t count = into.size() - stream.avail_out;
      return count > 0 ? Result<std::size_t>(count) : damaged("data is damaged");
    }
  }
  return into.size() - stream.avail_out;
}

}  // namespace adbrook::ads
