#include "state/window_store.h"

#include <map>
#include <vector>

#include "state/store_test.h"

namespace adbrook::state {
namespace window_store_test {

struct Row {
  std::uint64_t number;
  std::uint32_t changed;
};

struct ModelRow {
  Timestamp time;
  WindowRef ref;
  std::uint64_t number;
  std::uint32_t changed = 0;
  std::vector<WindowChild> children;
};

struct RandomRun {
  io::SeededRandom random;
  Millis bucket;
  WindowStore<Row> store;
  CheckpointedStore saved;
  std::map<std::pair<Timestamp, std::uint64_t>, ModelRow> model;  // by (time, insertion)
  std::vector<std::pair<Timestamp, WindowRef>> gone;
  Timestamp limit;
  std::int64_t spread;
  std::uint64_t next_number = 0;

  explicit RandomRun(std::uint64_t seed)
      : random(seed),
        bucket(1 + random.below(random.below(2) ? 50 : 100'000)),
        store(bucket),
        saved(seed),
        limit{static_cast<std::int64_t>(random.below(2'000'000)) - 1'000'000},
        spread(static_cast<std::int64_t>(1 + random.below(20'000))) {}

  void add() {
    Timestamp time = limit - Millis(spread / 10) + Millis(random.below(spread));
    if (random.below(200) == 0) time = time + Millis(random.below(900'000'000'000));
    const std::uint64_t number = next_number++;
    const WindowRef ref = store.add(time, {number, 0});
    model.emplace(std::pair(time, number), ModelRow{time, ref, number});
  }

  ModelRow* some_row() {
    if (model.empty()) return nullptr;
    const Timestamp from = model.begin()->second.time + Millis(random.below(spread));
    auto at = model.lower_bound({from, 0});
    return at == model.end() ? &model.begin()->second : &at->second;
  }

  void change() {
    ModelRow* row = some_row();
    if (row == nullptr) return;
    row->changed = static_cast<std::uint32_t>(random.next());
    store.change(row->time, row->ref)->changed = row->changed;
  }

  void add_child() {
    ModelRow* row = some_row();
    if (row == nullptr) return;
    const WindowChild child{row->time + Millis(random.below(50)), test_id(random.below(1000))};
    store.add_child(row->time, row->ref, child);
    row->children.push_back(child);
    EXPECT_EQ(*store.first_child(row->time, row->ref), *std::ranges::min_element(row->children));
  }

  void check() {
    const ModelRow* row = some_row();
    if (row == nullptr) return;
    const Row* found = store.find(row->time, row->ref);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->number, row->number);
    EXPECT_EQ(found->changed, row->changed);
    EXPECT_EQ(store.first_child(row->time, row->ref) == nullptr, row->children.empty());
  }

  void take() {
    const bool jump = random.below(40) == 0;
    limit = limit + Millis(random.below(jump ? 40'000'000'000 : spread / 10 + 1));
    store.take_closed(limit, [&](Timestamp time, WindowRef ref, const Row& row,
                                 std::span<const WindowChild> children) {
      ASSERT_FALSE(model.empty());
      auto first = model.extract(model.begin());
      ModelRow& expected = first.mapped();
      EXPECT_EQ(time, expected.time);
      EXPECT_EQ(ref, expected.ref);
      EXPECT_EQ(row.number, expected.number);
      EXPECT_EQ(row.changed, expected.changed);
      std::ranges::sort(expected.children);
      EXPECT_TRUE(std::ranges::equal(children, expected.children));
      gone.emplace_back(time, ref);
    });
    EXPECT_TRUE(model.empty() || model.begin()->first.first > limit);
    EXPECT_EQ(store.count(), model.size());
    for (const auto& [time, ref] : gone) EXPECT_EQ(store.find(time, ref), nullptr);
    gone.clear();
  }

  void step() {
    const auto what = random.below(100);
    if (what < 60) return add();
    if (what < 70) return check();
    if (what < 75) return change();
    if (what < 88) return add_child();
    if (what < 98) return take();
    if (what < 99) return saved.save(store);
    saved.restart(store, WindowStore<Row>(bucket));
  }
};

TEST(WindowStore, equals_a_map_by_time_under_random_operations) {
  for (const std::uint64_t seed : io::test_seeds(60)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed);
    for (int i = 0; i < 2000 && !testing::Test::HasFailure(); ++i) run.step();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(WindowStore, many_rows_in_one_bucket_come_out_by_time_then_insertion) {
  WindowStore<Row> store(std::chrono::hours(24 * 30));
  io::SeededRandom random(5);
  for (std::uint64_t n = 0; n < 5000; ++n) {
    store.add(Timestamp{static_cast<std::int64_t>(random.below(2'000'000'000))}, {n, 0});
    store.add(Timestamp{77}, {n + 5000, 0});
  }
  std::pair<Timestamp, std::uint64_t> last{Timestamp{-1}, 0};
  const std::size_t taken =
      store.take_closed(Timestamp::highest(), [&](Timestamp time, WindowRef, const Row& row, auto) {
        EXPECT_LT(last, std::pair(time, row.number));
        last = {time, row.number};
      });
  EXPECT_EQ(taken, 10'000u);
}

TEST(WindowStore, untouched_buckets_are_not_written_again) {
  CheckpointedStore saved(2);
  WindowStore<Row> store(Millis(1000));
  for (int n = 0; n < 10'000; ++n) store.add(Timestamp{1}, {1, 0});
  const WindowRef ref = store.add(Timestamp{1000}, {1, 0});
  saved.save(store);
  const auto before = saved.checkpoint().stored_bytes();
  store.change(Timestamp{1000}, ref)->changed = 1;
  saved.save(store);
  EXPECT_LT(saved.checkpoint().stored_bytes() - before, 200u);
}

}  // namespace window_store_test
}  // namespace adbrook::state
