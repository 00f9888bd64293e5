// A zeroed table of fixed size on huge pages, for look-ups at random places in large memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "io/huge_pages.h"

namespace adbrook::bench {

// Owned by one thread. Every page has been touched when the constructor returns.
template <class T>
class HugeTable {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit HugeTable(std::size_t count) : count_(count) {
    const std::size_t size =
        (count * sizeof(T) + io::kHugePageSize - 1) / io::kHugePageSize * io::kHugePageSize;
    rows_.reset(static_cast<T*>(::operator new(size, std::align_val_t{io::kHugePageSize})));
    io::prefer_huge_pages(rows_.get(), size);
    std::memset(static_cast<void*>(rows_.get()), 0, size);
  }

  T& operator[](std::size_t index) { return rows_.get()[index]; }
  const T& operator[](std::size_t index) const { return rows_.get()[index]; }
  std::size_t size() const { return count_; }

 private:
  struct Free {
    void operator()(T* rows) const { ::operator delete(rows, std::align_val_t{io::kHugePageSize}); }
  };
  std::unique_ptr<T, Free> rows_;
  std::size_t count_;
};

}  // namespace adbrook::bench
