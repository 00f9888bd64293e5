// The zeroed 64-bit slots of a large hash index. Probes go anywhere in it, so that with pages of
// 4 KiB nearly every one also misses the TLB: large arrays ask the kernel for huge pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace adbrook::state {

struct FreeSlots {
  std::align_val_t alignment{sizeof(std::uint64_t)};
  void operator()(std::uint64_t* slots) const { ::operator delete(slots, alignment); }
};

// Owned by one thread.
class SlotArray {
 public:
  SlotArray() = default;
  explicit SlotArray(std::size_t count);

  std::uint64_t& operator[](std::size_t index) { return slots_.get()[index]; }
  std::uint64_t operator[](std::size_t index) const { return slots_.get()[index]; }
  const std::uint64_t* begin() const { return slots_.get(); }
  std::size_t size() const { return count_; }
  std::size_t memory() const { return bytes_; }

 private:
  std::unique_ptr<std::uint64_t, FreeSlots> slots_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace adbrook::state
