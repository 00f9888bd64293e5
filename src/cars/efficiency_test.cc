#include "cars/efficiency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "io/random.h"
#include "io/test_seed.h"

namespace adbrook::cars {
namespace {

Telemetry reading(std::uint64_t row, double speed, std::optional<double> rate) {
  Telemetry made;
  made.row = row;
  made.covers = Millis(1000);
  made[Signal::speed_kmh] = speed;
  made[Signal::fuel_rate_lph] = rate;
  return made;
}

TEST(RouteTotals, an_hour_at_100_kmh_and_6_litres_is_6_litres_per_100_km) {
  RouteTotals totals;
  for (std::uint64_t row = 0; row < 3600; ++row) EXPECT_TRUE(totals.add(reading(row, 100, 6)));
  EXPECT_EQ(totals.covered_ms, 3'600'000);
  EXPECT_NEAR(static_cast<double>(totals.distance_mm) / 1e6, 100, 0.001);
  ASSERT_TRUE(totals.litres_per_100_km());
  EXPECT_NEAR(*totals.litres_per_100_km(), 6, 0.002);
}

TEST(RouteTotals, distance_without_fuel_is_not_in_the_efficiency) {
  RouteTotals totals;
  totals.add(reading(0, 72, 7.2));
  totals.add(reading(1, 72, std::nullopt));
  EXPECT_EQ(totals.distance_mm, 40'000);
  EXPECT_EQ(totals.fuelled_mm, 20'000);
  EXPECT_NEAR(*totals.litres_per_100_km(), 10, 1e-9);
}

TEST(RouteTotals, a_route_without_fuel_has_no_efficiency) {
  RouteTotals totals;
  totals.add(reading(0, 72, std::nullopt));
  EXPECT_EQ(totals.litres_per_100_km(), std::nullopt);
}

TEST(RouteTotals, what_was_measured_counts_before_a_rate) {
  RouteTotals totals;
  Telemetry both = reading(0, 36, 1);
  both[Signal::fuel_used_l] = 0.005;
  totals.add(both);
  EXPECT_EQ(totals.fuel_ul, 5000);
}

TEST(RouteTotals, neither_order_nor_repetition_changes_them) {
  const auto seed = io::test_seeds(1).front();
  SCOPED_TRACE(io::seed_note(seed));
  io::SeededRandom random(seed);
  std::vector<Telemetry> readings;
  RouteTotals in_order;
  for (std::uint64_t row = 0; row < 500; ++row) {
    readings.push_back(reading(row, static_cast<double>(random.below(200)),
                               static_cast<double>(random.below(30))));
    in_order.add(readings.back());
  }
  for (std::size_t i = 0; i < 500; ++i) readings.push_back(readings[random.below(500)]);
  for (std::size_t i = readings.size() - 1; i > 0; --i)
    std::swap(readings[i], readings[random.below(i + 1)]);
  RouteTotals shuffled;
  for (const Telemetry& one : readings) EXPECT_TRUE(shuffled.add(one));
  EXPECT_EQ(shuffled, in_order);
  EXPECT_EQ(shuffled.rows.runs(), (std::vector<RowSet::Run>{{0, 500}}));
}

TEST(RouteTotals, bytes_read_back_the_same_and_damaged_ones_are_refused) {
  RouteTotals totals;
  for (const std::uint64_t row : {0, 1, 5, 7, 8}) totals.add(reading(row, 50, 4));
  Buffer bytes;
  totals.encode(bytes);
  RouteTotals again;
  ASSERT_TRUE(again.decode(bytes));
  EXPECT_EQ(again, totals);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(again.decode(ByteView(bytes).first(size))) << size;
  std::swap_ranges(bytes.begin() + 4, bytes.begin() + 20, bytes.begin() + 20);
  EXPECT_FALSE(again.decode(bytes)) << "runs out of order";
}

TEST(RowSet, agrees_with_a_plain_set) {
  const auto seed = io::test_seeds(1).front();
  SCOPED_TRACE(io::seed_note(seed));
  io::SeededRandom random(seed);
  RowSet rows;
  std::set<std::uint64_t> plain;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t row = random.below(1000);
    EXPECT_EQ(rows.add(row) == RowSet::Added::added, plain.insert(row).second);
    EXPECT_EQ(rows.row_count(), plain.size());
  }
}

TEST(RowSet, merged_has_the_rows_of_both) {
  const auto seed = io::test_seeds(1).front();
  SCOPED_TRACE(io::seed_note(seed));
  io::SeededRandom random(seed);
  for (int round = 0; round < 100; ++round) {
    RowSet one, other, all;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t row = random.below(100);
      (i % 2 == 0 ? one : other).add(row);
      all.add(row);
    }
    one.merge(other);
    ASSERT_EQ(one, all);
  }
}

TEST(RowSet, takes_no_more_runs_than_its_limit) {
  RowSet rows;
  for (std::uint64_t i = 0; i < RowSet::kRunCountMax; ++i)
    EXPECT_EQ(rows.add(2 * i), RowSet::Added::added);
  EXPECT_EQ(rows.add(1'000'000), RowSet::Added::full);
  EXPECT_EQ(rows.add(1), RowSet::Added::added) << "it joins two runs";
}

}  // namespace
}  // namespace adbrook::cars
