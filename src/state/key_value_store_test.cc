#include "state/key_value_store.h"

#include <gtest/gtest.h>

#include <vector>

#include "state/byte_store_test.h"

namespace adbrook::state {
namespace {

using Model = std::map<std::string, std::string>;
using Modelled = ModelledStore<KeyValueStore, KeyValueStoreOptions, Model>;

KeyValueStoreOptions draw_options(std::uint64_t seed) {
  io::SeededRandom random(seed * 3);
  return {.budget = Bytes{std::int64_t{1} << (20 + random.below(6))}, .hash_seed = random.next()};
}

class RandomRun {
 public:
  RandomRun(std::uint64_t seed, KeyValueStoreOptions options)
      : random_(seed), modelled_(seed, options), variety_(1 + random_.below(5000)) {}

  void step() {
    const std::uint64_t what = random_.below(1000);
    if (what < 300) return put();
    if (what < 500) return upsert();
    if (what < 700) return erase();
    if (what < 985) return get();
    if (what < 990) return scan();
    if (what < 996) return modelled_.save();
    if (what < 998) return modelled_.save_and_crash_inside();
    modelled_.crash();
  }
  void scan() {
    std::vector<std::pair<std::string, std::string>> found;
    store().for_each(
        [&](ByteView key, ByteView value) { found.emplace_back(text_of(key), text_of(value)); });
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
    EXPECT_EQ(store().erase(as_bytes(name)), model().erase(name) == 1);
  }

  void get() {
    const std::string name = key();
    const auto found = store().get(as_bytes(name));
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

TEST(KeyValueStore, unchanged_partitions_are_not_written_again) {
  Modelled modelled(1, {.budget = 64_MiB});
  for (int n = 0; n < 20'000; ++n)
    modelled.store().put(as_bytes("key " + std::to_string(n)), as_bytes("a value of some length"));
  modelled.save();
  const auto before = modelled.checkpoint().stored_bytes();
  modelled.store().put(as_bytes("key 77"), as_bytes("another value"));
  modelled.store().erase(as_bytes("key 78"));
  modelled.save();
  EXPECT_LT(modelled.checkpoint().stored_bytes() - before, 4000u);
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

}  // namespace
}  // namespace adbrook::state
