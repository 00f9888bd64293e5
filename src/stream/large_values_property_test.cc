// Values of any size through every way into a topic, with crashes between the parts of commits that
// are too large for one append: no task stops, what the topics hold is what a machine writes that
// never stops, once, and the ends of all records add up.
#include <gtest/gtest.h>

#include "io/test_seed.h"
#include "stream/keyed/dead_letters.h"
#include "stream/uninterrupted_test.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace large_values_property_test {

using namespace std::chrono_literals;
using Text = std::string;

constexpr Timestamp kStart{1'500'000'000'000};

void define(Topology& topology) {
  const auto in = topology.stream<Text, Text>("in");
  // Twice as much as what came in, under another key in another task, and all that a window had.
  in.map_values("twice", [](const Text& value) { return value + value; }).to("doubles");
  in.select_key("by-size", [](const Text& value) { return std::to_string(value.size() % 7); })
      .repartition("moved")
      .to("copies");
  in.group_by_key()
      .windowed_by(TumblingWindow{.size = 5s})
      .reduce("last", [](const Text&, const Text& value) { return value; })
      .final()
      .to("finals");
}

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed), options_{.partition_count = 2, .seed = seed, .start = kStart} {
    options_.stream.disorder = 0ms;
    options_.stream.skew_cap = 24h * 365;
    options_.stream.checkpoint_events = 10;
    driver_ = std::make_unique<TestDriver>(define, options_);
  }

  void live() {
    for (int round = 0; round < 12; ++round) {
      pipe(static_cast<int>(random_.below(6)));
      driver_->executor().advance(150ms);
      for (std::uint64_t n = random_.below(60); n > 0; --n) {
        driver_->executor().run_one();
        if (random_.below(20) == 0) die();
      }
      if (random_.below(4) == 0)
        driver_->bus().fail_next_commits({ErrorKind::overloaded, ErrorKind::disk_full});
    }
    now_ = now_ + 60s;
    for (std::int32_t partition = 0; partition < 2; ++partition)
      driver_->pipe("in", partition, {{"tick", "tick", now_}});
    driver_->advance(90s);
    ASSERT_EQ(driver_->runner().trouble(), "");
  }

  void compare() {
    Outputs expected;
    for (std::int32_t p = 0; p < options_.partition_count; ++p) {
      UninterruptedTask task(*driver_, define, p, options_.partition_count, options_.stream);
      task.take_all(expected);
      if (testing::Test::HasFatalFailure()) return;
      driver_->ask(p, [&](const TaskView& view) {
        EXPECT_EQ(view.counts().digest(), task.counts().digest()) << "task " << p;
      });
      EXPECT_TRUE(task.counts().check({"in", "moved"}));
      task.counts().for_each([&](Arrival, Outcome outcome, std::string_view, std::uint64_t count) {
        if (outcome == Outcome::rejected) rejected_ += count;
      });
    }
    for (std::int32_t p = 0; p < options_.partition_count; ++p) {
      for (const char* topic : {"doubles", "copies", "finals", "dead-letters"})
        expect_written(*driver_, {topic, p}, expected, false);
      expect_written(*driver_, {"moved", p}, expected, true);
    }
  }
  // Every letter leads to its record, and says how much of it was cut.
  void check_letters() {
    for (const MemoryRecord& letter : driver_->records("dead-letters")) {
      const std::map<Text, Text> headers(letter.headers.begin(), letter.headers.end());
      if (!headers.contains("partition")) continue;  // of a final result
      const auto original = driver_->records("in", std::stoi(headers.at("partition")))
                                .at(static_cast<std::size_t>(std::stoll(headers.at("offset"))));
      EXPECT_EQ(letter.value, original.value.substr(0, kDeadLetterBytesMax));
      const bool cut = original.value.size() > kDeadLetterBytesMax;
      EXPECT_EQ(headers.contains("value-size"), cut);
      if (cut) {
        EXPECT_EQ(headers.at("value-size"), std::to_string(original.value.size()));
      }
    }
  }

  std::uint64_t rejected() const { return rejected_; }
  std::uint64_t cut_count() const { return cut_count_; }

 private:
  static std::uint64_t written_count(const MemoryRecord& logged) {
    return decode_commit_record(as_bytes(logged.value)).value().written_count;
  }
  void die() {
    driver_->crash();
    for (std::int32_t partition = 0; partition < 2; ++partition) {
      const auto logged = driver_->records("test-changelog", partition);
      if (!logged.empty() && written_count(logged.back()) > 0) ++cut_count_;
    }
    driver_->restart();
    for (std::uint64_t n = random_.below(30); n > 0; --n) driver_->executor().run_one();
  }

  void pipe(int count) {
    for (int i = 0; i < count; ++i) {
      now_ = now_ + Millis(static_cast<std::int64_t>(random_.below(1'000)));
      std::optional<Text> key = "k" + std::to_string(random_.below(8));
      if (random_.below(8) == 0) key.reset();
      driver_->pipe("in", static_cast<std::int32_t>(random_.below(2)), {{key, draw_value(), now_}});
    }
  }
  Text draw_value() {
    const auto letter = static_cast<char>('a' + random_.below(26));
    switch (random_.below(4)) {
      case 0: return Text(random_.below(100), letter);
      case 1: return Text(random_.below(2 << 20), letter);
      case 2: return Text((4 << 20) + random_.below(5 << 20), letter);
      default: return Text(random_.below(8) == 0 ? 20 << 20 : 1 << 20, letter);
    }
  }

  io::SeededRandom random_;
  TestDriverOptions options_;
  std::unique_ptr<TestDriver> driver_;
  Timestamp now_ = kStart;
  std::uint64_t rejected_ = 0;
  std::uint64_t cut_count_ = 0;  // commits that a crash left in the middle
};

TEST(LargeValues, stop_no_task_and_are_written_once_whatever_crashes) {
  std::uint64_t cut = 0, rejected = 0;
  // At least three, and more only until both have happened.
  const auto seeds = io::test_seeds(20);
  for (std::size_t i = 0; i < seeds.size() && (i < 3 || cut == 0 || rejected == 0); ++i) {
    const std::uint64_t seed = seeds[i];
    SCOPED_TRACE(io::seed_note(seed));
    World world(seed);
    world.live();
    if (HasFatalFailure()) return;
    world.compare();
    world.check_letters();
    if (HasFailure()) return;
    cut += world.cut_count();
    rejected += world.rejected();
  }
  if (seeds.size() == 1) return;
  EXPECT_GT(cut, 0u) << "no crash came between the parts of a commit";
  EXPECT_GT(rejected, 0u) << "no record was too large to be written";
}

}  // namespace large_values_property_test
}  // namespace adbrook::stream
