#include "examples/flows.h"

#include "examples/order.h"
#include "stream/join/stream_join.h"
#include "stream/join/stream_table_join.h"
#include "stream/process/processor.h"
#include "stream/window/windowed_stream.h"

namespace shop {

using namespace adbrook;
using namespace adbrook::stream;
using namespace std::chrono_literals;

void large_orders(Topology& topology) {
  topology.stream<std::string, Order>("orders")
      .filter("large", [](const Order& order) { return order.cents >= 1000; })
      .map_values("item", [](const Order& order) { return order.item; })
      .to("large-orders");
}

const auto kCents = [](const Order& order) { return order.cents; };
const auto kItem = [](const Order& order) { return order.item; };
const auto kText = [](const auto& number) { return std::to_string(value_of(number)); };

void customers_and_items(Topology& topology) {
  const auto orders = topology.stream<std::string, Order>("orders");
  const auto spend = orders.map_values("cents", kCents).group_by_key().sum("spend");
  spend.map_values("text", kText).to("spend-by-customer");
  orders.group_by("item", kItem).count("sold").map_values("text", kText).to("sold-by-item");

  const auto cities = topology.table<std::string, std::string>("cities", "customers");
  cities
      .group_by("city", [](const std::string& name,
                           const std::string& city) { return std::pair(city, name); })
      .count("per-city")
      .map_values("text", kText)
      .to("customers-by-city");
}

template <class Count>
std::pair<std::string, std::string> window_text(const Windowed<std::string>& item,
                                                const Count& count) {
  return {item.key + " " + format_time(item.window.start).substr(11, 5),
          std::to_string(value_of(count))};
}

void orders_per_minute(Topology& topology) {
  const auto counts = topology.stream<std::string, Order>("orders")
                          .group_by("item", kItem)
                          .windowed_by(TumblingWindow{.size = 1min, .grace = 10s})
                          .count("per-minute");
  counts.to_stream().map("text", window_text<std::optional<std::int64_t>>).to("so-far");
  counts.final().map("text", window_text<std::int64_t>).to("final");
  counts.late()
      .map_values("why",
                  [](const LateRow<Order>& late) {
                    return late.value.item + ": " + std::string(late.reason) + ", " +
                           format_duration(late.by) + " too late";
                  })
      .to("amendments");
}

void paid_orders(Topology& topology) {
  const auto orders = topology.stream<std::string, Order>("orders");
  const auto payments = topology.stream<std::string, std::string>("payments");
  const auto paid =
      orders.left_join("paid", payments, {.before = 0ms, .after = 2min, .grace = 10s},
                       [](const Order& order, const std::optional<std::string>& payment) {
                         return order.item + " paid " + payment.value_or("never");
                       });
  paid.to("paid-orders");
  paid.late_right()
      .map_values("amend",
                  [](const LateRow<std::string>& late) {
                    return "paid " + late.value + " after all, " + format_duration(late.by) +
                           " too late";
                  })
      .to("amendments");
}

// Reminds customers who have ordered nothing for two minutes, once.
class Reminder {
 public:
  using OutKey = std::string;
  using OutValue = std::string;

  explicit Reminder(ProcessorContext<OutKey, OutValue>& context)
      : context_(context), last_(context.table<std::string, Timestamp>("last-order")) {
    context.every(1min, TimerClock::event_time, [this](Timestamp now) { remind(now); });
  }
  void process(const std::string& customer, const Order&, Timestamp time) {
    last_.put(customer, time, time);
  }

 private:
  void remind(Timestamp now) {
    std::vector<std::string> silent;
    last_.for_each([&](const std::string& customer, const TableRow<Timestamp>& last) {
      if (now - last.value >= 2min) silent.push_back(customer);
    });
    for (const std::string& customer : silent) {
      last_.erase(customer);
      context_.forward(customer, "we miss you", now);
    }
  }

  ProcessorContext<OutKey, OutValue>& context_;
  TableStore<std::string, Timestamp> last_;
};

void reminders(Topology& topology) {
  topology.stream<std::string, Order>("orders").process<Reminder>("reminder").to("reminders");
}

void spend_in_one_mebibyte(Topology& topology) {
  topology.stream<std::string, Order>("orders")
      .map_values("cents", kCents)
      .group_by_key()
      .sum("spend", {.budget = 1_MiB, .over_budget = state::OverBudget::spill});
}

void spend(Topology& topology) {
  topology.stream<std::string, Order>("orders")
      .map_values("cents", kCents)
      .group_by_key()
      .sum("spend")
      .map_values("text", kText)
      .to("spend-by-customer");
}

void spend_without_gifts(Topology& topology) {
  topology.stream<std::string, Order>("orders")
      .filter("no gifts", [](const Order& order) { return order.item != "gift"; })
      .map_values("cents", kCents)
      .group_by_key()
      .sum("spend")
      .map_values("text", kText)
      .to("spend-by-customer");
}

void spend_per_item(Topology& topology) {
  topology.stream<std::string, Order>("orders")
      .select_key("item", kItem)
      .map_values("cents", kCents)
      .group_by_key()
      .sum("spend-of-item")
      .map_values("text", kText)
      .to("spend-by-customer");
}

}  // namespace shop
