#include "io/huge_pages.h"

#include <malloc.h>
#include <sys/mman.h>

namespace adbrook::io {

void prefer_huge_pages(void* begin, std::size_t size) {
  static_cast<void>(::madvise(begin, size, MADV_HUGEPAGE));
}

void give_back_free_pages() { malloc_trim(0); }

}  // namespace adbrook::io
