// The bytes of a batch on its way into the log: owned alone, or a part of something larger that
// was received with it. They are never copied; the log writes offset and time into them.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace adbrook::log {

// Owned by one thread; parts of the same keeper may go different ways.
class BatchBytes {
 public:
  BatchBytes() = default;
  BatchBytes(Buffer own) : BatchBytes(std::make_shared<Buffer>(std::move(own))) {}
  // `part` lies in what `keeper` keeps, and nobody else reads or writes it from now on.
  BatchBytes(std::shared_ptr<const void> keeper, std::span<std::byte> part)
      : keeper_(std::move(keeper)), part_(part) {}
  BatchBytes(BatchBytes&&) noexcept = default;
  BatchBytes& operator=(BatchBytes&&) noexcept = default;

  std::span<std::byte> span() { return part_; }
  operator ByteView() const { return part_; }
  std::size_t size() const { return part_.size(); }

 private:
  explicit BatchBytes(std::shared_ptr<Buffer> own) : keeper_(own), part_(*own) {}

  std::shared_ptr<const void> keeper_;
  std::span<std::byte> part_;
};

}  // namespace adbrook::log
