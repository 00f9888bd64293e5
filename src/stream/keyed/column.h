// A column of a batch: its values one behind the other, so that a span shows them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace adbrook::stream {

// As much of a std::vector as batches use, for the one type whose vector packs bits instead.
class BoolColumn {
 public:
  bool* begin() { return values_.get(); }
  bool* end() { return values_.get() + size_; }
  const bool* begin() const { return values_.get(); }
  const bool* end() const { return values_.get() + size_; }
  std::size_t size() const { return size_; }
  bool& operator[](std::size_t i) { return values_[i]; }

  // New values are false.
  void resize(std::size_t size) {
    if (size > capacity_) {
      const std::size_t capacity = std::max(size, 2 * capacity_);
      auto grown = std::make_unique<bool[]>(capacity);
      std::copy(begin(), end(), grown.get());
      values_ = std::move(grown);
      capacity_ = capacity;
    }
    if (size > size_) std::fill(end(), values_.get() + size, false);
    size_ = size;
  }
  bool& emplace_back() {
    resize(size_ + 1);
    return values_[size_ - 1];
  }
  void push_back(bool value) { emplace_back() = value; }
  void clear() { size_ = 0; }
  // Only what lies at the end.
  void erase(bool* first, bool*) { size_ = static_cast<std::size_t>(first - begin()); }

 private:
  std::unique_ptr<bool[]> values_;
  std::size_t size_ = 0, capacity_ = 0;
};

template <class T>
using Column = std::conditional_t<std::is_same_v<T, bool>, BoolColumn, std::vector<T>>;

}  // namespace adbrook::stream
