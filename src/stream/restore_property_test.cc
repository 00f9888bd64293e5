// Random streams, crashes at random moments (also while restoring, also in the middle of writing a
// checkpoint), commits lost or kept: what the bus holds in the end is, record for record, what one
// uninterrupted machine writes that takes the steps of the changelog.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "stream/order_example_test.h"
#include "stream/uninterrupted_test.h"

namespace adbrook::stream {
namespace restore_property_test {

using namespace std::chrono_literals;
using namespace example;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), options_(draw_options(seed)) {
    driver_ = std::make_unique<TestDriver>(define_telling, options_);
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
    driver_->run();
    ASSERT_EQ(driver_->runner().trouble(), "");
  }

  void compare() {
    Outputs expected;
    std::uint64_t ended = 0;
    for (std::int32_t p = 0; p < options_.partition_count; ++p) {
      UninterruptedTask task(*driver_, define_telling, p, options_.partition_count,
                             options_.stream);
      task.take_all(expected);
      if (testing::Test::HasFatalFailure()) return;
      driver_->ask(p, [&](const TaskView& view) {
        EXPECT_EQ(view.counts().digest(), task.counts().digest()) << "task " << p;
      });
      task.counts().for_each(
          [&](Arrival, Outcome, std::string_view, std::uint64_t n) { ended += n; });
      ended += task.counts().pending_total();
    }
    EXPECT_EQ(ended, piped_) << "every event ends once or waits";
    for (const char* topic : {"moments", "refused", "dead-letters"})
      compare(topic, expected, false);
    // Several tasks write to these; only their own records keep their order.
    for (const char* topic : {"orders-placed", "payments-placed", "payments-by-order"})
      compare(topic, expected, true);
  }
  std::uint64_t crash_count() const { return crash_count_; }

 private:
  static TestDriverOptions draw_options(std::uint64_t seed) {
    io::SeededRandom random(seed * 7919);
    TestDriverOptions options{.partition_count = 1 + static_cast<std::int32_t>(random.below(4)),
                              .seed = seed};
    options.stream.checkpoint_events = 1 + static_cast<std::int64_t>(random.below(200));
    options.stream.disorder = Millis(static_cast<std::int64_t>(random.below(20'000)));
    options.stream.commit_size = Bytes{random.below(2) == 0 ? 2'000 : 4'000'000};
    return options;
  }

  void act() {
    const std::uint64_t what = random_.below(100);
    if (what < 45) {
      pipe();
    } else if (what < 85) {
      for (std::uint64_t n = random_.below(30); n > 0; --n) driver_->executor().run_one();
    } else if (what < 95) {
      driver_->executor().advance(Millis(static_cast<std::int64_t>(
          random_.below(20) == 0 ? random_.below(600'000) : random_.below(300))));
    } else if (what < 97) {
      driver_->files().crash_at_step(driver_->files().steps() + random_.below(12));
    } else if (what < 98) {
      driver_->bus().fail_next_commits({ErrorKind::overloaded, ErrorKind::disk_full});
    } else {
      die();
    }
  }

  // Often again before the restore is over.
  void die() {
    driver_->crash();
    driver_->restart();
    ++crash_count_;
    while (random_.below(3) == 0) {
      for (std::uint64_t n = random_.below(40); n > 0; --n) driver_->executor().run_one();
      driver_->crash();
      driver_->restart();
      ++crash_count_;
    }
  }

  void pipe() {
    now_ = now_ + Millis(static_cast<std::int64_t>(random_.below(60'000)));
    const bool orders = random_.below(2) == 0;
    std::vector<TestRecord> batch;
    for (std::uint64_t n = 1 + random_.below(20); n > 0; --n) batch.push_back(draw(orders));
    piped_ += batch.size();
    const char* topic = orders ? "orders" : "payments";
    if (random_.below(3) == 0) {
      driver_->pipe(topic, static_cast<std::int32_t>(random_.below(options_.partition_count)),
                    batch);
    } else {
      for (TestRecord& record : batch) driver_->pipe(topic, std::move(record));
    }
  }

  TestRecord draw(bool order) {
    if (random_.below(60) == 0) return {"x", "no line", std::nullopt};
    Timestamp time = now_ - Millis(static_cast<std::int64_t>(random_.below(30'000)));
    if (random_.below(30) == 0)
      time = time - Millis(static_cast<std::int64_t>(random_.below(3'000'000)));
    if (random_.below(100) == 0) time = time - 25h;
    if (random_.below(100) == 0) time = time + 10min;
    const std::uint64_t number = 1 + random_.below(600);
    if (order) return order_record(number, time, random_.below(10) == 0 ? "trial" : "books");
    return payment_record(random_.below(2000) + 1, time, random_.below(10) == 0 ? 0 : number);
  }

  void compare(const std::string& topic, Outputs& expected, bool sorted) {
    for (std::int32_t p = 0; p < options_.partition_count; ++p)
      expect_written(*driver_, {topic, p}, expected, sorted);
  }

  io::SeededRandom random_;
  TestDriverOptions options_;
  std::unique_ptr<TestDriver> driver_;
  Timestamp now_;
  std::uint64_t piped_ = 0;
  std::uint64_t crash_count_ = 0;
};

TEST(Restore, equals_an_uninterrupted_run_record_for_record) {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t first = given ? std::stoull(given) : 1;
  const std::uint64_t count = given ? 1 : 200;
  std::uint64_t crash_count = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("ADBROOK_SEED=" + std::to_string(seed));
    World world(seed);
    world.live(300);
    if (HasFatalFailure()) return;
    world.compare();
    if (HasFailure()) return;
    crash_count += world.crash_count();
  }
  if (!given) {
    EXPECT_GT(crash_count, 1000u);
  }
}

}  // namespace restore_property_test
}  // namespace adbrook::stream
