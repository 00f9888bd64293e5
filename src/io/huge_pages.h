// Asks the kernel to back a large block of memory with huge pages, for tables that are read at
// random.
#pragma once

#include <cstddef>

namespace adbrook::io {

inline constexpr std::size_t kHugePageSize = std::size_t{2} << 20;

// `begin` is aligned to kHugePageSize and the block is `size` bytes. Where the kernel refuses, the
// memory works all the same, only slower. Thread-safe.
void prefer_huge_pages(void* begin, std::size_t size);

}  // namespace adbrook::io
