// A stream application in a process of its own, for script/stream-kill-test: it opens the log below
// its data directory, feeds the input from where the last life stopped while it runs the topology,
// and ends once everything is processed. What it writes is a function of the input alone: event
// times are out of order by less than the allowed disorder, so nothing is ever late, and the last
// events of every partition move time so far that every window closes.
//
//   stream_program run --data DIR [--events N]    until all is processed; then prints "finished"
//   stream_program dump --data DIR                every committed output, a line for each record:
//                                                 topic partition key time value
//   stream_program expected [--events N]          the same lines by a plain loop, in any order
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "bench/stream_machine.h"
#include "record/batch.h"
#include "stream/join/stream_join.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kPartitionCount = 2;
constexpr Timestamp kStart{1'700'000'000'000};
constexpr std::int64_t kEventsPerFeed = 20;
constexpr std::int64_t kEventsPerFillMax = 500;  // before the topology starts; one append has room
constexpr std::string_view kFeeder = "feeder";
constexpr std::string_view kGroup = "killed";

// ---- the input, by number
// ------------------------------------------------------------------------

constexpr Millis kPaidWithin = 5min;
constexpr Millis kWindow = 1min;
constexpr Millis kDisorder{8'000};
constexpr Millis kStep{400};  // of event time, from one event to the next
constexpr std::uint64_t kShopCount = 7;

struct Fed {
  std::string topic;
  std::string key;    // an order's
  std::string value;  // "shop3 order 17|" and its note, or "payment 18"
  Timestamp time;
};

// Notes and receipts are so long that a few hundred are more than the smallest budget of a store.
const std::string kNote(1000, '.');
std::string without_note(const std::string& text) { return text.substr(0, text.find('|')); }

std::uint64_t mix(std::uint64_t i) { return xxh3(Uuid{i, 0x5EED}); }
std::int32_t partition_of(const std::string& key) {
  return kafka_partition(as_bytes(key), kPartitionCount);
}

bool is_payment(std::uint64_t i) { return i % 3 == 2; }
std::string order_key(std::uint64_t i) { return "order-" + std::to_string(i); }
Timestamp time_of(std::uint64_t i) {
  const auto late = static_cast<std::int64_t>(mix(i) % kDisorder.count());
  return kStart + kStep * static_cast<std::int64_t>(i) + Millis(late);
}
// Of the last 900 events, a few of which are too old; one in twenty names an order that never was.
std::uint64_t paid_order(std::uint64_t i) {
  const std::uint64_t dice = mix(i) >> 32;
  if (dice % 20 == 0) return 1'000'000'000 + i;
  const std::uint64_t order = i - std::min(i - 1, 1 + dice % 900);
  return is_payment(order) ? order - 1 : order;
}

Fed order_event(std::uint64_t i, Timestamp time) {
  return {
      "orders", order_key(i),
      "shop" + std::to_string(mix(i) % kShopCount) + " order " + std::to_string(i) + "|" + kNote,
      time};
}
Fed payment_event(std::uint64_t i, std::uint64_t order, Timestamp time) {
  return {"payments", order_key(order), "payment " + std::to_string(i), time};
}
Fed fed_event(std::uint64_t i) {
  return is_payment(i) ? payment_event(i, paid_order(i), time_of(i)) : order_event(i, time_of(i));
}

// Two for each source partition: one clock alone moves no time.
std::vector<Fed> last_events(std::uint64_t event_count) {
  std::vector<Fed> events;
  const Timestamp time = time_of(event_count) + 3h;
  for (const bool payment : {false, true})
    for (std::int32_t partition = 0; partition < kPartitionCount; ++partition)
      for (std::uint64_t n = payment ? 3'000'000'000 : 2'000'000'000, left = 2; left > 0; ++n) {
        if (partition_of(order_key(n)) != partition) continue;
        events.push_back(payment ? payment_event(n, n, time) : order_event(n, time));
        --left;
      }
  return events;
}

// ---- the topology
// --------------------------------------------------------------------------------

std::string paid_text(const std::string& order, const std::optional<std::string>& payment) {
  return without_note(order) + ", " + payment.value_or("unpaid");
}
std::string shop_of(const std::string& text) { return text.substr(0, text.find(' ')); }

// The payments of an order so far.
void add_payment(std::string& receipt, const std::string& payment) {
  receipt = without_note(receipt) + payment + ";|" + kNote;
}

// Stores of the smallest budgets there are: most of what they hold lies on the disk.
StoreOptions spilling(std::int64_t parts = 1) {
  return {.budget = Bytes{2 * kStoreBudgetMin.count * parts},
          .over_budget = state::OverBudget::spill};
}

// Every order with each of its payments, or alone once none can come any more; the receipt of an
// order whenever it grows; and how many payments each shop had per minute, once the minute is over.
void define(Topology& topology) {
  const auto orders = topology.stream<std::string, std::string>("orders");
  const auto payments = topology.stream<std::string, std::string>("payments");
  payments.group_by_key()
      .aggregate("receipts", std::string(), add_payment, spilling())
      .to_stream()
      .map_values("short",
                  [](const std::optional<std::string>& text) { return without_note(*text); })
      .to("receipts");
  const auto joined = orders.left_join(
      "paid", payments,
      JoinWindows{.before = 0ms, .after = kPaidWithin, .grace = 0ms, .store = spilling(4)},
      paid_text);
  joined.to("joined");
  joined.filter("paid-ones", [](const std::string& text) { return !text.ends_with("unpaid"); })
      .group_by("shop", [](const std::string& text) { return shop_of(text); })
      .windowed_by(TumblingWindow{.size = kWindow})
      .count("per-shop", spilling())
      .final()
      .map("told",
           [](const Windowed<std::string>& shop, const std::int64_t& count) {
             return std::pair(shop.key + "@" + std::to_string(shop.window.start.ms),
                              std::to_string(count));
           })
      .to("counts");
}

// The same by a plain loop over the whole input.
int print_expected(std::uint64_t event_count) {
  struct Counted {
    std::int64_t count = 0;
    Timestamp last = Timestamp::lowest();
  };
  std::map<std::string, std::vector<Fed>> payments;
  std::map<std::string, Counted> counts;
  const auto print = [](const char* topic, const std::string& key, Timestamp time,
                        const std::string& value) {
    std::printf("%s %d %s %ld %s\n", topic, partition_of(key), key.c_str(), time.ms, value.c_str());
  };
  std::map<std::string, std::pair<std::string, Timestamp>> receipts;
  const auto pay = [&](const Fed& event) {
    payments[event.key].push_back(event);
    auto& [receipt, last] = receipts.try_emplace(event.key, "", event.time).first->second;
    last = std::max(last, event.time);
    receipt += event.value + ";";
    print("receipts", event.key, last, receipt);
  };
  for (std::uint64_t i = 0; i < event_count; ++i)
    if (is_payment(i)) pay(fed_event(i));
  for (const Fed& event : last_events(event_count))
    if (event.topic == "payments") pay(event);
  for (std::uint64_t i = 0; i < event_count; ++i) {
    if (is_payment(i)) continue;
    const Fed order = fed_event(i);
    bool paid = false;
    for (const Fed& payment : payments[order.key]) {
      if (payment.time < order.time || payment.time > order.time + kPaidWithin) continue;
      paid = true;
      print("joined", order.key, payment.time, paid_text(order.value, payment.value));
      const Timestamp start = bucket_start(payment.time, kWindow);
      Counted& counted = counts[shop_of(order.value) + "@" + std::to_string(start.ms)];
      ++counted.count;
      counted.last = std::max(counted.last, payment.time);
    }
    if (!paid) print("joined", order.key, order.time, paid_text(order.value, std::nullopt));
  }
  for (const auto& [key, counted] : counts)
    print("counts", key, counted.last, std::to_string(counted.count));
  return 0;
}

// ---- the life of one process
// ---------------------------------------------------------------------

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
    const std::int64_t at = position();
    if (at > static_cast<std::int64_t>(event_count_)) return false;
    const auto end = std::min<std::int64_t>(at + count, static_cast<std::int64_t>(event_count_));
    for (std::int64_t i = at; i < end; ++i) add(fed_event(static_cast<std::uint64_t>(i)));
    const bool last = at == end;
    if (last)
      for (const Fed& event : last_events(event_count_)) add(event);
    commit({last ? end + 1 : end});
    return !last;
  }
  void feed_up_to(std::int64_t end) {
    for (std::int64_t at = position(); at < end; at = position())
      feed(std::min(end - at, kEventsPerFillMax));
  }

 private:
  std::int64_t position() {
    return std::max<std::int64_t>(0, must(bus_.committed(kFeeder, kPlace)).value);
  }
  void add(const Fed& event) {
    builders_[{event.topic, partition_of(event.key)}].add(event.time, as_bytes(event.key),
                                                          as_bytes(event.value));
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
  feeder.feed_up_to(static_cast<std::int64_t>(event_count / 2));
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
