#include "log/gathered_bytes.h"

#include "base/hash.h"

namespace adbrook::log {
namespace {

// Below this a copy costs less than one more piece of a write.
constexpr std::size_t kBorrowedSizeMin = 4096;

}  // namespace

void GatheredBytes::add(ByteView bytes) {
  if (bytes.size() < kBorrowedSizeMin) return append(own_, bytes);
  borrowed_.push_back({own_.size(), bytes});
  borrowed_size_ += bytes.size();
}

std::vector<ByteView> GatheredBytes::pieces() const {
  std::vector<ByteView> pieces;
  pieces.reserve(2 * borrowed_.size() + 1);
  const ByteView own(own_);
  std::size_t position = 0;
  for (const Borrowed& borrowed : borrowed_) {
    if (borrowed.own_position > position)
      pieces.push_back(own.subspan(position, borrowed.own_position - position));
    pieces.push_back(borrowed.bytes);
    position = borrowed.own_position;
  }
  if (position < own.size()) pieces.push_back(own.subspan(position));
  return pieces;
}

void GatheredBytes::clear() {
  own_.clear();
  borrowed_.clear();
  borrowed_size_ = 0;
}

std::uint32_t GatheredBytes::checksum_from(Mark mark, std::size_t skipped,
                                           std::uint32_t previous) const {
  const ByteView own(own_);
  std::size_t position = mark.own + skipped;
  for (std::size_t i = mark.borrowed; i < borrowed_.size(); ++i) {
    previous = crc32c(own.subspan(position, borrowed_[i].own_position - position), previous);
    previous = crc32c(borrowed_[i].bytes, previous);
    position = borrowed_[i].own_position;
  }
  return crc32c(own.subspan(position), previous);
}

}  // namespace adbrook::log
