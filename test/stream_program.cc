// A stream application in a process of its own, for script/stream-kill-test: it opens the log below
// its data directory, feeds the input from where the last life stopped while it runs the topology,
// and ends once everything is processed. What it writes is a function of the input alone: event
// times are out of order by less than the allowed disorder, so nothing is ever late, and the last
// events of every partition move time so far that every window closes.
//
//   stream_program run --data DIR [--events N]    until all is processed; then prints "finished"
//   stream_program dump --data DIR                every committed output, a line for each record:
//                                                 topic partition key time value
//   stream_program expected [--events N]          those of `counts` by a plain loop, in any order
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "bench/stream_machine.h"
#include "record/batch.h"
#include "stream/order_example_test.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace {

using namespace std::chrono_literals;
using example::Order;
using example::Payment;

constexpr std::int32_t kPartitionCount = 2;
constexpr Timestamp kStart{1'700'000'000'000};
constexpr std::int64_t kEventsPerFeed = 20;
constexpr std::string_view kFeeder = "feeder";
constexpr std::string_view kGroup = "killed";

// ---- the input, by number -------------------------------------------------------------------

struct Fed {
  std::string topic;
  std::string key;
  std::string value;
  Timestamp time;
};

std::uint64_t mix(std::uint64_t i) { return xxh3(Uuid{i, 0x5EED}); }

// Every third event each: an order, a visit of a shop, a payment.
bool is_visit(std::uint64_t i) { return i % 3 == 1; }
bool is_payment(std::uint64_t i) { return i % 3 == 2; }
constexpr std::uint64_t kShopCount = 7;
constexpr Millis kWindow = 1min;
Timestamp time_of(std::uint64_t i) {
  return kStart + Millis(static_cast<std::int64_t>(i * 400 + mix(i) % 8'000));
}
// Of the last 300 events; one in twenty names an order that never was, one in ten none.
std::uint64_t paid_order(std::uint64_t i) {
  const std::uint64_t dice = mix(i) >> 32;
  if (dice % 20 == 0) return 1'000'000'000 + i;
  if (dice % 10 == 1) return 0;
  return (i - std::min(i, 1 + dice % 300)) / 3 * 3;
}

Fed visit_event(std::uint64_t i, Timestamp time) {
  return {"visits", "visitor-" + std::to_string(i), "shop-" + std::to_string(mix(i) % kShopCount),
          time};
}
Fed fed_event(std::uint64_t i) {
  // One in forty is sent again, as it was.
  if (i > 100 && mix(i) % 40 == 0) i -= mix(i) % 90 + 1;
  if (is_visit(i)) return visit_event(i, time_of(i));
  const bool payment = is_payment(i);
  const TestRecord record =
      payment ? example::payment_record(i, time_of(i), paid_order(i))
              : example::order_record(i, time_of(i), mix(i) % 17 == 0 ? "trial" : "books");
  return {payment ? "payments" : "orders", *record.key, *record.value, time_of(i)};
}

// Two for each source partition: one clock alone moves no time.
std::vector<Fed> last_events(std::uint64_t event_count) {
  std::vector<Fed> events;
  const Timestamp time = time_of(event_count) + 3h;
  for (const bool payment : {false, true})
    for (std::int32_t partition = 0; partition < kPartitionCount; ++partition)
      for (std::uint64_t n = 2'000'000'000, left = 2; left > 0; ++n) {
        const TestRecord record =
            payment ? example::payment_record(n, time, 0) : example::order_record(n, time, "trial");
        if (kafka_partition(as_bytes(*record.key), kPartitionCount) != partition) continue;
        events.push_back({payment ? "payments" : "orders", *record.key, *record.value, time});
        --left;
      }
  for (std::int32_t partition = 0; partition < kPartitionCount; ++partition)
    for (std::uint64_t n = 2'000'000'000, left = 2; left > 0; ++n) {
      const Fed visit = visit_event(n, time);
      if (kafka_partition(as_bytes(visit.key), kPartitionCount) != partition) continue;
      events.push_back(visit);
      --left;
    }
  return events;
}

// ---- the topology ---------------------------------------------------------------------------

struct Account {
  struct Row {
    std::uint64_t number;
  };
  Sink& joined_rows;
  Sink& summaries;

  void tell(Sink& sink, Timestamp time, Uuid id, const std::string& text) {
    if (!sink.muted()) sink.add(time, as_bytes(id.to_string()), as_bytes(text));
  }
  Row counted(const Order& order, const RowMeta&) { return {order.id.low}; }
  void joined(const Payment& payment, const RowMeta&, const ParentRef<Row>& order) {
    tell(joined_rows, payment.time, payment.id, "joined to " + std::to_string(order.row.number));
  }
  void first_moved(const ParentRef<Row>&, const ChildRef*, const ChildRef&) {}
  void summary(const ParentRef<Row>& order, std::span<const ChildRef> payments) {
    tell(summaries, order.time, order.id, std::to_string(payments.size()) + " payments");
  }
  void ended(const Payment& payment, const RowMeta&, Outcome outcome, std::string_view) {
    tell(joined_rows, payment.time, payment.id, std::string(to_string(outcome)));
  }
};

void define(Topology& topology) {
  auto orders = topology
                    .source<Order>("orders", example::OrderCodec{},
                                   {.id = &Order::id, .time = &Order::time, .through = "placed"})
                    .dedupe("orders-seen", {.horizon = 24h})
                    .filter("trial", [](const Order& o) { return o.shop != "trial"; });
  auto payments =
      topology
          .source<Payment>("payments", example::PaymentCodec{},
                           {.id = &Payment::id, .time = &Payment::time, .through = "received"})
          .dedupe("payments-seen", {.horizon = 24h});
  auto [linked, unlinked] =
      payments.branch("linked", [](const Payment& p) { return p.order.has_value(); });
  unlinked.settle(Outcome::unlinked);
  const auto order_of = [](const Payment& p) { return *p.order; };
  linked.repartition("payments-by-order", order_of)
      .join("pay", orders, order_of, {.within = 5min, .grace = 1min},
            Account{topology.sink("joined"), topology.sink("summaries")});
  // How many visits each shop had per minute, once the minute is over.
  topology.stream<std::string, std::string>("visits")
      .group_by("shop", [](const std::string& shop) { return shop; })
      .windowed_by(TumblingWindow{.size = kWindow})
      .count("visits-per-shop")
      .final()
      .map("told",
           [](const Windowed<std::string>& shop, const std::int64_t& count) {
             return std::pair(shop.key + "@" + std::to_string(shop.window.start.ms),
                              std::to_string(count));
           })
      .to("counts");
}

// Its records by a plain loop over the whole input.
int print_expected(std::uint64_t event_count) {
  struct Counted {
    std::int64_t count = 0;
    Timestamp last = Timestamp::lowest();
  };
  std::map<std::string, Counted> counts;
  for (std::uint64_t i = 0; i < event_count; ++i) {
    const Fed event = fed_event(i);
    if (event.topic != "visits") continue;
    const Timestamp start = bucket_start(event.time, kWindow);
    Counted& counted = counts[event.value + "@" + std::to_string(start.ms)];
    ++counted.count;
    counted.last = std::max(counted.last, event.time);
  }
  for (const auto& [key, counted] : counts)
    std::printf("counts %d %s %ld %ld\n", kafka_partition(as_bytes(key), kPartitionCount),
                key.c_str(), counted.last.ms, counted.count);
  return 0;
}

// ---- the life of one process ----------------------------------------------------------------

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "stream_program: %s\n", why.c_str());
  std::exit(3);
}
template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

StreamOptions options() {
  StreamOptions options;
  options.commit_interval = 5ms;
  options.checkpoint_events = 400;
  options.skew_cap = 24h;
  options.idle_after = 1h;  // the clock decides nothing
  return options;
}

// Batches and the feeder's position in one commit: a life that begins anew knows what is there.
class Feeder {
 public:
  explicit Feeder(bus::Bus& bus, std::uint64_t event_count)
      : bus_(bus), event_count_(event_count) {}

  // True while there is more. An end of -1 is the log's word for: nothing yet.
  bool feed(std::int64_t count) {
    const auto at = std::max<std::int64_t>(0, must(bus_.committed(kFeeder, kPlace)).value);
    if (at > static_cast<std::int64_t>(event_count_)) return false;
    const auto end = std::min<std::int64_t>(at + count, static_cast<std::int64_t>(event_count_));
    for (std::int64_t i = at; i < end; ++i) add(fed_event(static_cast<std::uint64_t>(i)));
    const bool last = at == end;
    if (last)
      for (const Fed& event : last_events(event_count_)) add(event);
    commit({last ? end + 1 : end});
    return !last;
  }

 private:
  void add(const Fed& event) {
    const auto partition = kafka_partition(as_bytes(event.key), kPartitionCount);
    builders_[{event.topic, partition}].add(event.time, as_bytes(event.key), as_bytes(event.value));
  }
  void commit(Offset position) {
    bus::Commit commit{.group = std::string(kFeeder), .outputs = {}, .positions = {}};
    for (auto& [partition, builder] : builders_)
      commit.outputs.push_back({partition, builder.finish()});
    builders_.clear();
    commit.positions.push_back({kPlace, position});
    std::promise<Result<void>> done;
    bus_.commit(std::move(commit), [&](Result<void> result) { done.set_value(std::move(result)); });
    must(done.get_future().get());
  }

  inline static const bus::Partition kPlace{"orders", 0};
  bus::Bus& bus_;
  std::uint64_t event_count_;
  std::map<bus::Partition, record::BatchBuilder> builders_;
};

void make_topics(log::Log& log) {
  const TopologyTopics topics = topics_of(define, kGroup);
  for (const auto& names :
       {topics.sources, topics.internal, topics.outputs, std::vector{topics.changelog}})
    for (const std::string& name : names) must(log.create_topic(name, kPartitionCount, {}));
}

// Half of the input lies there before the topology starts, the other half comes while it runs.
int run(const std::string& directory, std::uint64_t event_count) {
  bench::StreamMachine machine(2);
  must(machine.open(directory + "/log", {.wal_file_bytes = 1_MiB}));
  make_topics(machine.log());
  Feeder feeder(machine.bus(), event_count);
  const auto half = static_cast<std::int64_t>(event_count / 2);
  if (must(machine.bus().committed(kFeeder, {"orders", 0})).value < 0) feeder.feed(half);
  TaskRunner tasks(machine.places(machine.bus()), std::string(kGroup), directory + "/state", define,
                   options());
  must(tasks.start());
  while (feeder.feed(kEventsPerFeed))
    if (const auto trouble = tasks.trouble(); !trouble.empty()) give_up(trouble);
  must(bench::wait_until_caught_up(tasks));
  bench::wait_until_quiet(tasks);
  bench::stop_and_wait(tasks);
  if (const auto trouble = tasks.trouble(); !trouble.empty()) give_up(trouble);
  must(machine.close());
  std::puts("finished");
  return 0;
}

void dump_partition(bus::Bus& bus, const bus::Partition& partition) {
  const bus::Ends ends = must(bus.ends(partition));
  for (Offset at = ends.start; at < ends.end;) {
    const bus::Fetched fetched = must(bus.fetch(partition, at, 1 << 20));
    for (const auto& batch : fetched.batches) {
      auto reader = must(record::BatchReader::open(
          ByteView(fetched.bytes).subspan(batch.index_begin, batch.size), 64_MiB));
      record::RecordView view;
      while (must(reader.next(view)))
        std::printf("%s %d %s %ld %s\n", partition.topic.c_str(), partition.number,
                    std::string(as_text(view.key.value_or(ByteView{}))).c_str(), view.timestamp.ms,
                    std::string(as_text(view.value.value_or(ByteView{}))).c_str());
    }
    at = fetched.next;
  }
}

int dump(const std::string& directory) {
  bench::StreamMachine machine(1);
  must(machine.open(directory + "/log"));
  for (const std::string& topic : topics_of(define, kGroup).outputs)
    for (std::int32_t p = 0; p < kPartitionCount; ++p) dump_partition(machine.bus(), {topic, p});
  return 0;
}

}  // namespace
}  // namespace adbrook::stream

int main(int argc, char** argv) {
  using namespace adbrook::stream;
  std::map<std::string, std::string> flags = {{"--data", ""}, {"--events", "6000"}};
  if (argc < 2) give_up("usage: stream_program run|dump|expected --data DIR [--events N]");
  for (int i = 2; i + 1 < argc; i += 2) {
    if (!flags.contains(argv[i])) give_up("there is no flag " + std::string(argv[i]));
    flags[argv[i]] = argv[i + 1];
  }
  const std::string command = argv[1];
  const std::uint64_t event_count = std::strtoull(flags["--events"].c_str(), nullptr, 10);
  if (command == "run") return run(flags["--data"], event_count);
  if (command == "dump") return dump(flags["--data"]);
  if (command == "expected") return print_expected(event_count);
  give_up("there is no command " + command);
}
