// A task most of whose state lies on disk, with crashes at any moment: counts in the end are those
// of a plain map over all records.
#include <gtest/gtest.h>

#include <map>

#include "io/test_seed.h"
#include "state/key_value_store.h"
#include "state/time_store.h"
#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace spill_test {

using namespace example;

constexpr std::size_t kValueSize = 200;  // the count, and what makes the store large
constexpr Millis kWindow = std::chrono::minutes(1);

void count_one(std::span<std::byte> value) {
  store_le(value.data(), load_le<std::uint64_t>(value.data()) + 1);
}

// Counts orders per key, and per window of a minute.
void define_spilling(Topology& topology) {
  const auto spill = state::OverBudget::spill;
  auto& all = topology.store<state::KeyValueStore>(
      "all", state::KeyValueStoreOptions{.budget = 128_KiB, .over_budget = spill});
  auto& windows = topology.store<state::TimeStore>(
      "windows",
      state::TimeStoreOptions{.budget = 256_KiB, .over_budget = spill, .bucket = kWindow});
  topology.source<Order>("orders", OrderCodec{}, {.id = &Order::id, .time = &Order::time})
      .for_each(
          "count",
          [&](const Order& order, const RowMeta&) {
            const std::string key = std::to_string(order.id.low % 2000);
            count_one(all.upsert(as_bytes(key), kValueSize));
            count_one(windows.upsert(as_bytes(key), bucket_start(order.time, kWindow), kValueSize));
          })
      .settle(Outcome::counted);
}

class SpillingRun {
 public:
  explicit SpillingRun(std::uint64_t seed)
      : random_(seed), driver_(define_spilling, options(seed)), start_(driver_.now()) {}

  void act() {
    pipe();
    const std::uint64_t what = random_.below(100);
    if (what < 60) return driver_.run();
    for (std::uint64_t n = random_.below(30); n > 0; --n) driver_.executor().run_one();
    if (what < 80) return;
    if (what < 90) driver_.files().crash_at_step(driver_.files().steps() + random_.below(40));
    if (what >= 95 || driver_.files().dead()) die();
  }
  void compare() {
    if (driver_.files().dead()) die();
    driver_.run();
    if (driver_.files().dead()) die();
    driver_.run();
    ASSERT_EQ(driver_.runner().trouble(), "");
    std::map<std::string, std::uint64_t> all;
    std::map<std::pair<std::int64_t, std::string>, std::uint64_t> windows;
    driver_.ask(0, [&](const TaskView& view) {
      view.store<state::KeyValueStore>("all")->for_each([&](ByteView key, ByteView value) {
        all[std::string(as_text(key))] = load_le<std::uint64_t>(value.data());
      });
      view.store<state::TimeStore>("windows")->for_each(
          Timestamp::lowest(), Timestamp::highest(),
          [&](ByteView key, Timestamp time, std::uint32_t, ByteView value) {
            windows[{time.ms, std::string(as_text(key))}] = load_le<std::uint64_t>(value.data());
          });
    });
    EXPECT_TRUE(all == all_) << all.size() << " keys, " << all_.size() << " expected";
    EXPECT_TRUE(windows == windows_) << windows.size() << " of " << windows_.size();
  }
  std::uint64_t crash_count() const { return crash_count_; }
  std::size_t run_file_count() {
    const auto names = driver_.files().list("state/test/0").value();
    return static_cast<std::size_t>(std::ranges::count_if(
        names, [](const std::string& name) { return name.starts_with("run-"); }));
  }

 private:
  static TestDriverOptions options(std::uint64_t seed) {
    TestDriverOptions options{.seed = seed};
    options.stream.checkpoint_events = 500;
    return options;
  }
  void pipe() {
    std::vector<TestRecord> records;
    for (std::uint64_t n = random_.below(200); n > 0; --n) {
      const std::uint64_t number = 1 + random_.below(1'000'000);
      const Timestamp time = start_ - Millis(random_.below(600'000));
      records.push_back(order_record(number, time));
      const std::string key = std::to_string(order_id(number).low % 2000);
      ++all_[key];
      ++windows_[{bucket_start(time, kWindow).ms, key}];
    }
    if (!records.empty()) driver_.pipe("orders", 0, records);
  }
  void die() {
    driver_.crash();
    driver_.restart();
    ++crash_count_;
  }

  io::SeededRandom random_;
  TestDriver driver_;
  Timestamp start_;
  std::map<std::string, std::uint64_t> all_;
  std::map<std::pair<std::int64_t, std::string>, std::uint64_t> windows_;
  std::uint64_t crash_count_ = 0;
};

TEST(Spill, a_task_with_its_state_on_disk_survives_crashes_at_any_moment) {
  std::uint64_t crashes = 0, run_files = 0;
  const auto seeds = io::test_seeds(10);
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE(io::seed_note(seed));
    SpillingRun run(seed);
    for (int i = 0; i < 120; ++i) run.act();
    run.compare();
    ASSERT_FALSE(HasFailure());
    crashes += run.crash_count();
    run_files += run.run_file_count();
  }
  if (seeds.size() == 1) return;
  EXPECT_GT(crashes, 20u);
  EXPECT_GT(run_files, seeds.size());
}

}  // namespace spill_test
}  // namespace adbrook::stream
