// One view: a group-by of up to eight dictionary ids over buckets of event time, kept fine for
// recent times and folded into coarser buckets for older ones. Nothing is ever dropped.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "state/checkpoint.h"
#include "state/time_buckets.h"

namespace adbrook::state {

constexpr std::size_t kCellDimensionsMax = 8;
constexpr std::size_t kCellMeasuresMax = 16;
constexpr std::size_t kCellTiersMax = 3;

// How a measure's deltas add up: sum mod 2^64 (so that -1 is 2^64 - 1), or exclusive or.
enum class Combine : std::uint8_t { sum, exclusive_or };

// Unused ids stay 0.
struct CellKey {
  alignas(8) std::array<std::uint32_t, kCellDimensionsMax> ids{};
  friend bool operator==(const CellKey&, const CellKey&) = default;
};

// Each size is a multiple of the one before. A bucket goes into the next tier when the watermark
// has passed its end + retention; the last tier keeps its buckets.
struct CellTier {
  Millis bucket;
  Millis retention;
};

struct CellOptions {
  std::size_t dimensions = 1;  // how many of a key's ids are used
  std::vector<CellTier> tiers{{std::chrono::minutes(1), std::chrono::hours(48)},
                              {std::chrono::hours(1), std::chrono::hours(24 * 62)},
                              {std::chrono::hours(24), Millis(0)}};  // one to three
  std::uint64_t hash_seed = 0;                                       // secret; changes no answer
};

// Where a cell lies: a time has its cells in exactly one bucket of one tier after advance().
struct CellBucket {
  std::size_t tier = 0;
  Timestamp start;
  Millis size{0};
};

// Owned by one thread. kRules is a std::array<Combine, n>, one rule per measure, n <= 16.
template <auto kRules>
class Cells {
  static_assert(kRules.size() >= 1 && kRules.size() <= kCellMeasuresMax);

 public:
  using Measures = std::array<std::uint64_t, kRules.size()>;

  explicit Cells(CellOptions options = {});

  // Combines `deltas` into the cell of `key` in the finest bucket that holds `time`.
  void add(Timestamp time, const CellKey& key, const Measures& deltas);

  // Folds what the watermark has passed. It never goes back.
  void advance(Timestamp watermark);

  // Every cell of every bucket that overlaps `range`, ordered by tier (finest first), bucket start
  // and first appearance: f(const CellBucket&, std::span<const std::uint32_t> ids,
  // const Measures&). The caller decides what to do with a bucket that sticks out of the range.
  template <class F>
  void for_each(TimeRange range, F&& f) const;

  std::size_t count() const;  // cells of all tiers
  Bytes memory() const;       // all of it, by capacity

  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  static constexpr std::uint32_t kStoreVersion = 2;
  static constexpr std::size_t kSlotsMin = 8;
  static constexpr std::size_t kAllocationHead = 16;
  using KeyWords = std::array<std::uint64_t, kCellDimensionsMax / 2>;

  // A row is the words of the key and then the measures.
  struct Bucket {
    std::vector<std::uint64_t> rows;
    // Open addressing: the upper half of the key's hash, the row's index + 1; their count is a
    // power of two.
    std::vector<std::uint64_t> slots = std::vector<std::uint64_t>(kSlotsMin);
    std::uint32_t count = 0;
    bool dirty = true;
  };

  std::uint64_t hash(const std::uint64_t* key) const;
  bool same_key(const std::uint64_t* a, const std::uint64_t* b) const;
  std::uint64_t* find_or_add(Bucket& bucket, const std::uint64_t* key);
  std::size_t slot_of(const Bucket& bucket, const std::uint64_t* key, std::uint64_t hash) const;
  void grow(Bucket& bucket) const;
  static void combine(std::uint64_t* into, const std::uint64_t* deltas);
  void fold(const Bucket& from, Bucket& into);
  template <class F>
  void for_each_in(const Bucket& bucket, const CellBucket& place, F& f) const;
  static std::size_t size_of(const Bucket& bucket);
  ByteView packed(const Bucket& bucket, Buffer& into) const;
  bool decode(ByteView bytes, Bucket& bucket, std::uint32_t count);
  void save_tier(std::size_t tier, Checkpoint& checkpoint, std::string_view name, Buffer& meta,
                 std::set<std::string>& kept);
  static std::string bucket_blob(std::string_view name, std::size_t tier, Timestamp start);

  CellOptions options_;
  std::size_t key_words_;
  std::size_t row_words_;
  std::vector<TimeBuckets<Bucket>> tiers_;
  std::size_t bucket_bytes_ = 0;  // sum of size_of(), kept so that memory() needs no walk
};

}  // namespace adbrook::state

#include "state/cells_body.h"
