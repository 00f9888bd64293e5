// Keyed steps on three levels of inputs over random streams, with crashes at random moments: what
// the topics hold is what machines write that never stop, no final result is lost on its way into
// the next windows, and the sums of all ends are those of what was piped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "stream/process/processor.h"
#include "stream/uninterrupted_test.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace keyed_restore_property_test {

using namespace std::chrono_literals;

constexpr Timestamp kStart{1'500'000'000'000};

// Says by the wall clock how many rows this task has seen.
class TickingCount {
 public:
  using OutKey = std::string;
  using OutValue = std::string;

  explicit TickingCount(ProcessorContext<std::string, std::string>& context)
      : context_(context), seen_(context.table<std::string, std::int64_t>("seen")) {
    context.every(2s, TimerClock::wall, [this](Timestamp now) {
      if (const auto row = seen_.find("all"))
        context_.forward("all", std::to_string(row->value), now);
    });
  }
  void process(const std::string&, const std::string&, Timestamp time) {
    const auto row = seen_.find("all");
    seen_.put("all", row ? row->value + 1 : 1, time);
  }

 private:
  ProcessorContext<std::string, std::string>& context_;
  TableStore<std::string, std::int64_t> seen_;
};

// Counts per group and window, then those counts per window over all groups; rows of a table per
// shop.
void define(Topology& topology) {
  const auto in = topology.stream<std::string, std::string>("in");
  const auto per_group = in.group_by("group", [](const std::string& value) { return value; })
                             .windowed_by(TumblingWindow{.size = 5s, .grace = 1s})
                             .count("per-group");
  per_group.late().map_values("late", [](const auto& late) { return late.value; }).to("late");
  per_group.final()
      .select_key("all",
                  [](const Windowed<std::string>&, std::int64_t) { return std::string("all"); })
      .group_by_key()
      .windowed_by(TumblingWindow{.size = 5s, .grace = 1s})
      .sum("total")
      .final()
      .map_values("text", [](std::int64_t total) { return std::to_string(total); })
      .to("totals");
  topology.table<std::string, std::string>("rows", "rows")
      .group_by("shop", [](const std::string& key,
                           const std::string& shop) { return std::pair(shop, key); })
      .count("per-shop")
      .map_values("text", [](std::int64_t count) { return std::to_string(count); })
      .to("shops");
  in.process<TickingCount>("ticking").to("ticks");
}

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), options_(draw_options(seed)) {
    driver_ = std::make_unique<TestDriver>(define, options_);
    now_ = driver_->now();
  }

  void live(int action_count) {
    for (int i = 0; i < action_count; ++i) {
      act();
      if (!driver_->runner().trouble().empty()) {
        ASSERT_TRUE(driver_->files().dead()) << driver_->runner().trouble();
        die();
      }
    }
    if (driver_->files().dead()) die();
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
      task.counts().for_each(
          [&](Arrival, Outcome outcome, std::string_view reason, std::uint64_t count) {
            EXPECT_FALSE(outcome == Outcome::late && reason == "total")
                << count << " final results were late for the windows behind them";
          });
    }
    for (std::int32_t p = 0; p < options_.partition_count; ++p) {
      for (const char* topic : {"totals", "late", "shops"})
        expect_written(*driver_, {topic, p}, expected, false);
      for (const char* topic :
           {"ticks", "per-group-repartition", "total-repartition", "per-shop-repartition"})
        expect_written(*driver_, {topic, p}, expected, true);
    }
  }
  // Every record is in one window's total or late.
  void add_up() {
    std::uint64_t total = driver_->records("late").size();
    for (const MemoryRecord& record : driver_->records("totals"))
      total += std::stoull(record.value);
    EXPECT_EQ(total, piped_);
    std::map<std::string, std::int64_t> shops;
    for (const auto& [key, shop] : rows_) ++shops[shop];
    for (const MemoryRecord& record : driver_->records("shops"))
      last_of_shop_[*record.key] = std::stoll(record.value);
    for (const auto& [shop, count] : last_of_shop_) EXPECT_EQ(count, shops[shop]) << shop;
  }
  std::uint64_t crash_count() const { return crash_count_; }

 private:
  static TestDriverOptions draw_options(std::uint64_t seed) {
    io::SeededRandom random(seed * 7919);
    TestDriverOptions options{.partition_count = 1 + static_cast<std::int32_t>(random.below(4)),
                              .seed = seed,
                              .start = kStart};
    options.stream.checkpoint_events = 1 + static_cast<std::int64_t>(random.below(150));
    options.stream.disorder = Millis(static_cast<std::int64_t>(random.below(4'000)));
    options.stream.commit_size = Bytes{random.below(2) == 0 ? 2'000 : 4'000'000};
    options.stream.skew_cap = 24h * 365;
    return options;
  }

  void act() {
    const std::uint64_t what = random_.below(100);
    if (what < 40) {
      pipe();
    } else if (what < 50) {
      pipe_row();
    } else if (what < 85) {
      for (std::uint64_t n = random_.below(30); n > 0; --n) driver_->executor().run_one();
    } else if (what < 94) {
      driver_->executor().advance(Millis(static_cast<std::int64_t>(
          random_.below(20) == 0 ? random_.below(20'000) : random_.below(300))));
    } else if (what < 96) {
      driver_->files().crash_at_step(driver_->files().steps() + random_.below(12));
    } else if (what < 97) {
      driver_->bus().fail_next_commits({ErrorKind::overloaded, ErrorKind::disk_full});
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

  void pipe() {
    now_ = now_ + Millis(static_cast<std::int64_t>(random_.below(2'000)));
    for (std::uint64_t n = 1 + random_.below(20); n > 0; --n) {
      Timestamp time = now_ - Millis(static_cast<std::int64_t>(random_.below(4'000)));
      if (random_.below(20) == 0) time = time - 30s;
      driver_->pipe("in", {"k" + std::to_string(random_.below(50)),
                           "g" + std::to_string(random_.below(6)), time});
      ++piped_;
    }
  }
  void pipe_row() {
    const std::string key = "r" + std::to_string(random_.below(15));
    const std::string shop = "s" + std::to_string(random_.below(4));
    const bool gone = random_.below(4) == 0;
    driver_->pipe("rows", {key, gone ? std::nullopt : std::optional(shop), now_});
    if (gone)
      rows_.erase(key);
    else
      rows_[key] = shop;
  }

  io::SeededRandom random_;
  TestDriverOptions options_;
  std::unique_ptr<TestDriver> driver_;
  Timestamp now_;
  std::uint64_t piped_ = 0;
  std::map<std::string, std::string> rows_;
  std::map<std::string, std::int64_t> last_of_shop_;
  std::uint64_t crash_count_ = 0;
};

TEST(KeyedRestore, equals_an_uninterrupted_run_and_loses_no_final_result) {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t first = given ? std::stoull(given) : 1;
  const std::uint64_t count = given ? 1 : 40;
  std::uint64_t crash_count = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("ADBROOK_SEED=" + std::to_string(seed));
    World world(seed);
    world.live(250);
    if (HasFatalFailure()) return;
    world.compare();
    world.add_up();
    if (HasFailure()) return;
    crash_count += world.crash_count();
  }
  if (!given) {
    EXPECT_GT(crash_count, 150u);
  }
}

}  // namespace keyed_restore_property_test
}  // namespace adbrook::stream
