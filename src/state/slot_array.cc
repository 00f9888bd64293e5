#include "state/slot_array.h"

#include <cstring>

#include "io/huge_pages.h"

namespace adbrook::state {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kAllocationHead = 16;

}  // namespace

SlotArray::SlotArray(std::size_t count) : count_(count) {
  const std::size_t size = count * sizeof(std::uint64_t);
  const bool huge = size >= io::kHugePageSize;
  const std::size_t room =
      huge ? (size + io::kHugePageSize - 1) / io::kHugePageSize * io::kHugePageSize : size;
  const std::align_val_t alignment{huge ? io::kHugePageSize : kCacheLine};
  slots_ = {static_cast<std::uint64_t*>(::operator new(room, alignment)), FreeSlots{alignment}};
  bytes_ = room + kAllocationHead;
  if (huge) io::prefer_huge_pages(slots_.get(), room);
  std::memset(slots_.get(), 0, room);
}

}  // namespace adbrook::state
