// How an application tests its topology: no log, no thread, and a clock that the test owns.
#include <gtest/gtest.h>

#include "examples/flows.h"
#include "stream/test_driver.h"

namespace shop {
namespace {

using namespace adbrook;
using namespace adbrook::stream;
using namespace std::chrono_literals;

TEST(Shop, an_order_that_nobody_pays_is_told_once_when_traffic_stops) {
  TestDriver driver(paid_orders);
  driver.pipe("orders", {.key = "no-1", .value = "1250 book"});
  driver.run();
  EXPECT_TRUE(driver.records("paid-orders").empty());  // somebody may still pay

  driver.advance(10min);
  driver.crash();
  driver.restart();
  driver.advance(10min);
  const auto told = driver.records("paid-orders");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].value, "book paid never");
}

}  // namespace
}  // namespace shop
