#include "state/seen_store.h"

#include <map>

#include "state/store_test.h"

namespace adbrook::state {
namespace seen_store_test {

constexpr Timestamp kNoon{1'368'792'000'000};

struct ModelEntry {
  Timestamp time;
  std::uint32_t link = SeenStore::kNoLink;
  bool excluded = false;
};

// What SeenStore promises, in the plainest words.
class Model {
 public:
  explicit Model(Millis horizon) : horizon_(horizon) {}

  ModelEntry* find(Uuid id, Timestamp watermark) {
    const auto at = entries_.find(id);
    if (at == entries_.end() || watermark > at->second.time + horizon_) return nullptr;
    return &at->second;
  }
  void insert(Uuid id, Timestamp time) { entries_[id] = {time}; }

 private:
  Millis horizon_;
  std::map<Uuid, ModelEntry> entries_;
};

struct RandomRun {
  io::SeededRandom random;
  SeenOptions options;
  SeenStore store;
  Model model;
  CheckpointedStore saved;
  Timestamp watermark;

  explicit RandomRun(std::uint64_t seed)
      : random(seed),
        options(random_options(random)),
        store(options),
        model(options.horizon),
        saved(seed),
        watermark{static_cast<std::int64_t>(random.below(4'000'000'000'000)) - 2'000'000'000'000} {}

  static SeenOptions random_options(io::SeededRandom& random) {
    SeenOptions options;
    options.horizon = Millis(1 + random.below(random.below(2) ? 100'000 : 200'000'000));
    options.bucket = Millis(random.below(3) ? random.below(2 * options.horizon.count()) : 0);
    options.hash_seed = random.next();
    return options;
  }

  Timestamp random_time() {
    const auto around = static_cast<std::uint64_t>(options.horizon.count());
    if (random.below(50) == 0) return watermark + Millis(random.below(900'000'000'000));
    return watermark - options.horizon + Millis(random.below(around + around / 2 + 1));
  }

  void check(Uuid id) {
    const auto found = store.find(id, watermark);
    const ModelEntry* expected = model.find(id, watermark);
    ASSERT_EQ(found.has_value(), expected != nullptr);
    if (!found) return;
    EXPECT_EQ(found->time, expected->time);
    EXPECT_EQ(found->link, expected->link);
    EXPECT_EQ(found->excluded, expected->excluded);
  }

  void insert(Uuid id) {
    const Timestamp time = random_time();
    store.prefetch(id);
    const auto inserted = store.find_or_insert(id, time, watermark);
    ModelEntry* known = model.find(id, watermark);
    ASSERT_EQ(inserted.is_new, known == nullptr);
    if (known == nullptr) model.insert(id, time);
    ASSERT_EQ(inserted.seen.time, known ? known->time : time);
  }

  void change(Uuid id) {
    const auto found = store.find(id, watermark);
    if (!found) return;
    ModelEntry* known = model.find(id, watermark);
    if (random.below(2)) {
      known->link = static_cast<std::uint32_t>(random.next());
      store.set_link(found->ref, known->link);
    } else {
      known->excluded = true;
      store.set_excluded(found->ref);
    }
  }

  void advance() {
    const std::uint64_t most = random.below(20) ? 1 + options.horizon.count() / 20 : 30'000'000'000;
    watermark = watermark + Millis(random.below(most));
    store.expire(watermark);
  }

  void step() {
    const Uuid id = test_id(random.below(300));
    const auto what = random.below(100);
    if (what < 50) return insert(id);
    if (what < 80) return check(id);
    if (what < 90) return change(id);
    if (what < 98) return advance();
    if (what < 99) return saved.save(store);
    saved.restart(store, SeenStore(options));
  }
};

TEST(SeenStore, equals_a_map_of_times_under_random_operations) {
  for (const std::uint64_t seed : io::test_seeds(60)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed);
    for (int i = 0; i < 2000 && !testing::Test::HasFailure(); ++i) run.step();
    for (std::uint64_t n = 0; n < 300; ++n) run.check(test_id(n));
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(SeenStore, an_id_is_known_until_the_watermark_passes_its_time_plus_horizon) {
  SeenStore store({.horizon = Millis(1000), .bucket = Millis(700)});
  EXPECT_TRUE(store.find_or_insert(test_id(1), kNoon, kNoon).is_new);
  store.expire(kNoon + Millis(1000));
  EXPECT_TRUE(store.find(test_id(1), kNoon + Millis(1000)));
  EXPECT_FALSE(store.find(test_id(1), kNoon + Millis(1001)));
}

TEST(SeenStore, an_id_is_new_again_while_its_old_entry_is_still_there) {
  SeenStore store({.horizon = Millis(1000), .bucket = Millis(100'000)});
  store.find_or_insert(test_id(1), kNoon, kNoon);
  store.find_or_insert(test_id(2), kNoon + Millis(5000), kNoon);  // keeps the bucket alive
  const Timestamp later = kNoon + Millis(1001);
  store.expire(later);
  ASSERT_EQ(store.count(), 2u);
  EXPECT_TRUE(store.find_or_insert(test_id(1), later, later).is_new);
  // Also after the index was made anew many times, with both entries there.
  for (std::uint64_t n = 3; n < 1000; ++n) store.find_or_insert(test_id(n), later, later);
  EXPECT_EQ(store.find(test_id(1), later)->time, later);
  EXPECT_FALSE(store.find_or_insert(test_id(1), later + Millis(7), later).is_new);
}

TEST(SeenStore, an_empty_store_comes_back_empty) {
  CheckpointedStore saved(1);
  SeenStore store({});
  saved.restart(store, SeenStore({}));
  EXPECT_EQ(store.count(), 0u);
}

TEST(SeenStore, outliers_all_over_a_century_cost_little_memory) {
  SeenStore store({});
  io::SeededRandom random(7);
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    const Timestamp time{static_cast<std::int64_t>(random.below(3'000'000'000'000))};
    store.find_or_insert(test_id(n), time, Timestamp{0});
  }
  EXPECT_EQ(store.count(), 200'000u);
  EXPECT_LT(store.memory().count, 32 << 20);
  store.expire(Timestamp{4'000'000'000'000});
  EXPECT_EQ(store.count(), 0u);
  EXPECT_LT(store.memory().count, 2 << 20);
}

TEST(SeenStore, only_new_entries_are_written_again) {
  CheckpointedStore saved(2);
  SeenStore store({});
  for (std::uint64_t n = 0; n < 10'000; ++n) store.find_or_insert(test_id(n), kNoon, kNoon);
  saved.save(store);
  const auto before = saved.checkpoint().stored_bytes();
  store.find_or_insert(test_id(10'000), kNoon, kNoon);
  saved.save(store);
  EXPECT_LT(saved.checkpoint().stored_bytes() - before, 100u);
  store.set_link(store.find(test_id(3), kNoon)->ref, 33);
  saved.restart(store, SeenStore({}));
  EXPECT_EQ(store.find(test_id(3), kNoon)->link, 33u);
}

TEST(SeenStore, a_bucket_of_another_size_is_loaded_by_its_times) {
  CheckpointedStore saved(3);
  SeenStore store({.horizon = Millis(100'000), .bucket = Millis(1000)});
  for (std::uint64_t n = 0; n < 500; ++n) {
    store.find_or_insert(test_id(n), kNoon + Millis(n * 77), kNoon);
  }
  saved.restart(store, SeenStore({.horizon = Millis(100'000), .bucket = Millis(7777)}));
  for (std::uint64_t n = 0; n < 500; ++n) {
    EXPECT_EQ(store.find(test_id(n), kNoon)->time, kNoon + Millis(n * 77));
  }
  saved.restart(store, SeenStore({.horizon = Millis(100'000), .bucket = Millis(7777)}));
  EXPECT_EQ(store.count(), 500u);
}

}  // namespace seen_store_test
}  // namespace adbrook::state
