// What the kernel is asked about memory: huge pages for large tables that are read at random, and
// to take back what is free.
#pragma once

#include <cstddef>

namespace adbrook::io {

inline constexpr std::size_t kHugePageSize = std::size_t{2} << 20;

// `begin` is aligned to kHugePageSize and the block is `size` bytes. Where the kernel refuses, the
// memory works all the same, only slower. Thread-safe.
void prefer_huge_pages(void* begin, std::size_t size);

// Gives pages that lie free between allocations back to the kernel. Takes milliseconds: for who has
// just freed much, and whose resident memory has a limit. Thread-safe.
void give_back_free_pages();

}  // namespace adbrook::io
