#include "protocol/frame.h"

namespace adbrook::protocol {
namespace {

constexpr std::size_t kBorrowedSizeMin = 1024;

}  // namespace

void Frame::add_borrowed(ByteView bytes) {
  if (bytes.size() < kBorrowedSizeMin) {
    append(own_, bytes);
    return;
  }
  borrowed_.push_back({own_.size(), bytes});
  borrowed_size_ += bytes.size();
}

void Frame::add_gap(std::size_t size) {
  borrowed_.push_back({own_.size(), {}});
  borrowed_size_ += size;
}

std::vector<ByteView> Frame::pieces() const {
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

Buffer Frame::joined() const {
  Buffer joined;
  joined.reserve(size());
  for (const ByteView piece : pieces()) append(joined, piece);
  return joined;
}

}  // namespace adbrook::protocol
