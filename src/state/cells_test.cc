#include "state/cells.h"

#include <map>

#include "state/store_test.h"

namespace adbrook::state {
namespace cells_test {

constexpr std::array kRules{Combine::sum, Combine::exclusive_or, Combine::sum};
using TestCells = Cells<kRules>;
using Place = std::tuple<std::size_t, Timestamp, decltype(CellKey::ids)>;

// Every add stays a line of its own; where it is counted follows from the watermark.
struct Model {
  struct Line {
    Timestamp time;
    CellKey key;
    TestCells::Measures deltas;
  };
  std::vector<CellTier> tiers;
  std::vector<Line> lines;

  std::size_t tier_of(Timestamp time, Timestamp watermark) const {
    std::size_t tier = 0;
    while (tier + 1 < tiers.size() && watermark > bucket_start(time, tiers[tier].bucket) +
                                                      tiers[tier].bucket + tiers[tier].retention) {
      ++tier;
    }
    return tier;
  }
  std::map<Place, TestCells::Measures> cells(TimeRange range, Timestamp watermark) const {
    std::map<Place, TestCells::Measures> cells;
    for (const Line& line : lines) {
      const std::size_t tier = tier_of(line.time, watermark);
      const Timestamp start = bucket_start(line.time, tiers[tier].bucket);
      if (start >= range.end || start + tiers[tier].bucket <= range.begin) continue;
      auto& cell = cells[{tier, start, line.key.ids}];
      cell[0] += line.deltas[0];
      cell[1] ^= line.deltas[1];
      cell[2] += line.deltas[2];
    }
    return cells;
  }
};

struct RandomRun {
  io::SeededRandom random;
  CellOptions options;
  TestCells cells;
  CheckpointedStore saved;
  Model model;
  Timestamp watermark;

  explicit RandomRun(std::uint64_t seed)
      : random(seed),
        options(random_options(random)),
        cells(options),
        saved(seed),
        model{options.tiers, {}},
        watermark{static_cast<std::int64_t>(random.below(2'000'000)) - 1'000'000} {}

  static CellOptions random_options(io::SeededRandom& random) {
    CellOptions options;
    options.dimensions = random.below(kCellDimensionsMax + 1);
    options.tiers.clear();
    Millis bucket(1 + random.below(100));
    for (std::uint64_t left = 1 + random.below(3); left > 0; --left) {
      options.tiers.push_back({bucket, Millis(random.below(2000))});
      bucket *= 1 + random.below(20);
    }
    options.hash_seed = random.next();
    return options;
  }

  void add() {
    CellKey key;
    for (std::size_t i = 0; i < options.dimensions; ++i) {
      key.ids[i] = static_cast<std::uint32_t>(random.below(3));
    }
    Timestamp time = watermark - Millis(1000) + Millis(random.below(2000));
    if (random.below(100) == 0) time = time - Millis(random.below(900'000'000'000));
    const TestCells::Measures deltas{random.next(), random.next(), std::uint64_t{0} - 1};
    cells.add(time, key, deltas);
    model.lines.push_back({time, key, deltas});
  }

  void advance() {
    watermark = watermark + Millis(random.below(random.below(30) ? 300 : 40'000'000'000));
  }

  void check() {
    cells.advance(watermark);
    TimeRange range;
    if (random.below(2)) {
      range.begin = watermark - Millis(random.below(3000));
      range.end = range.begin + Millis(random.below(3000));
    }
    std::map<Place, TestCells::Measures> found;
    std::pair<std::size_t, Timestamp> last{0, Timestamp::lowest()};
    cells.for_each(range, [&](const CellBucket& bucket, std::span<const std::uint32_t> ids,
                              const TestCells::Measures& measures) {
      EXPECT_EQ(ids.size(), options.dimensions);
      EXPECT_EQ(bucket.size, options.tiers[bucket.tier].bucket);
      EXPECT_LE(last, std::pair(bucket.tier, bucket.start));
      last = {bucket.tier, bucket.start};
      CellKey key;
      std::ranges::copy(ids, key.ids.begin());
      EXPECT_TRUE(found.emplace(Place{bucket.tier, bucket.start, key.ids}, measures).second);
    });
    EXPECT_EQ(found, model.cells(range, watermark));
  }

  void step() {
    const auto what = random.below(100);
    if (what < 80) return add();
    if (what < 90) return advance();
    if (what < 96) return check();
    if (what < 98) return saved.save(cells);
    saved.restart(cells, TestCells(options));
  }
};

TEST(Cells, equal_a_list_of_all_additions_under_random_operations) {
  for (const std::uint64_t seed : io::test_seeds(60)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed);
    for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) run.step();
    run.check();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(Cells, untouched_buckets_are_not_written_again) {
  CheckpointedStore saved(2);
  TestCells cells;
  for (std::uint32_t n = 0; n < 1000; ++n) cells.add(Timestamp{0}, {{n}}, {1, 1, 1});
  cells.add(Timestamp{60'000}, {{1}}, {1, 1, 1});
  saved.save(cells);
  const auto before = saved.checkpoint().stored_bytes();
  cells.add(Timestamp{60'000}, {{1}}, {1, 1, 1});
  saved.save(cells);
  EXPECT_LT(saved.checkpoint().stored_bytes() - before, 200u);
}

TEST(Cells, a_checkpoint_of_another_shape_is_refused) {
  CheckpointedStore saved(2);
  TestCells cells({.dimensions = 2});
  cells.add(Timestamp{0}, {{1, 2}}, {1, 1, 1});
  saved.save(cells);
  TestCells other({.dimensions = 3});
  EXPECT_EQ(other.load(saved.checkpoint(), "store").error().kind, ErrorKind::corrupt);
}

}  // namespace cells_test
}  // namespace adbrook::state
