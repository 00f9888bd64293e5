// The small application of the stream tests: orders are paid, payments name their order. Test code
// only; values are lines of text so that a failing test can be read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "state/cells.h"
#include "state/dictionary.h"
#include "stream/test_driver.h"
#include "stream/topology.h"

namespace adbrook::stream::example {

struct Order {
  Uuid id;
  Timestamp time;
  std::string_view shop;
};
struct Payment {
  Uuid id;
  Timestamp time;
  std::optional<Uuid> order;
};

// "<id> <ms>[ <rest>]"; anything else is refused.
template <class Event>
bool read_line(const record::RecordView& record, Event& out, std::string_view& rest, Refusal& why) {
  const std::string_view line = as_text(record.value.value_or(ByteView{}));
  const auto id = Uuid::parse(line.substr(0, std::min<std::size_t>(36, line.size())));
  if (!id || line.size() < 38) {
    why = {"broken_line", "id", "a line begins with an id and a time"};
    return false;
  }
  std::string_view tail = line.substr(37);
  const auto space = std::min(tail.find(' '), tail.size());
  const auto time = parse_time(tail.substr(0, space));
  if (!time) {
    why = {"broken_line", "time", "the second word is a time"};
    return false;
  }
  out.id = *id;
  out.time = *time;
  rest = tail.substr(std::min(space + 1, tail.size()));
  return true;
}

struct OrderCodec {
  bool operator()(const record::RecordView& record, Order& out, Refusal& why) {
    return read_line(record, out, out.shop, why);
  }
};
struct PaymentCodec {
  bool operator()(const record::RecordView& record, Payment& out, Refusal& why) {
    std::string_view order;
    if (!read_line(record, out, order, why)) return false;
    if (!order.empty()) out.order = Uuid::parse(order);
    return true;
  }
};

inline Uuid order_id(std::uint64_t n) { return {0xAAAA000000000000ull + n, n}; }
inline Uuid payment_id(std::uint64_t n) { return {0xBBBB000000000000ull + n, n}; }

inline TestRecord order_record(std::uint64_t n, Timestamp time, std::string_view shop = "books") {
  const std::string id = order_id(n).to_string();
  return {id, id + " " + std::to_string(time.ms) + " " + std::string(shop), std::nullopt};
}
// Order 0: the payment names none.
inline TestRecord payment_record(std::uint64_t n, Timestamp time, std::uint64_t order) {
  const std::string id = payment_id(n).to_string();
  std::string line = id + " " + std::to_string(time.ms);
  if (order != 0) line += " " + order_id(order).to_string();
  return {id, line, std::nullopt};
}

inline constexpr std::array<state::Combine, 3> kShopRules = {
    state::Combine::sum, state::Combine::sum, state::Combine::exclusive_or};
using ShopCells = state::Cells<kShopRules>;  // orders, payments, xor of payment ids

// Writes every moment of the join as a line of the topic "moments": "joined 2 to 1", "first 2 of
// 1", "first 3 before 2 of 1", "summary 1: 2 3", "expired 4", "orphan(unknown) 5".
struct TellMoments {
  struct Row {
    std::uint64_t number;
  };
  Sink& moments;

  void tell(Timestamp time, const std::string& line) { moments.add(time, {}, as_bytes(line)); }
  static std::string number(Uuid id) { return std::to_string(id.low); }

  Row counted(const Order& order, const RowMeta&) {
    tell(order.time, "counted " + number(order.id));
    return {order.id.low};
  }
  void joined(const Payment& payment, const RowMeta&, const ParentRef<Row>& order) {
    tell(payment.time, "joined " + number(payment.id) + " to " + std::to_string(order.row.number));
  }
  void first_moved(const ParentRef<Row>& order, const ChildRef* earlier, const ChildRef& first) {
    const std::string before = earlier ? " before " + number(earlier->id) : "";
    tell(first.time, "first " + number(first.id) + before + " of " + number(order.id));
  }
  void summary(const ParentRef<Row>& order, std::span<const ChildRef> payments) {
    std::string line = "summary " + number(order.id) + ":";
    for (const ChildRef& payment : payments) line += " " + number(payment.id);
    tell(order.time, line);
  }
  void ended(const Payment& payment, const RowMeta&, Outcome outcome, std::string_view reason) {
    std::string line(to_string(outcome));
    if (!reason.empty()) line += "(" + std::string(reason) + ")";
    tell(payment.time, line + " " + number(payment.id));
  }
};

// Orders and payments through every operator there is; shop "trial" is filtered.
inline void define_telling(Topology& topology) {
  auto orders = topology.source<Order>(
      "orders", OrderCodec{}, {.id = &Order::id, .time = &Order::time, .through = "orders-placed"});
  orders.rejected().to("dead-letters", [](const Rejected& r, const RowMeta& meta, Sink& sink) {
    sink.add(meta.append_time, as_bytes(r.why.reason), meta.value);
  });
  auto accepted = orders.dedupe("orders-seen", {.horizon = std::chrono::hours(24)})
                      .filter("trial-shop", [](const Order& o) { return o.shop != "trial"; });
  auto payments =
      topology
          .source<Payment>(
              "payments", PaymentCodec{},
              {.id = &Payment::id, .time = &Payment::time, .through = "payments-placed"})
          .dedupe("payments-seen", {.horizon = std::chrono::hours(24)});
  payments.refused().to("refused", [](const Payment&, const RowMeta& meta, Sink& sink) {
    sink.add(meta.record_time, as_bytes(to_string(meta.outcome)), meta.value);
  });
  auto [linked, unlinked] =
      payments.branch("linked", [](const Payment& p) { return p.order.has_value(); });
  unlinked.settle(Outcome::unlinked);
  const auto order_of = [](const Payment& p) { return *p.order; };
  linked.repartition("payments-by-order", order_of)
      .join("pay", accepted, order_of, {}, TellMoments{topology.sink("moments")});
}

// A driver of define_telling() with time that moves at once: no disorder, a wide skew cap.
class TellingDriver : public TestDriver {
 public:
  explicit TellingDriver(TestDriverOptions options = {})
      : TestDriver(define_telling, without_disorder(std::move(options))) {}

  Timestamp zero() const { return {1'368'800'000'000}; }
  void order(std::uint64_t n, Millis at, std::string_view shop = "books") {
    pipe("orders", order_record(n, zero() + at, shop));
    run();
  }
  void payment(std::uint64_t n, Millis at, std::uint64_t order) {
    pipe("payments", payment_record(n, zero() + at, order));
    run();
  }
  // Moves the watermark by a filtered order and an unlinked payment.
  void watermark_to(Millis at) {
    ++ticks_;
    pipe("orders", order_record(1'000'000 + ticks_, zero() + at, "trial"));
    pipe("payments", payment_record(1'000'000 + ticks_, zero() + at, 0));
    run();
  }
  // The lines told since the last call.
  std::vector<std::string> moments() {
    std::vector<std::string> lines;
    const auto all = records("moments");
    for (std::size_t i = told_; i < all.size(); ++i) lines.push_back(all[i].value);
    told_ = all.size();
    return lines;
  }
  std::uint64_t count(std::string_view topic, Outcome outcome, std::string_view reason = {}) {
    std::uint64_t total = 0;
    for (std::int32_t p = 0; p < runner().task_count(); ++p)
      ask(p, [&](const TaskView& task) {
        task.counts().for_each([&](Arrival arrival, Outcome o, std::string_view text,
                                   std::uint64_t n) {
          if (task.inputs()[arrival.input].origin_topic == topic && o == outcome && text == reason)
            total += n;
        });
      });
    return total;
  }
  Timestamp watermark(std::int32_t partition = 0) {
    Timestamp watermark;
    ask(partition, [&](const TaskView& task) { watermark = task.watermark(); });
    return watermark;
  }

 private:
  static TestDriverOptions without_disorder(TestDriverOptions options) {
    options.stream.disorder = Millis(0);
    options.stream.skew_cap = std::chrono::hours(24 * 365);
    return options;
  }
  std::uint64_t ticks_ = 0;
  std::size_t told_ = 0;
};

}  // namespace adbrook::stream::example
