#include "state/dictionary.h"

#include <map>
#include <string>
#include <variant>

#include "state/store_test.h"

namespace adbrook::state {
namespace dictionary_test {

TEST(Dictionary, gives_dense_ids_in_order_of_appearance) {
  Dictionary dictionary;
  EXPECT_EQ(dictionary.intern("US"), 1u);
  EXPECT_EQ(dictionary.intern(""), 2u);
  EXPECT_EQ(dictionary.intern(std::int64_t{7}), 3u);
  EXPECT_EQ(dictionary.intern("US"), 1u);
  EXPECT_EQ(dictionary.find("DE"), 0u);
  EXPECT_EQ(dictionary.text(1), "US");
  EXPECT_EQ(dictionary.number(3), 7);
  EXPECT_EQ(dictionary.text(3), "");
  EXPECT_FALSE(dictionary.number(1));
  EXPECT_EQ(dictionary.text(0), "");
  EXPECT_EQ(dictionary.text(4), "");
}

TEST(Dictionary, a_text_with_the_bytes_of_a_number_is_another_entry) {
  Dictionary dictionary;
  const std::int64_t number = 0x6162636465666768;
  const auto id = dictionary.intern(number);
  EXPECT_EQ(dictionary.find("hgfedcba"), 0u);
  EXPECT_NE(dictionary.intern("hgfedcba"), id);
}

TEST(Dictionary, keeps_every_id_over_random_restarts) {
  for (const std::uint64_t seed : io::test_seeds(40)) {
    SCOPED_TRACE(io::seed_note(seed));
    io::SeededRandom random(seed);
    CheckpointedStore saved(seed);
    Dictionary dictionary({.hash_seed = random.next()});
    std::map<std::variant<std::string, std::int64_t>, std::uint32_t> model;
    for (int i = 0; i < 2000 && !testing::Test::HasFailure(); ++i) {
      const std::uint64_t n = random.below(500);
      const auto next = static_cast<std::uint32_t>(model.size() + 1);
      if (random.below(3) == 0) {
        const auto id = model.try_emplace(static_cast<std::int64_t>(n), next).first->second;
        EXPECT_EQ(dictionary.intern(static_cast<std::int64_t>(n)), id);
      } else {
        const std::string text(n % 97 * (n % 50 == 0 ? 1000 : 1), static_cast<char>('a' + n % 26));
        const auto id = model.try_emplace(text, next).first->second;
        EXPECT_EQ(dictionary.intern(text), id);
        EXPECT_EQ(dictionary.text(id), text);
      }
      if (random.below(60) == 0) saved.save(dictionary);
      if (random.below(100) == 0) saved.restart(dictionary, Dictionary({.hash_seed = i + 1u}));
    }
    EXPECT_EQ(dictionary.count(), model.size());
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(Dictionary, only_new_entries_are_written_again) {
  CheckpointedStore saved(2);
  Dictionary dictionary;
  for (int n = 0; n < 10'000; ++n) dictionary.intern("campaign " + std::to_string(n));
  saved.save(dictionary);
  const auto before = saved.checkpoint().stored_bytes();
  dictionary.intern("one more");
  saved.save(dictionary);
  EXPECT_LT(saved.checkpoint().stored_bytes() - before, 100u);
}

TEST(Dictionary, is_full_at_its_budget) {
  Dictionary dictionary({.budget = 1_MiB});
  int count = 0;
  while (!dictionary.full()) dictionary.intern("publisher " + std::to_string(++count));
  EXPECT_GT(count, 10'000);
  EXPECT_EQ(dictionary.text(static_cast<std::uint32_t>(count)),
            "publisher " + std::to_string(count));
}

}  // namespace dictionary_test
}  // namespace adbrook::state
