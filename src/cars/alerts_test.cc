#include "cars/alerts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace adbrook::cars {
namespace {

// A car told second by second; what changed is listed as "+engine_hot@3" and "-engine_hot@9".
class Car {
 public:
  Car& say(std::int64_t second, Signal signal, double value) {
    Telemetry reading;
    reading.time = Timestamp{second * 1000};
    reading[signal] = value;
    book_.take(reading);
    for (std::size_t i = 0; i < book_.change_count(); ++i) {
      const AlertChange& change = book_.change(i);
      EXPECT_EQ(change.raised, book_.is_raised(change.kind));
      changes_.push_back((change.raised ? "+" : "-") + std::string(to_string(change.kind)) + "@" +
                         std::to_string(change.time.ms / 1000));
    }
    return *this;
  }
  const std::vector<std::string>& changes() const { return changes_; }

 private:
  AlertBook book_;
  std::vector<std::string> changes_;
};

using Changes = std::vector<std::string>;

TEST(AlertBook, a_hot_engine_is_raised_once_and_cleared_once) {
  Car car;
  car.say(1, Signal::coolant_c, 109.9).say(2, Signal::coolant_c, 110);
  car.say(3, Signal::coolant_c, 125).say(4, Signal::coolant_c, 109).say(5, Signal::coolant_c, 105);
  EXPECT_EQ(car.changes(), Changes{"+engine_hot@2"});
  car.say(6, Signal::coolant_c, 104.9).say(7, Signal::coolant_c, 109);
  EXPECT_EQ(car.changes(), (Changes{"+engine_hot@2", "-engine_hot@6"}));
}

TEST(AlertBook, fuel_that_only_moves_in_its_tank_raises_nothing) {
  Car car;
  for (int second = 0; second < 600; ++second)
    car.say(second, Signal::fuel_level_percent, second % 50 == 49 ? 12 : 8);
  EXPECT_EQ(car.changes(), Changes{});
}

TEST(AlertBook, low_fuel_is_raised_after_a_minute_and_cleared_after_one) {
  Car car;
  for (int second = 0; second < 100; ++second) car.say(second, Signal::fuel_level_percent, 9);
  for (int second = 100; second < 200; ++second) car.say(second, Signal::fuel_level_percent, 60);
  EXPECT_EQ(car.changes(), (Changes{"+fuel_low@60", "-fuel_low@160"}));
}

TEST(AlertBook, harsh_braking_is_one_alert_until_ten_quiet_seconds_passed) {
  Car car;
  double speed = 80;
  car.say(0, Signal::speed_kmh, speed);
  for (int second = 1; second <= 3; ++second) car.say(second, Signal::speed_kmh, speed -= 15);
  for (int second = 4; second <= 20; ++second) car.say(second, Signal::speed_kmh, speed);
  EXPECT_EQ(car.changes(), (Changes{"+harsh_driving@1", "-harsh_driving@13"}));
}

TEST(AlertBook, a_change_of_speed_over_a_gap_is_not_harsh) {
  Car car;
  car.say(0, Signal::speed_kmh, 100).say(3, Signal::speed_kmh, 0);
  EXPECT_EQ(car.changes(), Changes{});
}

TEST(AlertBook, a_late_reading_and_one_sent_twice_change_nothing) {
  Car car;
  car.say(5, Signal::coolant_c, 120).say(5, Signal::coolant_c, 80).say(4, Signal::coolant_c, 80);
  EXPECT_EQ(car.changes(), Changes{"+engine_hot@5"});
}

TEST(AlertBook, an_absent_signal_clears_nothing) {
  Car car;
  car.say(1, Signal::oil_c, 140);
  for (int second = 2; second < 100; ++second) car.say(second, Signal::engine_rpm, 800);
  EXPECT_EQ(car.changes(), Changes{"+oil_hot@1"});
}

}  // namespace
}  // namespace adbrook::cars
