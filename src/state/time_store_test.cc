#include "state/time_store.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "state/byte_store_test.h"

namespace adbrook::state {
namespace time_store_test {

struct Place {
  std::int64_t time;
  std::string key;
  std::uint32_t sequence;
  friend auto operator<=>(const Place&, const Place&) = default;
};
struct Model {
  std::map<Place, std::string> entries;
  std::int64_t limit = Timestamp::lowest().ms;
};
using Modelled = ModelledStore<TimeStore, TimeStoreOptions, Model>;
using Found = std::vector<std::pair<Place, std::string>>;

TimeStoreOptions draw_options(std::uint64_t seed) {
  io::SeededRandom random(seed * 3);
  return {.hash_seed = random.next(),
          .bucket = Millis(static_cast<std::int64_t>(1 + random.below(2000)))};
}

// So small that all there is goes to disk again and again.
TimeStoreOptions draw_spilling(std::uint64_t seed) {
  io::SeededRandom random(seed * 3);
  return {.budget = Bytes{std::int64_t{1} << (16 + random.below(3))},
          .over_budget = OverBudget::spill,
          .hash_seed = random.next(),
          .bucket = Millis(static_cast<std::int64_t>(500 + random.below(5000)))};
}

class RandomRun {
 public:
  RandomRun(std::uint64_t seed, TimeStoreOptions options)
      : random_(seed),
        modelled_(seed, options),
        variety_(1 + random_.below(500)),
        now_(static_cast<std::int64_t>(random_.below(100'000)) - 50'000) {}

  void step() {
    static_cast<void>(modelled_.failed());
    now_ += static_cast<std::int64_t>(random_.below(20));
    const std::uint64_t what = random_.below(1000);
    if (what < 300) return add();
    if (what < 400) return put();
    if (what < 550) return upsert();
    if (what < 650) return erase();
    if (what < 750) return get();
    if (what < 970) return fetch();
    if (what < 980) return scan(time(), time());
    if (what < 985) return expire();
    if (what < 996) return modelled_.save();
    if (what < 997) return modelled_.save_and_crash_inside();
    if (what < 999) return modelled_.plan_a_failure();
    modelled_.crash();
  }
  Modelled& modelled() { return modelled_; }
  void scan_all() { scan(Timestamp::lowest(), Timestamp::highest()); }

 private:
  TimeStore& store() { return modelled_.store(); }
  Model& model() { return modelled_.model(); }
  std::string key() { return draw_key(random_, variety_); }
  Timestamp time() {
    const std::uint64_t kind = random_.below(100);
    const std::uint64_t spread = kind == 0 ? 10'000'000 : kind < 30 ? 20'000 : 500;
    return {now_ - static_cast<std::int64_t>(random_.below(spread)) / 10 * 10};
  }

  void add() {
    const std::string name = key(), value = draw_value(random_);
    const Timestamp when = time();
    store().add(as_bytes(name), when, as_bytes(value));
    if (modelled_.failed()) return;
    if (when.ms < model().limit) return;
    std::uint32_t sequence = 0;
    for (const auto& [place, ignored] : model().entries)
      if (place.time == when.ms && place.key == name) sequence = place.sequence + 1;
    model().entries[{when.ms, name, sequence}] = value;
  }

  void put() {
    const std::string name = key(), value = draw_value(random_);
    const Timestamp when = time();
    store().put(as_bytes(name), when, as_bytes(value));
    if (when.ms >= model().limit) model().entries[{when.ms, name, 0}] = value;
  }

  void upsert() {
    const std::string name = key();
    const Timestamp when = time();
    const std::size_t size = random_.below(30) == 0 ? random_.below(100) : 1 + name.size() % 9;
    const std::span<std::byte> value = store().upsert(as_bytes(name), when, size);
    if (modelled_.failed()) return;
    EXPECT_EQ(value.size(), size);
    std::string dropped;
    std::string& expected = when.ms < model().limit ? dropped : model().entries[{when.ms, name, 0}];
    if (expected.size() != size) expected.assign(size, '\0');
    EXPECT_EQ(text_of(value), expected);
    if (size == 0) return;
    value[0] = static_cast<std::byte>(static_cast<int>(value[0]) + 1);
    ++expected[0];
  }

  void erase() {
    const std::string name = key();
    const Timestamp when = time();
    const auto sequence = static_cast<std::uint32_t>(random_.below(3));
    const bool erased = store().erase(as_bytes(name), when, sequence);
    if (modelled_.failed()) return;
    EXPECT_EQ(erased, model().entries.erase({when.ms, name, sequence}) == 1);
  }

  void get() {
    const std::string name = key();
    const Timestamp when = time();
    const auto found = store().get(as_bytes(name), when);
    if (modelled_.failed()) return;
    const auto expected = model().entries.find({when.ms, name, 0});
    ASSERT_EQ(found.has_value(), expected != model().entries.end());
    if (found) {
      EXPECT_EQ(text_of(*found), expected->second);
    }
  }

  void fetch() {
    const std::string name = key();
    const Timestamp first = random_.below(10) == 0 ? Timestamp::lowest() : time();
    const Timestamp last = random_.below(10) == 0 ? Timestamp::highest() : time();
    Found found, expected;
    store().fetch(as_bytes(name), first, last, [&](Timestamp at, std::uint32_t n, ByteView value) {
      found.emplace_back(Place{at.ms, name, n}, text_of(value));
    });
    if (modelled_.failed()) return;
    for (const auto& [place, value] : model().entries)
      if (place.key == name && place.time >= first.ms && place.time <= last.ms)
        expected.emplace_back(place, value);
    EXPECT_EQ(found, expected);
  }

  void scan(Timestamp first, Timestamp last) {
    Found found, expected;
    store().for_each(first, last,
                     [&](ByteView name, Timestamp at, std::uint32_t n, ByteView value) {
                       found.emplace_back(Place{at.ms, text_of(name), n}, text_of(value));
                     });
    if (modelled_.failed()) return;
    for (const auto& entry : model().entries)
      if (entry.first.time >= first.ms && entry.first.time <= last.ms) expected.push_back(entry);
    EXPECT_EQ(found, expected);
    EXPECT_GE(store().count(), model().entries.size());
    ASSERT_TRUE(store().trouble()) << store().trouble().error().message;
  }

  void expire() {
    const std::int64_t before = now_ - static_cast<std::int64_t>(random_.below(8'000));
    store().expire({before});
    model().limit = std::max(model().limit, before);
    std::erase_if(model().entries,
                  [&](const auto& entry) { return entry.first.time < model().limit; });
  }

  io::SeededRandom random_;
  Modelled modelled_;
  std::uint64_t variety_;
  std::int64_t now_;
};

TEST(TimeStore, equals_a_map_under_random_operations_and_crashes) {
  for (const std::uint64_t seed : io::test_seeds(40)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed, draw_options(seed));
    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) run.step();
    run.scan_all();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(TimeStore, equals_a_map_also_when_most_of_it_is_on_disk) {
  std::uint64_t spilled_runs = 0, failures = 0;
  const auto seeds = io::test_seeds(40);
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed, draw_spilling(seed));
    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) run.step();
    run.scan_all();
    ASSERT_FALSE(testing::Test::HasFailure());
    spilled_runs += run.modelled().checkpoint().names("store:run/").size();
    failures += run.modelled().failure_count();
  }
  if (seeds.size() == 1) return;
  EXPECT_GT(spilled_runs, 0u) << "nothing was spilled";
  EXPECT_GT(failures, 0u) << "no disk failed while it was spilled to";
}

TEST(TimeStore, unchanged_buckets_are_not_written_again_and_changes_are_put_behind) {
  Modelled modelled(1, {.bucket = Millis(1000)});
  for (int n = 0; n < 20'000; ++n)
    modelled.store().add(as_bytes("key " + std::to_string(n % 300)), {n}, as_bytes("some value"));
  modelled.save();
  const auto before = modelled.checkpoint().stored_bytes();
  modelled.store().put(as_bytes("key 0"), {3000}, as_bytes("another value"));
  modelled.store().erase(as_bytes("key 1"), {3001});
  modelled.save();
  EXPECT_LT(modelled.checkpoint().stored_bytes() - before, 2000u);
  modelled.crash();
  EXPECT_EQ(modelled.store().count(), 19'999u);
  EXPECT_EQ(text_of(*modelled.store().get(as_bytes("key 0"), {3000})), "another value");
}

TEST(TimeStore, expired_buckets_give_their_memory_back) {
  TimeStore store({.bucket = Millis(1000)});
  std::int64_t most = 0;
  for (int n = 0; n < 200'000; ++n) {
    store.add(as_bytes(std::to_string(n % 977)), {n}, as_bytes("value"));
    store.expire({n - 5000});
    most = std::max(most, store.memory().count);
  }
  EXPECT_LE(store.count(), 6001u);
  EXPECT_LT(most, 6001 * 200);
}

// What was changed lies in the checkpoint twice, and room is made for all that lies there.
TEST(TimeStore, what_was_loaded_takes_no_more_memory_than_what_was_saved) {
  Modelled modelled(1, {.bucket = std::chrono::hours(1)});
  for (const char* value : {"a value", "another"}) {
    for (int n = 0; n < 100'000; ++n)
      modelled.store().put(as_bytes("key " + std::to_string(n)), {n}, as_bytes(value));
    modelled.save();
  }
  const auto before = modelled.store().memory().count;
  modelled.crash();
  EXPECT_EQ(modelled.store().count(), 100'000u);
  EXPECT_EQ(text_of(*modelled.store().get(as_bytes("key 7"), {7})), "another");
  EXPECT_LT(modelled.store().memory().count, before + before / 10);
}

TEST(TimeStore, a_bucket_of_50_days_is_refused) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = *Checkpoint::open(disk, "state/group/0");
  TimeStore store({.bucket = std::chrono::hours(24 * 50)});
  store.open(*checkpoint);
  ASSERT_FALSE(store.trouble());
  EXPECT_NE(store.trouble().error().message.find("49 days"), std::string::npos);
}

TEST(TimeStore, a_budget_is_kept_while_most_goes_to_disk) {
  Modelled modelled(1,
                    {.budget = 512_KiB, .over_budget = OverBudget::spill, .bucket = Millis(1000)});
  std::int64_t most = 0;
  for (int n = 0; n < 100'000; ++n) {
    modelled.store().put(as_bytes("key " + std::to_string(n)), {n}, as_bytes("a value"));
    most = std::max(most, modelled.store().memory().count);
  }
  EXPECT_LT(most, 512 << 10);
  EXPECT_EQ(modelled.store().count(), 100'000u);
  EXPECT_EQ(text_of(*modelled.store().get(as_bytes("key 7"), {7})), "a value");
  EXPECT_FALSE(modelled.store().full());
}

}  // namespace time_store_test
}  // namespace adbrook::state
