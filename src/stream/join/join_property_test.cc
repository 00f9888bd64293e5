// Random topologies of joins over several partitions, crashed at random moments, also while they
// restore: what they wrote is, record for record, what uninterrupted tasks write; and where nothing
// was late it is what a model finds that looks at all pairs.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "io/test_seed.h"
#include "stream/join/stream_join.h"
#include "stream/join/stream_table_join.h"
#include "stream/join/table_join.h"
#include "stream/table/grouped.h"
#include "stream/uninterrupted_test.h"

namespace adbrook::stream {
namespace join_property_test {

using namespace std::chrono_literals;
using Text = std::string;
using MaybeText = std::optional<std::string>;

Text pair_of(const MaybeText& left, const MaybeText& right) {
  return left.value_or("~") + "+" + right.value_or("~");
}
// Values are "<key>:<number>".
Text key_of(const Text& value) { return value.substr(0, value.find(':')); }

struct Plan {
  std::int32_t partition_count;
  JoinKind kind, table_kind, stream_table_kind;
  JoinWindows windows;
  bool rekey_left, rekey_right;
  bool exact;  // nothing is late, so that a model can tell the results
};

Plan draw_plan(io::SeededRandom& random) {
  const auto millis = [&](std::uint64_t most) {
    return Millis(static_cast<std::int64_t>(random.below(most)));
  };
  Plan plan{.partition_count = static_cast<std::int32_t>(1 + random.below(3)),
            .kind = static_cast<JoinKind>(random.below(3)),
            .table_kind = static_cast<JoinKind>(random.below(3)),
            .stream_table_kind = static_cast<JoinKind>(random.below(2)),
            .windows = {.before = millis(20'000), .after = millis(20'000), .grace = millis(9'000)},
            .rekey_left = random.below(2) == 0,
            .rekey_right = random.below(2) == 0,
            .exact = random.below(2) == 0};
  if (random.below(4) == 0) plan.windows.store.over_budget = state::OverBudget::spill;
  return plan;
}

KeyedStream<Text, Text> keyed(const KeyedStream<Text, Text>& stream, bool rekey) {
  return rekey ? stream.select_key("own key", key_of) : stream;
}

void define_joins(Topology& topology, const Plan& plan) {
  const auto left = keyed(topology.stream<Text, Text>("left"), plan.rekey_left);
  const auto right = keyed(topology.stream<Text, Text>("right"), plan.rekey_right);
  if (plan.kind == JoinKind::inner)
    left.join("pairs", right, plan.windows, pair_of).to("paired");
  else if (plan.kind == JoinKind::left)
    left.left_join("pairs", right, plan.windows, pair_of).to("paired");
  else
    left.outer_join("pairs", right, plan.windows, pair_of).to("paired");

  const auto users = topology.table<Text, Text>("users", "users");
  const auto places = topology.table<Text, Text>("places", "places");
  if (plan.stream_table_kind == JoinKind::inner)
    right.join("look", users, pair_of).to("looked");
  else
    right.left_join("look", users, pair_of).to("looked");

  const auto both = plan.table_kind == JoinKind::inner  ? users.join("both", places, pair_of)
                    : plan.table_kind == JoinKind::left ? users.left_join("both", places, pair_of)
                                                        : users.outer_join("both", places, pair_of);
  both.to("both");
  both.group_by("length",
                [](const Text&, const Text& value) { return std::pair(Text(1, value[0]), value); })
      .count("counts")
      .to("counts");
}

struct Row {
  Text key, value;
  Timestamp time;
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed),
        plan_(draw_plan(random_)),
        define_([plan = plan_](Topology& topology) { define_joins(topology, plan); }) {
    options_ = {.partition_count = plan_.partition_count, .seed = seed};
    options_.stream.checkpoint_events = 1 + static_cast<std::int64_t>(random_.below(100));
    options_.stream.disorder = kDisorder;
    options_.stream.skew_cap = 24h * 365;
    options_.stream.commit_size = Bytes{random_.below(2) == 0 ? 1'000 : 4'000'000};
    if (plan_.exact) options_.stream.idle_after = 10h;
    driver_.emplace(define_, options_);
    now_ = driver_->now();
    fill_tables();
    // Every partition has had an event: from here on each holds time back for itself.
    tick();
  }

  void live(int action_count) {
    for (int i = 0; i < action_count; ++i) {
      act();
      if (driver_->runner().trouble().empty()) continue;
      ASSERT_TRUE(driver_->files().dead()) << driver_->runner().trouble();
      die();
    }
    if (driver_->files().dead()) die();
    now_ = now_ + 24h;
    tick();
    driver_->advance(1s);
    ASSERT_EQ(driver_->runner().trouble(), "");
  }

  void compare() {
    Outputs expected;
    for (std::int32_t p = 0; p < plan_.partition_count; ++p) {
      UninterruptedTask task(*driver_, define_, p, plan_.partition_count, options_.stream);
      task.take_all(expected);
      if (testing::Test::HasFatalFailure()) return;
    }
    for (const char* topic : {"paired", "looked", "both", "counts"})
      for (std::int32_t p = 0; p < plan_.partition_count; ++p)
        expect_written(*driver_, {topic, p}, expected, false);
    if (plan_.exact) compare_with_model();
  }
  std::uint64_t crash_count() const { return crash_count_; }
  std::uint64_t result_count() { return driver_->records("paired").size(); }

 private:
  static constexpr Millis kDisorder{8'000};

  void act() {
    const std::uint64_t what = random_.below(100);
    if (what < 45) {
      pipe();
    } else if (what < 85) {
      for (std::uint64_t n = random_.below(30); n > 0; --n) driver_->executor().run_one();
    } else if (what < 94) {
      driver_->executor().advance(Millis(static_cast<std::int64_t>(random_.below(300))));
    } else if (what < 96) {
      driver_->files().crash_at_step(driver_->files().steps() + random_.below(12));
    } else if (what < 97) {
      driver_->bus().fail_next_commits({ErrorKind::overloaded});
    } else {
      die();
    }
  }

  void die() {
    do {
      driver_->crash();
      driver_->restart();
      ++crash_count_;
      for (std::uint64_t n = random_.below(40); n > 0; --n) driver_->executor().run_one();
    } while (random_.below(3) == 0);
  }

  Text draw_key() { return "k" + std::to_string(random_.below(12)); }

  // Before the streams begin, so that a look-up has one answer; deletions come in between.
  void fill_tables() {
    for (int i = 0; i < 60; ++i) {
      const bool users = random_.below(2) == 0;
      const Text key = draw_key();
      std::optional<Text> value;
      if (random_.below(4) != 0) value = (users ? "U" : "P") + std::to_string(i);
      auto& table = users ? users_ : places_;
      if (value)
        table[key] = *value;
      else
        table.erase(key);
      driver_->pipe(users ? "users" : "places", {key, value, now_ - Millis(1 + i)});
      if (random_.below(10) == 0) driver_->run();
    }
    driver_->run();
  }

  void tick() {
    for (std::int32_t p = 0; p < plan_.partition_count; ++p)
      for (const char* topic : {"left", "right"})
        driver_->pipe(topic, p, {{"tick" + std::to_string(p), "tick", now_}});
    driver_->run();
  }

  void pipe() {
    now_ = now_ + Millis(static_cast<std::int64_t>(random_.below(4'000)));
    const bool to_left = random_.below(2) == 0;
    for (std::uint64_t n = 1 + random_.below(8); n > 0; --n) {
      const Text key = draw_key();
      const Timestamp time = now_ - Millis(static_cast<std::int64_t>(random_.below(
                                        static_cast<std::uint64_t>(kDisorder.count()))));
      const Row row{key, key + ":" + std::to_string(row_count_++), time};
      (to_left ? left_ : right_).push_back(row);
      const bool rekeyed = to_left ? plan_.rekey_left : plan_.rekey_right;
      driver_->pipe(to_left ? "left" : "right",
                    {rekeyed ? "any" + std::to_string(random_.below(100)) : key, row.value, time});
    }
  }

  // (key, value, time) of what lies in a topic, but for ticks.
  std::multiset<Written> written(const char* topic) {
    std::multiset<Written> all;
    for (const MemoryRecord& record : driver_->records(topic))
      if (!record.key->starts_with("tick")) all.insert({record.time.ms, *record.key, record.value});
    return all;
  }

  void compare_with_model() {
    EXPECT_EQ(written("paired"), model_of_pairs());
    std::multiset<Written> looked;
    for (const Row& row : right_) {
      const auto found = users_.find(row.key);
      if (found != users_.end())
        looked.insert({row.time.ms, row.key, row.value + "+" + found->second});
      else if (plan_.stream_table_kind == JoinKind::left)
        looked.insert({row.time.ms, row.key, row.value + "+~"});
    }
    EXPECT_EQ(written("looked"), looked);
    compare_tables();
  }

  std::multiset<Written> model_of_pairs() const {
    std::multiset<Written> pairs;
    std::vector<bool> met(right_.size());
    for (const Row& left : left_) {
      bool alone = true;
      for (std::size_t i = 0; i < right_.size(); ++i) {
        const Row& right = right_[i];
        if (left.key != right.key || right.time < left.time - plan_.windows.before ||
            right.time > left.time + plan_.windows.after)
          continue;
        alone = false;
        met[i] = true;
        pairs.insert(
            {std::max(left.time, right.time).ms, left.key, pair_of(left.value, right.value)});
      }
      if (alone && plan_.kind != JoinKind::inner)
        pairs.insert({left.time.ms, left.key, left.value + "+~"});
    }
    for (std::size_t i = 0; i < right_.size(); ++i)
      if (!met[i] && plan_.kind == JoinKind::outer)
        pairs.insert({right_[i].time.ms, right_[i].key, "~+" + right_[i].value});
    return pairs;
  }

  // The last record of a key is its row, and the groups count exactly the rows that stand.
  void compare_tables() {
    std::map<Text, Text> both, expected;
    for (const MemoryRecord& record : driver_->records("both"))
      if (record.tombstone)
        both.erase(*record.key);
      else
        both[*record.key] = record.value;
    for (int k = 0; k < 12; ++k) {
      const Text key = "k" + std::to_string(k);
      const bool user = users_.contains(key), place = places_.contains(key);
      if (plan_.table_kind == JoinKind::inner  ? user && place
          : plan_.table_kind == JoinKind::left ? user
                                               : user || place)
        expected[key] = (user ? users_[key] : "~") + "+" + (place ? places_[key] : "~");
    }
    EXPECT_EQ(both, expected);
    std::map<Text, std::int64_t> counts, expected_counts;
    for (const auto& [key, value] : expected) ++expected_counts[Text(1, value[0])];
    for (const MemoryRecord& record : driver_->records("counts")) {
      std::int64_t count = 0;
      ASSERT_TRUE(Serde<std::int64_t>::decode(as_bytes(record.value), count));
      counts[*record.key] = count;
    }
    std::erase_if(counts, [](const auto& one) { return one.second == 0; });
    EXPECT_EQ(counts, expected_counts);
  }

  io::SeededRandom random_;
  Plan plan_;
  TopologyFactory define_;
  TestDriverOptions options_;
  std::optional<TestDriver> driver_;
  Timestamp now_;
  std::vector<Row> left_, right_;
  std::map<Text, Text> users_, places_;
  std::uint64_t row_count_ = 0, crash_count_ = 0;
};

TEST(JoinProperty, crashes_change_nothing_and_all_pairs_are_found) {
  std::uint64_t crash_count = 0, result_count = 0;
  for (const std::uint64_t seed : io::test_seeds(40)) {
    SCOPED_TRACE(io::seed_note(seed));
    World world(seed);
    world.live(200);
    if (HasFatalFailure()) return;
    world.compare();
    if (HasFailure()) return;
    crash_count += world.crash_count();
    result_count += world.result_count();
  }
  EXPECT_GT(crash_count, 0u);
  EXPECT_GT(result_count, 0u);
}

}  // namespace join_property_test
}  // namespace adbrook::stream
