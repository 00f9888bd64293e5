// The public interface in one small application, kept compiling: what a topology looks like, how it
// is driven, and how it is asked.
#include <gtest/gtest.h>

#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace example_test {

using namespace std::chrono_literals;
using namespace example;

// What happens at each moment of the join. `Row` is kept for every open order.
struct PayOrders {
  struct Row {
    std::uint32_t shop;
  };
  state::Dictionary& shops;
  ShopCells& cells;
  Sink& paid;
  Sink& summaries;

  Row counted(const Order& order, const RowMeta&) {
    const Row row{shops.intern(order.shop)};
    cells.add(order.time, {{row.shop}}, {1, 0, 0});
    return row;
  }
  void joined(const Payment& payment, const RowMeta&, const ParentRef<Row>& order) {
    cells.add(payment.time, {{order.row.shop}}, {0, 1, xxh3(payment.id)});
    paid.add(payment.time, {}, as_bytes(payment.id.to_string()));
  }
  void first_moved(const ParentRef<Row>&, const ChildRef*, const ChildRef&) {}
  void summary(const ParentRef<Row>& order, std::span<const ChildRef> payments) {
    if (summaries.muted()) return;
    summaries.add(order.time, {},
                  as_bytes(order.id.to_string() + " " + std::to_string(payments.size())));
  }
  void ended(const Payment&, const RowMeta&, Outcome, std::string_view) {}
};

void define(Topology& topology) {
  auto& shops = topology.store<state::Dictionary>("shops");
  auto& cells = topology.store<ShopCells>("by-shop", state::CellOptions{.dimensions = 1});
  PayOrders policy{shops, cells, topology.sink("paid"), topology.sink("order-summaries")};

  auto orders = topology.source<Order>(
      "orders", OrderCodec{}, {.id = &Order::id, .time = &Order::time, .through = "orders-placed"});
  orders.rejected().to("dead-letters", [](const Rejected& r, const RowMeta& meta, Sink& sink) {
    sink.add(meta.append_time, as_bytes(r.why.reason), meta.value);
  });
  auto accepted =
      orders.dedupe("orders-seen", {.horizon = 24h}).filter("trial-shop", [](const Order& o) {
        return o.shop != "trial";
      });
  auto payments =
      topology
          .source<Payment>(
              "payments", PaymentCodec{},
              {.id = &Payment::id, .time = &Payment::time, .through = "payments-placed"})
          .dedupe("payments-seen", {.horizon = 24h});
  auto [linked, unlinked] =
      payments.branch("linked", [](const Payment& p) { return p.order.has_value(); });
  unlinked.settle(Outcome::unlinked);
  const auto order_of = [](const Payment& p) { return *p.order; };
  linked.repartition("payments-by-order", order_of)
      .join("pay", accepted, order_of, {.within = 30min, .grace = 1min}, policy);
}

TEST(Example, an_application_of_thirty_lines_joins_and_answers) {
  TestDriver driver(define, {.partition_count = 2});
  const Timestamp t = driver.now();
  for (std::uint64_t n = 1; n <= 10; ++n) driver.pipe("orders", order_record(n, t));
  driver.pipe("orders", order_record(11, t, "trial"));
  driver.pipe("payments", payment_record(1, t + 5s, 3));
  driver.pipe("payments", payment_record(2, t + 6s, 0));
  driver.run();

  EXPECT_EQ(driver.records("paid").size(), 1u);
  EXPECT_EQ(driver.records("order-summaries").size(), 0u);
  std::uint64_t order_count = 0;
  for (std::int32_t partition = 0; partition < 2; ++partition)
    driver.ask(partition, [&](const TaskView& task) {
      const auto* cells = task.store<ShopCells>("by-shop");
      ASSERT_NE(cells, nullptr);
      cells->for_each({}, [&](const state::CellBucket&, std::span<const std::uint32_t>,
                              const ShopCells::Measures& m) { order_count += m[0]; });
    });
  EXPECT_EQ(order_count, 10u);

  driver.advance(40min);  // silence: the idle rule closes every window
  EXPECT_EQ(driver.records("order-summaries").size(), 10u);
  EXPECT_EQ(driver.runner().trouble(), "");
}

}  // namespace example_test
}  // namespace adbrook::stream
