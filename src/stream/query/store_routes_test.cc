// Tables, windows and sessions read over HTTP while a topology runs.
#include "stream/query/store_routes.h"

#include <gtest/gtest.h>

#include "stream/test_driver.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace store_routes_test {

constexpr Timestamp kStart{1'500'000'000'000};  // 2017-07-14T02:40:00Z

struct Money {
  std::int64_t cents = 0;
};
struct Blob {
  std::uint16_t a = 0x0102, b = 0x0304;
};

}  // namespace store_routes_test

template <>
struct Serde<store_routes_test::Money> : PlainSerde<store_routes_test::Money> {};
template <>
struct Shown<store_routes_test::Money> {
  static void write(serde::JsonWriter& json, const store_routes_test::Money& value) {
    json.begin_object();
    json.field("cents", value.cents);
    json.end_object();
  }
};
template <>
struct Serde<store_routes_test::Blob> : PlainSerde<store_routes_test::Blob> {};

namespace store_routes_test {

void define(Topology& topology) {
  const auto orders = topology.stream<std::string, std::string>("orders");
  orders.group_by_key().count("counts");
  orders.group_by_key().aggregate("spend", Money(), [](Money& sum, const std::string& value) {
    sum.cents += static_cast<std::int64_t>(value.size());
  });
  orders.group_by_key().aggregate("blobs", Blob(), [](Blob&, const std::string&) {});
  orders.group_by_key().windowed_by(TumblingWindow{.size = Millis(10'000)}).count("per-10-s");
  orders.group_by_key().windowed_by(SessionWindow{.gap = Millis(5'000)}).count("visits");
  topology.table<std::int32_t, std::string>("names", "names-by-number");
}

class StoreRoutes : public testing::Test {
 protected:
  StoreRoutes() : driver_(define, {.partition_count = 2, .start = kStart}) {
    add_store_routes(router_, driver_.runner());
    order("ann", "book", 1'000);
    order("bob", "pen", 2'000);
    order("ann", "lamp", 12'000);
    driver_.pipe("names-by-number",
                 {.key = std::string("\0\0\0\7", 4), .value = "seven", .time = kStart});
    driver_.run();
  }
  void order(const std::string& who, const std::string& what, std::int64_t ms) {
    driver_.pipe("orders", {.key = who, .value = what, .time = kStart + Millis(ms)});
  }
  http::Response get(const std::string& path, const std::string& query = "") {
    http::Request request{.path = path, .query = query};
    const auto match = router_.match(request);
    http::Response answer{.status = 0};
    match.route->handler(request, http::Responder([&answer](http::Response response) {
                           answer = std::move(response);
                         }));
    driver_.run();
    return answer;
  }
  void expect_in(const http::Response& answer, const std::string& part) {
    EXPECT_NE(answer.body.find(part), std::string::npos) << answer.status << " " << answer.body;
  }

  TestDriver driver_;
  Metrics metrics_;
  http::Router router_{metrics_};
};

TEST_F(StoreRoutes, a_table_is_read_by_key_with_the_commit_it_is_of) {
  const auto answer = get("/v1/stores/counts", "key=ann");
  EXPECT_EQ(answer.status, 200);
  expect_in(answer, R"("key":"ann","value":2,"time":"2017-07-14T02:40:12.000Z")");
  expect_in(answer, R"("kind":"table")");
  expect_in(answer, R"("commit":)");
  expect_in(answer, R"("watermark":"2017-07-14T02:40:02.000Z")");
  EXPECT_EQ(answer.body.find("bob"), std::string::npos);
}

TEST_F(StoreRoutes, windows_are_read_by_key_and_time) {
  const auto answer = get("/v1/stores/per-10-s", "key=ann&from=2017-07-14T02:40:10Z");
  expect_in(answer, R"("rows":[{"partition":)");
  expect_in(answer,
            R"("start":"2017-07-14T02:40:10.000Z","end":"2017-07-14T02:40:20.000Z","value":1)");
  EXPECT_EQ(answer.body.find("02:40:00.000Z\",\"end"), std::string::npos) << answer.body;
  expect_in(get("/v1/stores/visits", "key=bob"),
            R"("start":"2017-07-14T02:40:02.000Z","end":"2017-07-14T02:40:02.000Z","value":1)");
}

TEST_F(StoreRoutes, keys_that_are_numbers_and_values_of_own_types_are_shown) {
  expect_in(get("/v1/stores/names", "key=7"), R"("key":7,"value":"seven")");
  expect_in(get("/v1/stores/spend", "key=ann"), R"("value":{"cents":8})");
  expect_in(get("/v1/stores/blobs", "key=bob"), R"("value":"02010403")");
}

TEST_F(StoreRoutes, a_listing_ends_at_its_limit_and_says_that_there_is_more) {
  const auto one = get("/v1/stores/counts", "limit=1");
  expect_in(one, R"("more":true)");
  const auto all = get("/v1/stores/counts");
  expect_in(all, R"("more":false)");
  expect_in(all, "ann");
  expect_in(all, "bob");
  const auto stores = get("/v1/stores");
  for (const char* name : {"counts", "spend", "blobs", "per-10-s", "visits", "names"})
    expect_in(stores, "\"store\":\"" + std::string(name) + "\"");
}

TEST_F(StoreRoutes, what_cannot_be_asked_is_told_why) {
  EXPECT_EQ(get("/v1/stores/nothing").status, 404);
  const auto key = get("/v1/stores/names", "key=seven");
  EXPECT_EQ(key.status, 400);
  expect_in(key, "'seven' is no key of this store");
  EXPECT_EQ(get("/v1/stores/counts", "limit=-1").status, 400);
  EXPECT_EQ(get("/v1/stores/counts", "from=yesterday").status, 400);
  EXPECT_EQ(get("/v1/stores/counts", "kye=ann").status, 400);
}

// What lies on the disk: a table and windows of more than their budgets.
class SpilledStoreRoutes : public testing::Test {
 protected:
  static constexpr int kKeyCount = 4'000;

  SpilledStoreRoutes() : driver_(define_spilling, {.start = kStart}) {
    add_store_routes(router_, driver_.runner());
    std::vector<TestRecord> orders;
    for (int i = 0; i < kKeyCount; ++i)
      orders.push_back({.key = key(i), .value = "v", .time = kStart + Millis(i)});
    driver_.pipe("orders", 0, orders);
    driver_.run();
  }
  static void define_spilling(Topology& topology) {
    const StoreOptions spilling{.budget = 64_KiB, .over_budget = state::OverBudget::spill};
    const auto orders = topology.stream<std::string, std::string>("orders");
    orders.group_by_key().count("counts", spilling);
    orders.group_by_key()
        .windowed_by(TumblingWindow{.size = Millis(500)})
        .count("windows", spilling);
  }
  static std::string key(int i) { return "customer-" + std::to_string(i) + std::string(40, '-'); }
  void damage_runs() {
    int damaged = 0;
    const auto names = driver_.files().list("state/test/0").value();
    for (const std::string& name : names) {
      if (!name.starts_with("run-")) continue;
      const auto file = driver_.files().open("state/test/0/" + name, io::OpenMode::write).value();
      const Buffer garbage(static_cast<std::size_t>(file->size().value()), std::byte{0x5A});
      ASSERT_TRUE(file->write_at(0, garbage));
      ++damaged;
    }
    ASSERT_GT(damaged, 0) << "the stores spill";
  }
  http::Response get(const std::string& path, const std::string& query = "") {
    http::Request request{.path = path, .query = query};
    const auto match = router_.match(request);
    http::Response answer{.status = 0};
    match.route->handler(request, http::Responder([&answer](http::Response response) {
                           answer = std::move(response);
                         }));
    driver_.run();
    return answer;
  }

  TestDriver driver_;
  Metrics metrics_;
  http::Router router_{metrics_};
};

TEST_F(SpilledStoreRoutes, a_row_that_cannot_be_read_is_not_told_to_be_absent) {
  for (const char* store : {"/v1/stores/counts", "/v1/stores/windows"})
    EXPECT_NE(get(store, "key=" + key(7)).body.find("\"value\":1"), std::string::npos);
  damage_runs();
  int status = 200;
  for (int i = 0; i < kKeyCount && status == 200; ++i) {
    const auto answer = get("/v1/stores/counts", "key=" + key(i));
    status = answer.status;
    const bool told = answer.body.find("customer-") != std::string::npos;
    ASSERT_TRUE(status != 200 || told) << key(i) << ": " << answer.body;
  }
  EXPECT_EQ(status, 500);
  EXPECT_NE(driver_.runner().trouble().find("counts"), std::string::npos)
      << "without new input too: " << driver_.runner().trouble();
}

TEST_F(SpilledStoreRoutes, a_listing_that_cannot_be_read_to_its_end_is_an_error) {
  damage_runs();
  EXPECT_EQ(get("/v1/stores/windows").status, 500);
  EXPECT_NE(driver_.runner().trouble().find("windows"), std::string::npos);
}

}  // namespace store_routes_test
}  // namespace adbrook::stream
