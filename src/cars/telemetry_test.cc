#include "cars/telemetry.h"

#include <gtest/gtest.h>

#include "serde/json_reader.h"

namespace adbrook::cars {
namespace {

std::string telemetry_error(std::string_view json) {
  serde::JsonReader reader;
  const auto reading = parse_telemetry(json, reader);
  return reading ? "" : reading.error().message;
}

TEST(Telemetry, json_keeps_what_is_there_and_what_is_absent) {
  Telemetry reading;
  reading.route = "a \"route\"";
  reading.row = 17;
  reading.time = Timestamp{1'500'000'000'123};
  reading.covers = Millis(1000);
  reading[Signal::speed_kmh] = 0;
  reading[Signal::longitude] = -83.237617;
  const std::string json = to_json(reading);
  EXPECT_EQ(json, R"({"route":"a \"route\"","row":17,"time":1500000000123,"covers_ms":1000,)"
                  R"("speed_kmh":0,"longitude":-83.237617})");
  serde::JsonReader reader;
  const auto again = parse_telemetry(json, reader);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, reading);
}

TEST(Telemetry, an_unknown_field_and_a_null_are_passed_over) {
  serde::JsonReader reader;
  const auto reading =
      parse_telemetry(R"({"route":"r","row":0,"time":1,"tyre_kpa":220,"coolant_c":null})", reader);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ((*reading)[Signal::coolant_c], std::nullopt);
}

TEST(Telemetry, what_is_wrong_names_field_value_and_rule) {
  EXPECT_EQ(telemetry_error(R"({"route":"r","row":0,"time":1,"coolant_c":900})"),
            "telemetry field coolant_c: 900 is nothing a working sensor says; leave the field out");
  EXPECT_EQ(telemetry_error(R"({"route":"r","row":-1,"time":1})"),
            "telemetry field row: -1 is not between 0 and 9007199254740991; send a number in it");
  EXPECT_EQ(telemetry_error(R"({"route":"","row":0,"time":1})"),
            "telemetry field route: it must have 1 to 200 bytes");
  EXPECT_EQ(telemetry_error(R"({"route":"r","time":1})"),
            "telemetry: route, row and time must be there; send all three");
}

}  // namespace
}  // namespace adbrook::cars
