// The yardstick: the main job as one hand-written single-thread loop over the same bytes, with no
// log, no expiry, no durability and no generality. Every figure of the pipeline is a ratio to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace adbrook::bench {

struct LoopTotals {
  std::uint64_t impressions = 0;
  std::uint64_t clicks = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t joined = 0;
  std::uint64_t unlinked = 0;
  std::uint64_t spend_micros = 0;
  std::uint64_t cell_count = 0;  // (campaign, publisher, country, minute)
};

// Decode, dedupe, join, count. Feed whole record batches v2 with Avro values, impressions before
// the clicks that name them. Owned by one thread.
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
    std::uint32_t row;  // 0 = free, else 1 + index into rows_ (or 1 for a click)
  };
  struct Row {
    std::int64_t time;
    std::uint32_t campaign;
    std::uint32_t publisher;
    std::uint32_t country;
  };
  struct Cell {
    std::uint64_t key = 0;  // 0 = free
    std::uint64_t impressions = 0;
    std::uint64_t clicks = 0;
    std::uint64_t spend_micros = 0;
  };

  Slot* seen(std::vector<Slot>& table, Uuid id);
  Cell& cell(std::uint32_t campaign, std::uint32_t publisher, std::uint32_t country,
             std::int64_t time);

  std::vector<Slot> seen_impressions_;
  std::vector<Slot> seen_clicks_;
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
  std::uint64_t cell_count_ = 0;
  LoopTotals totals_;
};

}  // namespace adbrook::bench
