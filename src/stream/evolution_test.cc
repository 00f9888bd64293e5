// A state that another topology wrote: taken over, built again, or refused, with the reason.
#include "stream/evolution.h"

#include <gtest/gtest.h>

#include "state/key_value_store.h"
#include "stream/join/stream_table_join.h"
#include "stream/order_example_test.h"
#include "stream/table/grouped.h"

namespace adbrook::stream {
namespace evolution_test {

using namespace example;

const std::string kDirectory = "state/test/0";

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
  changing.driver().stop();
  const auto checkpoint = state::Checkpoint::open(changing.driver().files(), kDirectory).value();
  EXPECT_EQ(checkpoint->names("orders:").size(), 0u) << "of the store that is gone";
  EXPECT_NE(checkpoint->names("books:").size(), 0u);
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
  EXPECT_EQ(compare_topologies("i a\ns x\ns to_stream\n", "i a\ns x\n- to_stream\n").evolution,
            Evolution::compatible)
      << "an earlier version took it for a part with state";
}

// A store and a copy of two sources: the same parts, whichever source feeds which.
class WiredDriver {
 public:
  WiredDriver() : driver_([this](Topology& topology) { define(topology); }) {}

  void give(std::string_view topic, const std::string& key) {
    driver_.pipe(topic, {.key = key, .value = "value", .time = driver_.now()});
    driver_.run();
  }
  void restart(bool cleanly) {
    cleanly ? driver_.stop() : driver_.crash();
    start();
  }
  void start() {
    driver_.restart();
    driver_.run();
  }
  std::int64_t counted(const std::string& key) {
    std::int64_t count = 0;
    driver_.ask(0, [&](const TaskView& view) {
      const auto row = view.store<state::KeyValueStore>("n")->get(as_bytes(key));
      if (row) count = load_be<std::int64_t>(row->data() + kRowTimeSize);
    });
    return count;
  }
  // The checkpoint of a clean stop becomes what earlier versions wrote, without a word on feeds.
  void stop_as_before() {
    driver_.stop();
    Topology topology(0, 1, 0, {});
    define(topology);
    const auto checkpoint = state::Checkpoint::open(driver_.files(), kDirectory).value();
    state::CheckpointHead head = checkpoint->head();
    head.topology_fingerprint = topology.fingerprint_without_feeds();
    ASSERT_TRUE(checkpoint->begin(std::move(head)));
    checkpoint->replace("topology", as_bytes(remembered_parts(topology, Feeds::untold)));
    ASSERT_TRUE(checkpoint->commit());
  }
  std::string trouble() { return driver_.runner().trouble(); }
  TestDriver& driver() { return driver_; }

  bool swapped = false;   // the count and the copy
  bool told = false;      // the counts are written too
  bool filtered = false;  // before they are counted

 private:
  void define(Topology& topology) {
    auto counted = topology.stream<std::string, std::string>("clicks");
    auto copied = topology.stream<std::string, std::string>("views");
    if (swapped) std::swap(counted, copied);
    if (filtered) counted = counted.filter("all", [](const std::string&) { return true; });
    const auto counts = counted.group_by_key().count("n");
    copied.to("copy");
    if (told) counts.to_stream().to("copy");
  }

  TestDriver driver_;
};

TEST(Evolution, a_store_that_something_else_feeds_is_another_one) {
  WiredDriver wired;
  wired.give("clicks", "a");
  wired.swapped = true;
  wired.restart(true);
  EXPECT_NE(wired.trouble().find("removed 'aggregate n < keyed source clicks', added 'aggregate n "
                                 "< keyed source views'"),
            std::string::npos)
      << wired.trouble();
}

TEST(Evolution, what_keeps_nothing_may_come_before_and_behind_a_store) {
  WiredDriver wired;
  wired.give("clicks", "a");
  wired.filtered = wired.told = true;
  wired.restart(true);
  ASSERT_EQ(wired.trouble(), "");
  wired.give("clicks", "a");
  EXPECT_EQ(wired.counted("a"), 2);
  ASSERT_EQ(wired.driver().records("copy").size(), 1u);
}

TEST(Evolution, a_state_of_an_earlier_version_goes_on) {
  WiredDriver wired;
  wired.give("clicks", "a");
  wired.stop_as_before();
  wired.start();
  ASSERT_EQ(wired.trouble(), "");
  wired.give("clicks", "a");
  wired.restart(false);
  ASSERT_EQ(wired.trouble(), "");
  EXPECT_EQ(wired.counted("a"), 2);
  wired.stop_as_before();
  wired.told = true;
  wired.start();
  ASSERT_EQ(wired.trouble(), "");
  EXPECT_EQ(wired.counted("a"), 2);
}

TEST(Evolution, a_description_tells_what_feeds_each_part) {
  const auto text = describe([](Topology& topology) {
    const auto [large, rest] = topology.stream<std::string, std::string>("in").branch(
        "large", [](const std::string& value) { return value.size() > 5; });
    const auto names = topology.table<std::string, std::string>("names", "names");
    rest.merge(large).to("out");
    rest.join("named", names, [](const std::string& a, const std::string& b) { return a + b; })
        .to("out");
  });
  EXPECT_EQ(text,
            "1 keyed source in\n2 branch large in 2 < 1\n3 keyed source names\n"
            "4 table names < 3\n5 merge < 2.1 2\n6 to out < 5\n7 join named with a table < 2.1 4\n"
            "8 to out < 7\nsink dead-letters\nsink out\n");
}

}  // namespace evolution_test
}  // namespace adbrook::stream
