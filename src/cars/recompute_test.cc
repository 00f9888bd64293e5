// The totals counted anew and held against the running ones, over a log in memory.
#include "cars/recompute.h"

#include <gtest/gtest.h>

#include "cars/car_topology.h"
#include "stream/test_driver.h"

namespace adbrook::cars {
namespace {

using namespace std::chrono_literals;

class Recounting {
 public:
  explicit Recounting(std::int32_t partition_count)
      : driver_(define_car_topology, {.partition_count = partition_count}),
        recompute_({driver_.runner(), driver_.bus(), driver_.executor(), {}}) {}

  void read(std::int32_t partition, std::uint64_t row, double speed = 36) {
    Telemetry reading;
    reading.route = "home";
    reading.row = row;
    reading.time = driver_.now();
    reading.covers = 1s;
    reading[Signal::speed_kmh] = speed;
    reading[Signal::coolant_c] = 112;
    driver_.pipe(kTelemetryTopic, partition,
                 {{.key = "car", .value = to_json(reading), .time = {}}});
  }
  // Nothing when nobody answered.
  std::optional<Result<Recomputed>> recount() {
    std::optional<Result<Recomputed>> answer;
    driver_.executor().run_until_idle();
    recompute_.start([&answer](Result<Recomputed> result) { answer = std::move(result); });
    driver_.run();
    return answer;
  }
  Rows<RouteRow> routes() {
    std::optional<Result<Rows<RouteRow>>> answer;
    ask_for_routes(driver_.runner(), [&](auto result) { answer = std::move(result); });
    driver_.run();
    return answer->value();
  }
  Rows<RaisedAlert> alerts() {
    std::optional<Result<Rows<RaisedAlert>>> answer;
    ask_for_alerts(driver_.runner(), [&](auto result) { answer = std::move(result); });
    driver_.run();
    return answer->value();
  }
  stream::TestDriver& driver() { return driver_; }

 private:
  stream::TestDriver driver_;
  Recompute recompute_;
};

// Two kinds of clients place one key differently; what they sent is one car all the same.
TEST(Recompute, a_car_in_two_partitions_is_one_row_in_every_answer) {
  Recounting recounting(2);
  for (std::uint64_t row = 0; row < 10; ++row)
    recounting.read(static_cast<std::int32_t>(row % 3 == 0), row);
  const auto recomputed = recounting.recount().value().value();
  EXPECT_EQ(recomputed.record_count, 10u);
  EXPECT_TRUE(recomputed.differences.empty());
  ASSERT_EQ(recomputed.routes.size(), 1u);
  EXPECT_EQ(recomputed.routes[0].totals.distance_mm, 100'000);
  const auto routes = recounting.routes();
  ASSERT_EQ(routes.rows.size(), 1u);
  EXPECT_EQ(routes.rows[0].totals, recomputed.routes[0].totals);
  EXPECT_EQ(recounting.alerts().rows.size(), 1u) << "engine_hot, raised by both";
}

TEST(Recompute, a_reading_sent_into_two_partitions_is_a_difference) {
  Recounting recounting(2);
  recounting.read(0, 0);
  recounting.read(1, 0);
  const auto recomputed = recounting.recount().value().value();
  ASSERT_EQ(recomputed.differences.size(), 1u);
  EXPECT_EQ(recomputed.differences[0].running->distance_mm, 20'000);
  EXPECT_EQ(recomputed.differences[0].recomputed->distance_mm, 10'000);
}

TEST(Recompute, a_task_that_stops_under_a_question_does_not_lock_out_the_next_one) {
  Recounting recounting(1);
  recounting.read(0, 0);
  recounting.driver().bus().fail_next_commits({ErrorKind::io_failed});
  EXPECT_FALSE(recounting.recount()) << "the task dropped it";
  ASSERT_NE(recounting.driver().runner().trouble(), "");
  const auto next = recounting.recount();
  ASSERT_TRUE(next);
  EXPECT_NE(next->error().message.find("does not answer"), std::string::npos)
      << next->error().message;
}

}  // namespace
}  // namespace adbrook::cars
