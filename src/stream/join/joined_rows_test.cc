// The memory of a table–table join against two plain maps: random updates and deletions, restarts.
#include "stream/join/joined_rows.h"

#include <map>
#include <string>

#include "state/store_test.h"

namespace adbrook::stream {
namespace joined_rows_test {

struct Row {
  std::string value;
  Timestamp time;
  friend bool operator==(const Row&, const Row&) = default;
};
using Rows = std::map<std::string, Row>;

std::optional<Row> find(const Rows& rows, const std::string& key) {
  const auto at = rows.find(key);
  return at == rows.end() ? std::nullopt : std::optional(at->second);
}

void expect_side(const std::optional<ByteView>& found, Timestamp time,
                 const std::optional<Row>& wanted) {
  ASSERT_EQ(found.has_value(), wanted.has_value());
  if (!found) return;
  EXPECT_EQ(as_text(*found), wanted->value);
  EXPECT_EQ(time, wanted->time);
}

struct RandomRun {
  io::SeededRandom random;
  state::KeyValueStoreOptions options;
  JoinedRows joined;
  state::CheckpointedStore saved;
  Rows sides[2] = {};

  explicit RandomRun(std::uint64_t seed)
      : random(seed), options{.hash_seed = seed}, joined(options), saved(seed) {}

  void update() {
    const auto side = random.below(2);
    const std::string key(1 + random.below(3), static_cast<char>('a' + random.below(4)));
    const Timestamp time{static_cast<std::int64_t>(random.below(1'000))};
    std::optional<std::string> value;
    if (random.below(3) != 0) value = std::string(random.below(50), static_cast<char>('A' + side));
    const auto was = std::pair(find(sides[0], key), find(sides[1], key));
    if (value)
      sides[side][key] = {*value, time};
    else
      sides[side].erase(key);
    bool called = false;
    joined.update(static_cast<JoinSide>(side), as_bytes(key), time,
                  value ? std::optional(as_bytes(*value)) : std::nullopt,
                  [&](const JoinedRow& before, const JoinedRow& after) {
                    called = true;
                    expect_side(before.left, before.left_time, was.first);
                    expect_side(before.right, before.right_time, was.second);
                    expect_side(after.left, after.left_time, find(sides[0], key));
                    expect_side(after.right, after.right_time, find(sides[1], key));
                  });
    EXPECT_TRUE(called);
  }
};

TEST(JoinedRows, agree_with_two_maps_before_and_after_each_update) {
  for (const std::uint64_t seed : io::test_seeds(30)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed);
    for (int i = 0; i < 300 && !testing::Test::HasFailure(); ++i) {
      if (run.random.below(60) == 0)
        run.saved.restart(run.joined, JoinedRows(run.options));
      else
        run.update();
    }
    if (testing::Test::HasFailure()) return;
  }
}

TEST(JoinedRows, a_key_without_rows_takes_no_memory) {
  JoinedRows joined({});
  const auto ignore = [](const JoinedRow&, const JoinedRow&) {};
  joined.update(JoinSide::left, as_bytes("a"), {1}, as_bytes("L"), ignore);
  joined.update(JoinSide::right, as_bytes("a"), {1}, as_bytes("R"), ignore);
  joined.update(JoinSide::left, as_bytes("a"), {2}, std::nullopt, ignore);
  EXPECT_EQ(joined.count(), 1u);
  joined.update(JoinSide::right, as_bytes("a"), {2}, std::nullopt, ignore);
  joined.update(JoinSide::right, as_bytes("b"), {2}, std::nullopt, ignore);
  EXPECT_EQ(joined.count(), 0u);
}

TEST(JoinedRows, a_result_is_as_young_as_its_youngest_row) {
  JoinedRow row{.left = as_bytes("L"), .left_time = {5}, .right_time = {9}};
  EXPECT_EQ(row.time(), Timestamp{5});
  row.right = as_bytes("R");
  EXPECT_EQ(row.time(), Timestamp{9});
  row.left.reset();
  row.right.reset();
  EXPECT_EQ(row.time(), std::nullopt);
}

TEST(JoinedRows, a_kind_says_which_sides_make_a_result) {
  const JoinedRow left{.left = as_bytes("L")}, right{.right = as_bytes("R")};
  const JoinedRow both{.left = as_bytes("L"), .right = as_bytes("R")};
  const auto kinds = [](const JoinedRow& row) {
    std::string text;
    for (const auto& [kind, letter] :
         {std::pair(JoinKind::inner, 'i'), std::pair(JoinKind::left, 'l'),
          std::pair(JoinKind::outer, 'o')})
      if (row.joins(kind)) text += letter;
    return text;
  };
  EXPECT_EQ(kinds({}), "");
  EXPECT_EQ(kinds(left), "lo");
  EXPECT_EQ(kinds(right), "o");
  EXPECT_EQ(kinds(both), "ilo");
}

}  // namespace joined_rows_test
}  // namespace adbrook::stream
