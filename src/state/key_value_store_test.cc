#include "state/key_value_store.h"

#include <gtest/gtest.h>

#include <vector>

#include "state/byte_store_test.h"

namespace adbrook::state {
namespace key_value_store_test {

using Model = std::map<std::string, std::string>;
using Modelled = ModelledStore<KeyValueStore, KeyValueStoreOptions, Model>;

KeyValueStoreOptions draw_options(std::uint64_t seed) {
  io::SeededRandom random(seed * 3);
  return {.budget = Bytes{std::int64_t{1} << (20 + random.below(6))}, .hash_seed = random.next()};
}

// So small that all there is goes to disk again and again, in one partition to eight.
KeyValueStoreOptions draw_spilling(std::uint64_t seed) {
  io::SeededRandom random(seed * 3);
  return {.budget = Bytes{std::int64_t{1} << (16 + random.below(3))},
          .over_budget = OverBudget::spill,
          .hash_seed = random.next()};
}

class RandomRun {
 public:
  RandomRun(std::uint64_t seed, KeyValueStoreOptions options)
      : random_(seed), modelled_(seed, options), variety_(1 + random_.below(5000)) {}

  void step() {
    static_cast<void>(modelled_.failed());
    const std::uint64_t what = random_.below(1000);
    if (what < 300) return put();
    if (what < 500) return upsert();
    if (what < 700) return erase();
    if (what < 985) return get();
    if (what < 990) return scan();
    if (what < 996) return modelled_.save();
    if (what < 997) return modelled_.save_and_crash_inside();
    if (what < 999) return modelled_.plan_a_failure();
    modelled_.crash();
  }
  Modelled& modelled() { return modelled_; }
  void scan() {
    std::vector<std::pair<std::string, std::string>> found;
    store().for_each(
        [&](ByteView key, ByteView value) { found.emplace_back(text_of(key), text_of(value)); });
    if (modelled_.failed()) return;
    const std::vector<std::pair<std::string, std::string>> expected(model().begin(), model().end());
    EXPECT_TRUE(found == expected) << found.size() << " of " << expected.size();
    EXPECT_EQ(store().count(), model().size());
    ASSERT_TRUE(store().trouble()) << store().trouble().error().message;
  }

 private:
  KeyValueStore& store() { return modelled_.store(); }
  Model& model() { return modelled_.model(); }
  std::string key() { return draw_key(random_, variety_); }

  void put() {
    const std::string name = key();
    const std::string value = draw_value(random_);
    store().put(as_bytes(name), as_bytes(value));
    model()[name] = value;
  }

  // Adds one to the first byte of a value that keeps its size most of the time.
  void upsert() {
    const std::string name = key();
    const std::size_t size = random_.below(30) == 0 ? random_.below(100) : 1 + name.size() % 9;
    const std::span<std::byte> value = store().upsert(as_bytes(name), size);
    if (modelled_.failed()) return;
    EXPECT_EQ(value.size(), size);
    std::string& expected = model()[name];
    if (expected.size() != size) expected.assign(size, '\0');
    EXPECT_EQ(text_of(value), expected);
    if (size == 0) return;
    value[0] = static_cast<std::byte>(static_cast<int>(value[0]) + 1);
    ++expected[0];
  }

  void erase() {
    const std::string name = key();
    const bool erased = store().erase(as_bytes(name));
    if (modelled_.failed()) return;
    EXPECT_EQ(erased, model().erase(name) == 1);
  }

  void get() {
    const std::string name = key();
    const auto found = store().get(as_bytes(name));
    if (modelled_.failed()) return;
    const auto expected = model().find(name);
    ASSERT_EQ(found.has_value(), expected != model().end()) << name;
    if (found) {
      EXPECT_EQ(text_of(*found), expected->second);
    }
  }

  io::SeededRandom random_;
  Modelled modelled_;
  std::uint64_t variety_;
};

TEST(KeyValueStore, equals_a_map_under_random_operations_and_crashes) {
  for (const std::uint64_t seed : io::test_seeds(40)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed, draw_options(seed));
    for (int i = 0; i < 4000 && !testing::Test::HasFailure(); ++i) run.step();
    run.scan();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(KeyValueStore, equals_a_map_also_when_most_of_it_is_on_disk) {
  std::uint64_t spilled_runs = 0, failures = 0;
  const auto seeds = io::test_seeds(40);
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed, draw_spilling(seed));
    for (int i = 0; i < 4000 && !testing::Test::HasFailure(); ++i) run.step();
    run.scan();
    ASSERT_FALSE(testing::Test::HasFailure());
    spilled_runs += run.modelled().checkpoint().names("store:run/").size();
    failures += run.modelled().failure_count();
  }
  if (seeds.size() == 1) return;
  EXPECT_GT(spilled_runs, 0u) << "nothing was spilled";
  EXPECT_GT(failures, 0u) << "no disk failed while it was spilled to";
}

TEST(KeyValueStore, unchanged_partitions_are_not_written_again) {
  Modelled modelled(1, {.budget = 64_MiB});
  for (int n = 0; n < 20'000; ++n)
    modelled.store().put(as_bytes("key " + std::to_string(n)), as_bytes("a value of some length"));
  modelled.save();
  const auto before = modelled.checkpoint().stored_bytes();
  modelled.store().put(as_bytes("key 77"), as_bytes("another value"));
  modelled.store().erase(as_bytes("key 78"));
  modelled.save();
  EXPECT_LT(modelled.checkpoint().stored_bytes() - before, 8000u);
  modelled.crash();
  EXPECT_EQ(modelled.store().count(), 19'999u);
  EXPECT_EQ(text_of(*modelled.store().get(as_bytes("key 77"))), "another value");
}

TEST(KeyValueStore, memory_is_given_back_by_erasing_and_writing_again) {
  KeyValueStore store;
  const std::string large(1000, 'v');
  std::size_t most = 0;
  for (int round = 0; round < 200; ++round) {
    for (int n = 0; n < 500; ++n) store.put(as_bytes("key " + std::to_string(n)), as_bytes(large));
    for (int n = 0; n < 500; ++n) store.erase(as_bytes("key " + std::to_string(n)));
    most = std::max(most, static_cast<std::size_t>(store.memory().count));
  }
  EXPECT_EQ(store.count(), 0u);
  EXPECT_LT(most, 40u * 500 * 1000);
}

// A store most of which lies on disk, with a checkpoint, and a way to damage its runs.
class SpilledStore {
 public:
  SpilledStore() : modelled_(1, {.budget = 64_KiB, .over_budget = OverBudget::spill}) {
    fill("first");
    modelled_.save();
  }
  Modelled& modelled() { return modelled_; }
  KeyValueStore& store() { return modelled_.store(); }
  void fill(const std::string& value) {
    for (int n = 0; n < 5000; ++n) {
      const std::string key = "key " + std::to_string(n);
      store().put(as_bytes(key), as_bytes(value));
      modelled_.model()[key] = value;
    }
  }
  // One byte of each run file.
  void damage(bool at_the_end) {
    const std::vector<std::string> names = modelled_.disk().list("state/group/0").value();
    for (const std::string& name : names) {
      if (!name.starts_with("run-")) continue;
      auto file = *modelled_.disk().open("state/group/0/" + name, io::OpenMode::write);
      const std::uint64_t at = at_the_end ? *file->size() - 3 : 5;
      std::byte byte[1];
      ASSERT_TRUE(file->read_at(at, byte));
      byte[0] ^= std::byte{0x40};
      ASSERT_TRUE(file->write_at(at, byte));
      ASSERT_TRUE(file->sync());
    }
  }

 private:
  Modelled modelled_;
};

TEST(KeyValueStore, a_damaged_block_on_disk_is_told_with_its_place_and_answers_nothing_wrong) {
  SpilledStore spilled;
  ASSERT_NO_FATAL_FAILURE(spilled.damage(false));
  std::size_t wrong = 0;
  for (int n = 0; n < 5000; ++n) {
    const auto found = spilled.store().get(as_bytes("key " + std::to_string(n)));
    if (found && text_of(*found) != "first") ++wrong;
  }
  EXPECT_EQ(wrong, 0u);
  ASSERT_FALSE(spilled.store().trouble());
  EXPECT_EQ(spilled.store().trouble().error().kind, ErrorKind::corrupt);
  EXPECT_NE(spilled.store().trouble().error().message.find("run-0"), std::string::npos);
  spilled.modelled().save();  // expects that it is refused
}

TEST(Checkpoint, whose_runs_are_damaged_at_their_end_is_passed_over) {
  SpilledStore spilled;
  ASSERT_NO_FATAL_FAILURE(spilled.damage(true));
  const auto opened = Checkpoint::open(spilled.modelled().disk(), "state/group/0");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->empty());
  EXPECT_FALSE((*opened)->damage().empty());
}

TEST(Checkpoint, removes_files_of_runs_that_nobody_needs) {
  SpilledStore spilled;
  for (int round = 0; round < 20; ++round) {
    spilled.fill("round " + std::to_string(round));
    if (round % 3 == 0) spilled.modelled().save();
  }
  spilled.modelled().save();
  spilled.modelled().save();
  spilled.modelled().crash();
  std::uint64_t bytes = 0;
  const std::vector<std::string> names = spilled.modelled().disk().list("state/group/0").value();
  for (const std::string& name : names)
    if (name.starts_with("run-"))
      bytes +=
          *(*spilled.modelled().disk().open("state/group/0/" + name, io::OpenMode::read))->size();
  EXPECT_GT(bytes, 50'000u);
  EXPECT_LT(bytes, 1'000'000u);
  EXPECT_EQ(spilled.store().count(), 5000u);
}

TEST(KeyValueStore, whose_index_of_spilled_entries_uses_up_the_budget_is_full) {
  Modelled modelled(1, {.budget = 64_KiB, .over_budget = OverBudget::spill});
  int n = 0;
  while (!modelled.store().full() && n < 500'000)
    modelled.store().put(as_bytes("key " + std::to_string(n++)), as_bytes("a value"));
  EXPECT_TRUE(modelled.store().full());
  EXPECT_GT(n, 5'000);
  EXPECT_LT(modelled.disk().steps(), 10'000u) << "a run for every entry";
  EXPECT_EQ(modelled.store().count(), static_cast<std::size_t>(n));
  EXPECT_EQ(text_of(*modelled.store().get(as_bytes("key 3"))), "a value");
}

TEST(KeyValueStore, a_budget_that_holds_nothing_is_refused) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = *Checkpoint::open(disk, "state/group/0");
  KeyValueStore store({.budget = Bytes{1000}});
  store.open(*checkpoint);
  ASSERT_FALSE(store.trouble());
  EXPECT_EQ(store.trouble().error().kind, ErrorKind::invalid);
  EXPECT_NE(store.trouble().error().message.find("65536"), std::string::npos);
}

}  // namespace key_value_store_test
}  // namespace adbrook::state
