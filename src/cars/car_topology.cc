#include "cars/car_topology.h"

#include <bit>

#include "cars/byte_front.h"
#include "cars/telemetry_codec.h"
#include "serde/json_writer.h"
#include "stream/table/grouped.h"

namespace adbrook::stream {

// The books never leave this program.
template <>
struct Serde<cars::AlertBook> : PlainSerde<cars::AlertBook> {};

template <>
struct Serde<cars::RouteTotals> {
  static void encode(const cars::RouteTotals& totals, Buffer& to) { totals.encode(to); }
  static bool decode(ByteView from, cars::RouteTotals& out) { return out.decode(from); }
};

// Between tasks: row, time and covered time, a bit for each signal that is there, those signals,
// and the route to the end; little-endian.
template <>
struct Serde<cars::Telemetry> {
  static constexpr bool kBorrows = true;
  static void encode(const cars::Telemetry& reading, Buffer& to) {
    append_le(to, reading.row);
    append_le(to, reading.time.ms);
    append_le(to, std::int64_t{reading.covers.count()});
    std::uint16_t there = 0;
    for (std::size_t i = 0; i < cars::kSignalCount; ++i)
      there |= static_cast<std::uint16_t>(reading.signals[i].has_value() << i);
    append_le(to, there);
    for (const auto& signal : reading.signals)
      if (signal) append_le(to, std::bit_cast<std::uint64_t>(*signal));
    append(to, as_bytes(reading.route));
  }
  static bool decode(ByteView from, cars::Telemetry& out) {
    std::int64_t covers = 0;
    std::uint16_t there = 0;
    if (!cars::take(from, out.row) || !cars::take(from, out.time.ms) || !cars::take(from, covers) ||
        !cars::take(from, there) || there >> cars::kSignalCount != 0)
      return false;
    out.covers = Millis(covers);
    for (std::size_t i = 0; i < cars::kSignalCount; ++i) {
      out.signals[i].reset();
      std::uint64_t bits = 0;
      if ((there >> i & 1) == 0) continue;
      if (!cars::take(from, bits)) return false;
      out.signals[i] = std::bit_cast<double>(bits);
    }
    out.route = as_text(from);
    return true;
  }
};

// The car's size in two bytes, little-endian, the car, and the route to the end.
template <>
struct Serde<cars::RouteKey> {
  static constexpr bool kBorrows = true;
  static void encode(const cars::RouteKey& key, Buffer& to) {
    const std::size_t at = to.size();
    to.resize(at + 2);
    store_le(to.data() + at, static_cast<std::uint16_t>(key.car.size()));
    append(to, as_bytes(key.car));
    append(to, as_bytes(key.route));
  }
  static bool decode(ByteView from, cars::RouteKey& out) {
    if (from.size() < 2) return false;
    const std::size_t car_size = load_le<std::uint16_t>(from.data());
    if (from.size() - 2 < car_size) return false;
    out.car = as_text(from.subspan(2, car_size));
    out.route = as_text(from.subspan(2 + car_size));
    return true;
  }
};

}  // namespace adbrook::stream

namespace adbrook::cars {
namespace {

using stream::Serde;

// By drive. All drives of a car lie where its readings do, so nothing has to move.
stream::KeyedStream<RouteKey, Telemetry> by_route(
    const stream::KeyedStream<std::string_view, Telemetry>& readings) {
  const auto keyed =
      readings.select_key("route", [](const std::string_view& car, const Telemetry& reading) {
        return RouteKey{car, reading.route};
      });
  stream::Flow flow = keyed.flow();
  flow.rekeyed = false;
  return {keyed.rows(), std::move(flow)};
}

}  // namespace

bool read_stored(ByteView key, ByteView row, StoredBook& out) {
  out.car = as_text(key);
  return row.size() >= stream::kRowTimeSize &&
         Serde<AlertBook>::decode(row.subspan(stream::kRowTimeSize), out.book);
}

bool read_stored(ByteView key, ByteView row, StoredTotals& out) {
  return Serde<RouteKey>::decode(key, out.key) && row.size() >= stream::kRowTimeSize &&
         out.totals.decode(row.subspan(stream::kRowTimeSize));
}

std::string to_json(const AlertChange& change) {
  std::string json;
  serde::JsonWriter writer(json);
  writer.begin_object();
  writer.field("alert", to_string(change.kind));
  writer.field("raised", change.raised);
  writer.field("time", change.time.ms);
  writer.field("value", change.value);
  writer.end_object();
  return json;
}

void define_car_topology(stream::Topology& topology) {
  const auto readings =
      topology.stream<std::string_view, Telemetry>(std::string(kTelemetryTopic), TelemetryCodec());
  readings.group_by_key()
      .aggregate(std::string(kAlertStore), AlertBook(),
                 [](AlertBook& book, const Telemetry& reading) { book.take(reading); })
      .to_stream()
      .flat_map_values<std::string>("changes",
                                    [](const std::optional<AlertBook>& book, auto emit) {
                                      for (std::size_t i = 0; i < book->change_count(); ++i)
                                        emit(to_json(book->change(i)));
                                    })
      .to(kAlertTopic);
  by_route(readings).group_by_key().aggregate(
      std::string(kTotalsStore), RouteTotals(),
      [](RouteTotals& totals, const Telemetry& reading) { totals.add(reading); });
}

}  // namespace adbrook::cars
