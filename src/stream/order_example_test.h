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

}  // namespace adbrook::stream::example
