#include "state/pending_store.h"

#include <map>
#include <string>

#include "state/store_test.h"

namespace adbrook::state {
namespace pending_store_test {

struct Child {
  Uuid parent;
  Timestamp due;
  std::string payload;
  friend bool operator==(const Child&, const Child&) = default;
};

struct RandomRun {
  io::SeededRandom random;
  PendingStore store;
  CheckpointedStore saved;
  std::map<std::uint64_t, Child> model;  // by insertion
  std::uint64_t next = 0;
  Timestamp watermark;

  explicit RandomRun(std::uint64_t seed)
      : random(seed),
        store({.hash_seed = random.next()}),
        saved(seed),
        watermark{static_cast<std::int64_t>(random.below(2'000'000)) - 1'000'000} {}

  void add() {
    const std::uint64_t most = random.below(100) ? 10'000 : 900'000'000'000;
    const Child child{test_id(random.below(60)), watermark + Millis(random.below(most)),
                      std::string(random.below(random.below(9) ? 200 : 5000),
                                  static_cast<char>('a' + random.below(26)))};
    store.add(child.parent, child.due, as_bytes(child.payload));
    model.emplace(next++, child);
  }

  void take() {
    const Uuid parent = test_id(random.below(60));
    std::vector<Child> got, expected;
    store.take(parent, [&](Timestamp due, ByteView payload) {
      got.push_back({parent, due, std::string(as_text(payload))});
    });
    std::erase_if(model, [&](const auto& one) {
      if (one.second.parent == parent) expected.push_back(one.second);
      return one.second.parent == parent;
    });
    EXPECT_EQ(got, expected);
  }

  void take_passed() {
    watermark = watermark + Millis(random.below(random.below(50) ? 1000 : 40'000'000'000));
    std::vector<Child> got, expected;
    store.take_passed(watermark, [&](Uuid parent, Timestamp due, ByteView payload) {
      got.push_back({parent, due, std::string(as_text(payload))});
    });
    std::map<std::pair<Timestamp, std::uint64_t>, Child> by_due;
    std::erase_if(model, [&](const auto& one) {
      const bool passed = one.second.due < watermark;
      if (passed) by_due.emplace(std::pair(one.second.due, one.first), one.second);
      return passed;
    });
    for (const auto& [key, child] : by_due) expected.push_back(child);
    EXPECT_EQ(got, expected);
  }

  void step() {
    const auto what = random.below(100);
    if (what < 60) add();
    if (what >= 60 && what < 85) take();
    if (what >= 85 && what < 98) take_passed();
    if (what == 98) saved.save(store);
    if (what == 99) saved.restart(store, PendingStore({.hash_seed = random.next()}));
    EXPECT_EQ(store.count(), model.size());
  }
};

TEST(PendingStore, equals_a_list_under_random_operations) {
  for (const std::uint64_t seed : io::test_seeds(60)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed);
    for (int i = 0; i < 2000 && !testing::Test::HasFailure(); ++i) run.step();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(PendingStore, a_parent_with_very_many_children_costs_no_more_each) {
  PendingStore store;
  for (int n = 0; n < 200'000; ++n) store.add(test_id(1), Timestamp{n}, as_bytes("payload"));
  std::int64_t due = 0;
  store.take_passed(Timestamp{100'000},
                    [&](Uuid, Timestamp at, ByteView) { EXPECT_EQ(at.ms, due++); });
  EXPECT_EQ(store.take(test_id(1), [&](Timestamp at, ByteView) { EXPECT_EQ(at.ms, due++); }),
            100'000u);
}

TEST(PendingStore, is_full_at_its_budget_and_gives_memory_back) {
  PendingStore store({.budget = 2_MiB});
  int added = 0;
  const std::string payload(100, 'x');
  for (; !store.full(); ++added) {
    store.add(test_id(static_cast<std::uint64_t>(added)), Timestamp{added}, as_bytes(payload));
  }
  EXPECT_GT(added, 5000);
  EXPECT_LT(store.memory().count, (2 << 20) + (1 << 19));
  store.take_passed(Timestamp::highest(), [](Uuid, Timestamp, ByteView) {});
  EXPECT_FALSE(store.full());
  EXPECT_LT(store.memory().count, 1 << 20);
}

}  // namespace pending_store_test
}  // namespace adbrook::state
