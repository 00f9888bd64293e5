// What flows through the examples: orders of a web shop, keyed by customer or by number.
#pragma once

#include <charconv>
#include <string>

#include "stream/keyed/serde.h"

namespace shop {

// As text "1250 book": a book for 12.50.
struct Order {
  std::int64_t cents = 0;
  std::string item;
};

}  // namespace shop

template <>
struct adbrook::stream::Serde<shop::Order> {
  static void encode(const shop::Order& order, Buffer& to) {
    append(to, as_bytes(std::to_string(order.cents) + " " + order.item));
  }
  static bool decode(ByteView from, shop::Order& out) {
    const std::string_view text = as_text(from);
    const auto [end, error] = std::from_chars(text.begin(), text.end(), out.cents);
    if (error != std::errc() || end == text.end() || *end != ' ') return false;
    out.item = text.substr(static_cast<std::size_t>(end + 1 - text.begin()));
    return true;
  }
};
