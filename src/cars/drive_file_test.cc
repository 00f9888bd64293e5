#include "cars/drive_file.h"

#include <gtest/gtest.h>

#include "record/compression.h"

namespace adbrook::cars {
namespace {

using namespace std::chrono_literals;

Result<Drive> read(std::string_view text, DriveFileOptions options = {"drive.txt.gz", "", {}}) {
  return read_drive(as_bytes(text), options);
}

std::string error_of(std::string_view text) {
  const auto drive = read(text);
  return drive ? "" : drive.error().message;
}

constexpr std::string_view kCarObd =
    "ENGINE_RUN_TINE (),ENGINE_RPM (),VEHICLE_SPEED (),COOLANT_TEMPERATURE (),FUEL_TANK ()\n"
    "0.0, 800.5, 0.000, 81.0, 60.4,\n"
    "1.0, 900.0, 36.00, 82.0, 999.0,\n";

TEST(DriveFile, a_carobd_row_is_one_second_and_columns_it_lacks_are_absent) {
  const auto drive = read(kCarObd, {"long1.csv.gz", "", Timestamp{5000}});
  ASSERT_TRUE(drive) << drive.error().message;
  EXPECT_EQ(drive->car, "carobd");
  EXPECT_EQ(drive->route, "long1");
  ASSERT_EQ(drive->readings.size(), 2u);
  const Telemetry& second = drive->readings[1];
  EXPECT_EQ(second.time, Timestamp{6000});
  EXPECT_EQ(second.row, 1u);
  EXPECT_EQ(second.covers, 1000ms);
  EXPECT_EQ(second[Signal::speed_kmh], 36.0);
  EXPECT_EQ(second[Signal::coolant_c], 82.0);
  EXPECT_EQ(second[Signal::fuel_rate_lph], std::nullopt);
  EXPECT_EQ(second[Signal::latitude], std::nullopt);
  EXPECT_EQ(second[Signal::fuel_level_percent], std::nullopt) << "999 percent is no level";
  EXPECT_EQ(drive->odd_count, 1u);
  EXPECT_EQ(drive->readings[0].covers, 0ms);
}

TEST(DriveFile, gzip_is_unpacked) {
  const auto packed = record::compress(record::Compression::gzip, as_bytes(kCarObd));
  ASSERT_TRUE(packed);
  const auto drive = read_drive(*packed, {"a.csv.gz", "my-car", {}});
  ASSERT_TRUE(drive) << drive.error().message;
  EXPECT_EQ(drive->car, "my-car");
  EXPECT_EQ(drive->readings.size(), 2u);
}

// Lines of one second are one reading; the fuel counter becomes what was used since.
TEST(DriveFile, openxc_signals_of_one_second_are_one_reading) {
  const auto drive = read(
      "1332794184.3: {\"name\":\"fuel_consumed_since_restart\",\"value\":0.09}\n"
      "1332794184.5: {\"name\":\"vehicle_speed\",\"value\":10.0}\n"
      "1332794184.9: {\"name\":\"vehicle_speed\",\"value\":12.0}\n"
      "1332794185.1: {\"name\":\"fuel_consumed_since_restart\",\"value\":0.092}\n"
      "1332794185.2: {\"name\":\"vehicle_speed\",\"value\":14.0}\n"
      "1332794185.2: {\"name\":\"door_status\",\"value\":true}\n"
      "1332794189.2: {\"name\":\"fuel_consumed_since_restart\",\"value\":0.001}\n");
  ASSERT_TRUE(drive) << drive.error().message;
  ASSERT_EQ(drive->readings.size(), 2u);
  EXPECT_EQ(drive->readings[0][Signal::speed_kmh], 12.0);
  EXPECT_EQ(drive->readings[0][Signal::fuel_used_l], std::nullopt);
  EXPECT_EQ(drive->readings[1].time, Timestamp{1'332'794'185'200});
  EXPECT_EQ(drive->readings[1].covers, 300ms);
  ASSERT_TRUE(drive->readings[1][Signal::fuel_used_l]);
  EXPECT_NEAR(*drive->readings[1][Signal::fuel_used_l], 0.002, 1e-12);
  EXPECT_EQ(drive->row_count, 7u);
  EXPECT_EQ(drive->unread_count, 1u);
}

TEST(DriveFile, an_openxc_trace_without_times_is_refused) {
  EXPECT_EQ(error_of("{\"name\":\"vehicle_speed\",\"value\":10.0}\n"),
            "drive.txt.gz: line 1: the signal has no time; a trace without times cannot be read");
}

std::string track(std::string_view phenomenons, std::string_view more = "") {
  return R"({"type":"FeatureCollection","properties":{"id":"t1","sensor":{"type":"car",)"
         R"("properties":{"id":"c1","model":"V40"}}},"features":[)"
         R"({"geometry":{"coordinates":[7.5,51.25]},"properties":{"time":"2018-09-23T20:24:28Z",)"
         R"("phenomenons":{)" +
         std::string(phenomenons) + "}}}" + std::string(more) + "]}";
}

TEST(DriveFile, an_envirocar_feature_is_a_reading_with_its_place) {
  const auto drive = read(track(R"("Speed":{"value":40.0,"unit":"km/h"},)"
                                R"("Consumption":{"value":2.5,"unit":"l/h"},)"
                                R"("Rpm":{"value":-1},"GPS Speed":{"value":41})"));
  ASSERT_TRUE(drive) << drive.error().message;
  EXPECT_EQ(drive->car, "c1");
  EXPECT_EQ(drive->route, "t1");
  ASSERT_EQ(drive->readings.size(), 1u);
  const Telemetry& reading = drive->readings[0];
  EXPECT_EQ(reading.time, Timestamp{1'537'734'268'000});
  EXPECT_EQ(reading[Signal::speed_kmh], 40.0);
  EXPECT_EQ(reading[Signal::fuel_rate_lph], 2.5);
  EXPECT_EQ(reading[Signal::engine_rpm], std::nullopt);
  EXPECT_EQ(reading[Signal::latitude], 51.25);
  EXPECT_EQ(reading[Signal::longitude], 7.5);
}

// 14.62 g/s of air is 4.81 l/h of petrol.
TEST(DriveFile, consumption_without_a_unit_counts_only_if_the_air_says_the_same) {
  const auto agrees =
      read(track(R"("Consumption":{"value":4.807},"Calculated MAF":{"value":14.62})"));
  ASSERT_TRUE(agrees);
  EXPECT_EQ(agrees->readings[0][Signal::fuel_rate_lph], 4.807);
  const auto other = read(track(R"("Consumption":{"value":0.0046},"MAF":{"value":7.24})"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->readings[0][Signal::fuel_rate_lph], std::nullopt);
  const auto alone = read(track(R"("Consumption":{"value":4.8})"));
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->readings[0][Signal::fuel_rate_lph], std::nullopt);
}

TEST(DriveFile, features_of_one_time_are_one_reading) {
  const auto drive =
      read(track("", R"(,{"properties":{"time":"2018-09-23T20:24:28Z","phenomenons":)"
                     R"({"Speed":{"value":9}}}})"));
  ASSERT_TRUE(drive) << drive.error().message;
  ASSERT_EQ(drive->readings.size(), 1u);
  EXPECT_EQ(drive->readings[0][Signal::speed_kmh], 9.0);
  EXPECT_EQ(drive->row_count, 2u);
}

TEST(DriveFile, what_cannot_be_read_names_file_and_line) {
  EXPECT_EQ(error_of("hello"),
            "drive.txt.gz: it begins like no enviroCar track, OpenXC trace or carOBD log; see "
            "docs/cars.md for what can be read");
  EXPECT_EQ(error_of("ENGINE_RUN_TINE (),VEHICLE_SPEED ()\n0, 1,\n1, x,\n"),
            "drive.txt.gz: line 3: ` x` is no number");
  EXPECT_EQ(error_of("ENGINE_RUN_TINE (),VEHICLE_SPEED ()\n"),
            "drive.txt.gz: no row has a signal that we know");
  EXPECT_EQ(error_of(R"({"features":[{"properties":{"phenomenons":{}}}]})"),
            "drive.txt.gz: feature 0: it has no time");
}

}  // namespace
}  // namespace adbrook::cars
