// Buckets of event time, found by a time: only those that hold something exist, so that a jump of
// months costs nothing. The last few are found without a search.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "base/time.h"

namespace adbrook::state {

// Half-open.
struct TimeRange {
  Timestamp begin = Timestamp::lowest();
  Timestamp end = Timestamp::highest();
};

// Owned by one thread. A bucket stays where it is until it is erased.
template <class Bucket>
class TimeBuckets {
 public:
  using Map = std::map<Timestamp, Bucket>;
  using iterator = typename Map::iterator;

  explicit TimeBuckets(Millis size) : size_(size) {}

  Millis bucket_size() const { return size_; }
  Timestamp start_of(Timestamp time) const { return bucket_start(time, size_); }

  // The bucket that holds `time`, or nullptr.
  Bucket* find(Timestamp time) {
    if (Bucket* known = remembered(time)) return known;
    const auto at = map_.find(start_of(time));
    return at == map_.end() ? nullptr : remember(at);
  }

  // The bucket that holds `time`, made when absent.
  Bucket& at(Timestamp time) {
    if (Bucket* known = remembered(time)) return *known;
    return *remember(map_.try_emplace(start_of(time)).first);
  }

  iterator begin() { return map_.begin(); }
  iterator end() { return map_.end(); }
  auto begin() const { return map_.begin(); }
  auto end() const { return map_.end(); }
  auto lower_bound(Timestamp start) const { return map_.lower_bound(start); }
  std::size_t size() const { return map_.size(); }
  bool empty() const { return map_.empty(); }

  iterator erase(iterator at) {
    last_ = {};
    return map_.erase(at);
  }
  void clear() {
    last_ = {};
    map_.clear();
  }

  // The map's nodes; what a bucket owns besides is the store's to count.
  std::size_t node_bytes() const {
    constexpr std::size_t kNodeHead = 32, kAllocationHead = 16;
    return map_.size() * (sizeof(typename Map::value_type) + kNodeHead + kAllocationHead);
  }

 private:
  // Events alternate between a bucket and its neighbour when their order is disturbed.
  static constexpr std::size_t kRemembered = 4;
  struct Remembered {
    Timestamp start = Timestamp::highest();
    Bucket* bucket = nullptr;
  };

  Bucket* remembered(Timestamp time) const {
    for (const Remembered& one : last_) {
      if (time >= one.start && time.ms - one.start.ms < size_.count()) return one.bucket;
    }
    return nullptr;
  }
  Bucket* remember(iterator at) {
    last_[next_] = {at->first, &at->second};
    next_ = (next_ + 1) % kRemembered;
    return &at->second;
  }

  Millis size_;
  Map map_;
  std::array<Remembered, kRemembered> last_{};
  std::size_t next_ = 0;
};

}  // namespace adbrook::state
