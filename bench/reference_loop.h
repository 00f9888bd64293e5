// The yardstick: the main job as one hand-written single-thread loop over the same bytes, with no
// log, no expiry, no durability and no generality. Every figure of the pipeline is a ratio to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "huge_table.h"

namespace adbrook::bench {

struct LoopTotals {
  std::uint64_t impressions = 0;
  std::uint64_t clicks = 0;
  std::uint64_t duplicate_impressions = 0;
  std::uint64_t duplicate_clicks = 0;
  std::uint64_t joined = 0;
  std::uint64_t unlinked = 0;
  std::uint64_t spend_micros = 0;
  std::uint64_t cell_count = 0;  // (campaign, publisher, country, minute)
};

// Decode, dedupe, join, count. Feed whole record batches v2 with Avro values, impressions before
// the clicks that name them. A batch is decoded first and counted then, so that the look-ups of its
// events wait for memory together; the tables lie on huge pages. Owned by one thread.
class ReferenceLoop {
 public:
  // Tables are sized once for this many events; nothing grows inside the loop.
  explicit ReferenceLoop(std::uint64_t event_count);

  void impressions(ByteView batch);
  void clicks(ByteView batch);
  LoopTotals totals() const;

 private:
  struct Slot {
    Uuid id;
    std::uint64_t row;  // 0 = free, else 1 + index into rows_ (or 1 for a click)
  };
  struct Row {
    std::int64_t time;
    std::uint32_t campaign;
    std::uint32_t publisher;
    std::uint32_t country;
  };
  struct Cell {
    std::uint64_t key;  // 0 = free
    std::uint64_t impressions;
    std::uint64_t clicks;
    std::uint64_t spend_micros;
  };
  struct Decoded {
    Uuid id;
    Uuid impression;
    Row row;
    bool linked;
    std::uint64_t price;
    std::size_t home;        // of the id in its table
    std::size_t other_home;  // an impression's cell; a click's impression
  };

  void count(const Decoded& impression);
  void join(const Decoded& click);
  static std::size_t home_of(const HugeTable<Slot>& table, Uuid id);
  static Slot& seen(HugeTable<Slot>& table, Uuid id, std::size_t home);
  static std::uint64_t cell_key(const Row& row, std::int64_t time);
  std::size_t home_of_cell(std::uint64_t key) const;
  Cell& cell(std::uint64_t key, std::size_t home);

  HugeTable<Slot> seen_impressions_;
  HugeTable<Slot> seen_clicks_;
  HugeTable<Row> rows_;
  HugeTable<Cell> cells_;
  std::size_t row_count_ = 0;
  std::uint64_t cell_count_ = 0;
  std::vector<Decoded> decoded_;  // of the batch at hand
  LoopTotals totals_;
};

}  // namespace adbrook::bench
