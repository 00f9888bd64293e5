#include "state/slot_array.h"

#include <sys/mman.h>

#include <cstring>

namespace adbrook::state {
namespace {

constexpr std::size_t kHugePage = 2 << 20;
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kAllocationHead = 16;

}  // namespace

SlotArray::SlotArray(std::size_t count) : count_(count) {
  const std::size_t size = count * sizeof(std::uint64_t);
  const bool huge = size >= kHugePage;
  const std::size_t room = huge ? (size + kHugePage - 1) / kHugePage * kHugePage : size;
  const std::align_val_t alignment{huge ? kHugePage : kCacheLine};
  slots_ = {static_cast<std::uint64_t*>(::operator new(room, alignment)), FreeSlots{alignment}};
  bytes_ = room + kAllocationHead;
  // Refused where huge pages are off: then it is only slower.
  if (huge) static_cast<void>(::madvise(slots_.get(), room, MADV_HUGEPAGE));
  std::memset(slots_.get(), 0, room);
}

}  // namespace adbrook::state
