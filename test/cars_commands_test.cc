// The connected cars from files to alerts and totals, over the real binary: its own engine, Kafka's
// protocol in, HTTP out.
#include <gtest/gtest.h>
#include <signal.h>

#include "test/program.h"

namespace adbrook::test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A drive of 40 seconds at 36 km/h whose engine is too hot from second 10 to 29.
std::string hot_drive() {
  std::string csv =
      "ENGINE_RUN_TINE (),ENGINE_RPM (),VEHICLE_SPEED (),COOLANT_TEMPERATURE (),FUEL_TANK ()\n";
  for (int second = 0; second < 40; ++second)
    csv += std::to_string(second) + ".0, 900.0, 36.00, " +
           (second >= 10 && second < 30 ? "112.0" : "90.0") + ", 60.4,\n";
  return csv;
}

class CarsCommands : public testing::Test {
 protected:
  void SetUp() override {
    start();
    write_file(scratch_ / "hot.csv", hot_drive());
  }
  void start() {
    program_.emplace(scratch_, std::vector<std::string>{ADBROOK_BINARY, "cars", "serve", "--data",
                                                        scratch_ / "cars", "--http", "127.0.0.1:0",
                                                        "--kafka", "127.0.0.1:0"});
    ASSERT_TRUE(program_->wait_for_output("is ready")) << program_->err();
    url_ = address_behind("http://");
    kafka_ = address_behind("kafka://");
  }
  std::string address_behind(const std::string& scheme) {
    const std::string out = program_->out();
    const std::size_t at = out.find(scheme) + scheme.size();
    return out.substr(at, out.find_first_of(", \n", at) - at);
  }
  Outcome ask(const std::string& what) {
    return adbrook(scratch_, {"cars", what, "--json", "--server", "http://" + url_});
  }
  void import_drive() {
    const auto sent =
        adbrook(scratch_, {"cars", "import", scratch_ / "hot.csv", "--bootstrap", kafka_});
    ASSERT_EQ(sent.code, 0) << sent.err;
    EXPECT_EQ(sent.out, "40 of 40 readings are acknowledged\n");
  }
  // Asks until the answer holds `part`: what was acknowledged is committed a moment later.
  Outcome ask_until(const std::string& what, const std::string& part) {
    Outcome outcome;
    for (int attempt = 0; attempt < 200 && !has(outcome.out, part); ++attempt) outcome = ask(what);
    return outcome;
  }

  Scratch scratch_;
  std::optional<Program> program_;
  std::string url_, kafka_;
};

TEST_F(CarsCommands, a_drive_becomes_alerts_and_totals_that_a_recount_confirms) {
  import_drive();
  const auto routes = ask_until("routes", "\"readings\":40");
  EXPECT_TRUE(has(routes.out, "\"route\":\"hot\"")) << routes.out << routes.err;
  EXPECT_TRUE(has(routes.out, "\"km\":3.9E-1")) << "39 s at 10 m/s: " << routes.out;
  EXPECT_FALSE(has(routes.out, "\"as_of\":null")) << routes.out;
  const auto alerts = ask("alerts");
  EXPECT_TRUE(has(alerts.out, "\"alerts\":[]")) << "raised and cleared: " << alerts.out;
  const auto changes =
      adbrook(scratch_, {"consume", "car-alerts", "--bootstrap", kafka_, "--once"});
  EXPECT_TRUE(has(changes.out, "\"raised\":true")) << changes.out << changes.err;
  EXPECT_TRUE(has(changes.out, "\"raised\":false")) << changes.out;
  EXPECT_EQ(std::count(changes.out.begin(), changes.out.end(), '\n'), 2) << changes.out;
  const auto recount = ask("recompute");
  EXPECT_EQ(recount.code, 0) << recount.out << recount.err;
  EXPECT_TRUE(has(recount.out, "\"equal\":true")) << recount.out;
}

TEST_F(CarsCommands, what_was_sent_twice_counts_once_also_after_a_kill) {
  import_drive();
  ask_until("routes", "\"readings\":40");
  program_->signal(SIGKILL);
  program_->wait();
  start();
  import_drive();
  const auto recount = ask_until("recompute", "\"records\":80");
  EXPECT_EQ(recount.code, 0) << recount.out << recount.err;
  EXPECT_TRUE(has(recount.out, "\"readings\":40")) << recount.out;
  const auto changes =
      adbrook(scratch_, {"consume", "car-alerts", "--bootstrap", kafka_, "--once"});
  EXPECT_EQ(std::count(changes.out.begin(), changes.out.end(), '\n'), 2) << changes.out;
}

TEST_F(CarsCommands, a_file_that_is_no_drive_is_refused_with_its_name) {
  write_file(scratch_ / "not.txt", "hello\n");
  const auto sent =
      adbrook(scratch_, {"cars", "import", scratch_ / "not.txt", "--bootstrap", kafka_});
  EXPECT_EQ(sent.code, 2) << sent.err;
  EXPECT_TRUE(has(sent.err, "not.txt")) << sent.err;
}

}  // namespace
}  // namespace adbrook::test
