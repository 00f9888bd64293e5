#include "cars/car_topology.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "io/test_seed.h"
#include "state/key_value_store.h"
#include "stream/test_driver.h"

namespace adbrook::cars {
namespace {

using namespace std::chrono_literals;

stream::TestRecord record_of(std::string_view car, const Telemetry& reading) {
  return {.key = std::string(car), .value = to_json(reading), .time = {}};
}

Telemetry reading_at(Timestamp time, std::uint64_t row, std::string_view route = "home") {
  Telemetry reading;
  reading.route = route;
  reading.row = row;
  reading.time = time;
  reading.covers = 1s;
  return reading;
}

std::vector<std::string> alerts_of(stream::TestDriver& driver) {
  std::vector<std::string> alerts;
  for (const auto& record : driver.records(kAlertTopic))
    alerts.push_back(record.key.value_or("~") + " " + record.value);
  return alerts;
}

using Totals = std::map<std::pair<std::string, std::string>, RouteTotals>;

Totals totals_of(stream::TestDriver& driver, std::int32_t partition_count) {
  Totals all;
  for (std::int32_t partition = 0; partition < partition_count; ++partition)
    driver.ask(partition, [&](const stream::TaskView& task) {
      const auto* store = task.store<state::KeyValueStore>(kTotalsStore);
      ASSERT_NE(store, nullptr);
      store->for_each([&](ByteView key, ByteView row) {
        StoredTotals read;
        ASSERT_TRUE(read_stored(key, row, read));
        all.emplace(std::pair(std::string(read.key.car), std::string(read.key.route)), read.totals);
      });
    });
  return all;
}

TEST(CarTopology, an_alert_is_written_within_a_second_and_once) {
  stream::TestDriver driver(define_car_topology);
  const Timestamp t = driver.now();
  auto hot = reading_at(t, 0);
  hot[Signal::coolant_c] = 111;
  driver.pipe(kTelemetryTopic, record_of("car-1", hot));
  driver.advance(1s);
  const std::string raised = R"(car-1 {"alert":"engine_hot","raised":true,"time":)" +
                             std::to_string(t.ms) + R"(,"value":111})";
  EXPECT_EQ(alerts_of(driver), std::vector{raised});

  driver.pipe(kTelemetryTopic, record_of("car-1", hot));  // sent twice
  auto still = reading_at(t + 1s, 1);
  still[Signal::coolant_c] = 115;
  driver.pipe(kTelemetryTopic, record_of("car-1", still));
  auto cool = reading_at(t + 2s, 2);
  cool[Signal::coolant_c] = 90;
  driver.pipe(kTelemetryTopic, record_of("car-1", cool));
  driver.advance(1s);
  ASSERT_EQ(alerts_of(driver).size(), 2u);
  EXPECT_NE(alerts_of(driver)[1].find(R"("raised":false)"), std::string::npos);
}

TEST(CarTopology, what_is_no_reading_becomes_a_dead_letter_and_the_rest_goes_on) {
  stream::TestDriver driver(define_car_topology);
  const auto good = reading_at(driver.now(), 0);
  driver.pipe(kTelemetryTopic,
              stream::TestRecord{.key = "car-1", .value = "{\"row\":1", .time = {}});
  driver.pipe(kTelemetryTopic, stream::TestRecord{.key = {}, .value = to_json(good), .time = {}});
  driver.pipe(kTelemetryTopic, record_of("car-1", good));
  driver.run();
  EXPECT_EQ(driver.records("dead-letters").size(), 2u);
  EXPECT_EQ(totals_of(driver, 1).size(), 1u);
  EXPECT_EQ(driver.runner().trouble(), "");
}

TEST(CarTopology, a_route_with_escapes_is_one_route) {
  stream::TestDriver driver(define_car_topology);
  const Timestamp t = driver.now();
  const std::string route = "a \"b\"\n\\c";
  driver.pipe(
      kTelemetryTopic, 0,
      {record_of("car", reading_at(t, 0, route)), record_of("car", reading_at(t + 1s, 0, "z")),
       record_of("car", reading_at(t + 2s, 1, route))});
  driver.run();
  const auto totals = totals_of(driver, 1);
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals.at({"car", route}).rows.row_count(), 2u);
}

// Whatever comes late, twice or in another order, and wherever the process dies: the totals are
// those of a plain loop over every reading once, and the alerts those of one book per car in the
// order of arrival.
TEST(CarTopology, totals_and_alerts_equal_a_plain_loop_after_crashes) {
  for (const std::uint64_t seed : io::test_seeds(20)) {
    SCOPED_TRACE(io::seed_note(seed));
    std::mt19937_64 random(seed);
    constexpr std::int32_t kPartitions = 2;
    stream::TestDriver driver(define_car_topology,
                              {.partition_count = kPartitions, .seed = random()});
    const Timestamp start = driver.now();
    Totals expected;
    std::map<std::string, AlertBook> books;
    std::multiset<std::string> expected_alerts;
    for (int step = 0; step < 30; ++step) {
      for (int n = 0; n < 10; ++n) {
        const std::string car = "car-" + std::to_string(random() % 4);
        const std::uint64_t row = random() % 60;  // often sent twice
        auto reading = reading_at(start + Millis(row * 500), row, random() % 2 ? "home" : "away");
        // A function of the row, since the same reading has the same values.
        if (row % 3 != 0) reading[Signal::speed_kmh] = static_cast<double>(row * 7 % 120);
        if (row % 4 != 0) reading[Signal::fuel_rate_lph] = static_cast<double>(row % 9);
        if (row % 5 != 0) reading[Signal::coolant_c] = static_cast<double>(90 + row % 40);
        expected[{car, std::string(reading.route)}].add(reading);
        AlertBook& book = books[car];
        book.take(reading);
        for (std::size_t i = 0; i < book.change_count(); ++i)
          expected_alerts.insert(car + " " + to_json(book.change(i)));
        driver.pipe(kTelemetryTopic, record_of(car, reading));
      }
      if (random() % 4 == 0) driver.run();
      if (random() % 6 == 0) {
        driver.crash();
        driver.restart();
      }
    }
    driver.run();
    ASSERT_EQ(driver.runner().trouble(), "");
    ASSERT_EQ(totals_of(driver, kPartitions), expected);
    const auto alerts = alerts_of(driver);
    ASSERT_EQ(std::multiset<std::string>(alerts.begin(), alerts.end()), expected_alerts);
  }
}

}  // namespace
}  // namespace adbrook::cars
