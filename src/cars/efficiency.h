// The cold path of connected cars: what a car used on a route. Sums of whole numbers over readings,
// each counted once by its row number, so that no order of arrival and no repetition changes them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "cars/telemetry.h"

namespace adbrook::cars {

// Which rows of a route were counted, as runs of neighbours: one run while nothing is missing.
class RowSet {
 public:
  struct Run {
    std::uint64_t first, end;  // [first, end)
    friend bool operator==(const Run&, const Run&) = default;
  };
  // More runs than this mean that rows are missing all over: no more are taken.
  static constexpr std::size_t kRunCountMax = 1024;

  enum class Added : std::uint8_t { added, was_there, full };
  Added add(std::uint64_t row);

  // All rows of both, however many runs that gives.
  void merge(const RowSet& other);

  const std::vector<Run>& runs() const { return runs_; }
  std::uint64_t row_count() const;

  void encode(Buffer& to) const;
  // Takes the front of `from`. False: these are no bytes of a row set.
  bool decode(ByteView& from);
  friend bool operator==(const RowSet&, const RowSet&) = default;

 private:
  std::vector<Run> runs_;  // in order, never touching
};

// Millimetres, microlitres and milliseconds.
struct RouteTotals {
  RowSet rows;
  std::int64_t covered_ms = 0;
  std::int64_t distance_mm = 0;
  // Of readings that tell both speed and fuel: only these can be divided.
  std::int64_t fuelled_mm = 0;
  std::int64_t fuel_ul = 0;

  // False: the set of rows is full and the reading is not in the sums.
  bool add(const Telemetry& reading);

  // Takes in what another task has counted of the route. A row that both have counts twice.
  void merge(const RouteTotals& other);

  // Absent where a route has no fuel or did not move.
  std::optional<double> litres_per_100_km() const;

  void encode(Buffer& to) const;
  bool decode(ByteView from);
  friend bool operator==(const RouteTotals&, const RouteTotals&) = default;
};

}  // namespace adbrook::cars
