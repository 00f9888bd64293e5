// A state that another topology wrote: taken over, built again, or refused, with the reason.
#include "stream/evolution.h"

#include <gtest/gtest.h>

#include "state/key_value_store.h"
#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace {

using namespace example;

enum class Shape { plain, with_filter, other_store, other_inputs };

// Counts orders in a store; the shape says what is different this time.
class ChangingDriver {
 public:
  explicit ChangingDriver(TestDriverOptions options = {})
      : driver_([this](Topology& topology) { define(topology); }, options) {}

  void orders(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t n = first; n <= last; ++n) {
      driver_.pipe("orders", order_record(n, driver_.now(), n % 5 == 0 ? "trial" : "books"));
      driver_.run();
    }
  }
  void restart_as(Shape shape, bool cleanly) {
    cleanly ? driver_.stop() : driver_.crash();
    shape_ = shape;
    driver_.restart();
    driver_.run();
  }
  std::uint64_t counted() {
    std::uint64_t count = 0;
    const std::string store = shape_ == Shape::other_store ? "books" : "orders";
    driver_.ask(0, [&](const TaskView& view) {
      const auto value = view.store<state::KeyValueStore>(store)->get(as_bytes("all"));
      if (value) count = load_le<std::uint64_t>(value->data());
    });
    return count;
  }
  std::string trouble() { return driver_.runner().trouble(); }
  TestDriver& driver() { return driver_; }

 private:
  void define(Topology& topology) {
    const bool books = shape_ == Shape::other_store;
    auto& store = topology.store<state::KeyValueStore>(books ? "books" : "orders");
    auto orders =
        topology.source<Order>("orders", OrderCodec{}, {.id = &Order::id, .time = &Order::time});
    if (shape_ == Shape::other_inputs)
      topology
          .source<Payment>("payments", PaymentCodec{}, {.id = &Payment::id, .time = &Payment::time})
          .settle(Outcome::unlinked);
    if (shape_ == Shape::with_filter)
      orders = orders.filter("no-trial", [](const Order& o) { return o.shop != "trial"; });
    orders
        .for_each("count",
                  [&store, books](const Order& order, const RowMeta&) {
                    if (books && order.shop != "books") return;
                    const auto value = store.upsert(as_bytes("all"), 8);
                    store_le(value.data(), load_le<std::uint64_t>(value.data()) + 1);
                  })
        .settle(Outcome::counted);
  }

  Shape shape_ = Shape::plain;
  TestDriver driver_;
};

TEST(Evolution, an_added_filter_goes_on_with_the_state_of_a_clean_stop) {
  ChangingDriver changing;
  changing.orders(1, 10);
  changing.restart_as(Shape::with_filter, true);
  ASSERT_EQ(changing.trouble(), "");
  ASSERT_FALSE(changing.driver().notes().empty());
  EXPECT_NE(changing.driver().notes().back().find("added 'filter no-trial'"), std::string::npos);
  EXPECT_EQ(changing.counted(), 10u);
  changing.orders(11, 20);
  EXPECT_EQ(changing.counted(), 18u);
  changing.restart_as(Shape::with_filter, false);
  ASSERT_EQ(changing.trouble(), "");
  EXPECT_EQ(changing.counted(), 18u);
  changing.restart_as(Shape::plain, true);
  ASSERT_EQ(changing.trouble(), "");
  changing.orders(21, 25);
  EXPECT_EQ(changing.counted(), 23u);
}

TEST(Evolution, commits_behind_the_checkpoint_are_not_replayed_by_another_topology) {
  TestDriverOptions options;
  options.stream.checkpoint_events = 4;
  ChangingDriver changing(options);
  changing.orders(1, 10);
  changing.restart_as(Shape::with_filter, false);
  EXPECT_NE(changing.trouble().find("stop it cleanly"), std::string::npos) << changing.trouble();
  changing.restart_as(Shape::plain, false);
  ASSERT_EQ(changing.trouble(), "");
  EXPECT_EQ(changing.counted(), 10u);
}

TEST(Evolution, another_store_is_refused_with_the_ways_out) {
  ChangingDriver changing;
  changing.orders(1, 10);
  changing.restart_as(Shape::other_store, true);
  const std::string trouble = changing.trouble();
  EXPECT_NE(trouble.find("removed 'store orders', added 'store books'"), std::string::npos)
      << trouble;
  EXPECT_NE(trouble.find("StreamOptions::rebuild"), std::string::npos) << trouble;
}

TEST(Evolution, another_store_is_built_again_from_all_steps_when_that_is_wanted) {
  TestDriverOptions options;
  options.stream.rebuild = true;
  ChangingDriver changing(options);
  changing.orders(1, 10);
  changing.restart_as(Shape::other_store, true);
  ASSERT_EQ(changing.trouble(), "");
  EXPECT_EQ(changing.counted(), 8u);
  changing.orders(11, 12);
  EXPECT_EQ(changing.counted(), 10u);
  changing.restart_as(Shape::other_store, false);
  ASSERT_EQ(changing.trouble(), "");
  EXPECT_EQ(changing.counted(), 10u);
}

TEST(Evolution, other_inputs_are_refused) {
  TestDriverOptions options;
  options.stream.rebuild = true;
  ChangingDriver changing(options);
  changing.driver().bus().create_topic("payments", 1);
  changing.orders(1, 3);
  changing.restart_as(Shape::other_inputs, true);
  EXPECT_NE(changing.trouble().find("mean other inputs"), std::string::npos) << changing.trouble();
}

TEST(Evolution, the_order_of_inputs_counts_and_that_of_stores_does_not) {
  EXPECT_EQ(compare_topologies("i a\ni b\ns x\ns y\n", "i a\ni b\ns y\ns x\n- z\n").evolution,
            Evolution::compatible);
  const TopologyChange swapped = compare_topologies("i a\ni b\n", "i b\ni a\n");
  EXPECT_EQ(swapped.evolution, Evolution::refuse);
  EXPECT_EQ(swapped.what, "inputs in another order");
  EXPECT_EQ(compare_topologies("i a\ns x\n", "i a\ns x 2\n").evolution, Evolution::rebuild);
}

}  // namespace
}  // namespace adbrook::stream
