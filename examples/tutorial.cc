// Runs the chapters of docs/streams.md with the test driver and prints what comes out:
//   streams_tutorial CHAPTER
#include <cstdio>
#include <map>

#include "examples/flows.h"
#include "state/key_value_store.h"
#include "stream/table/table.h"
#include "stream/test_driver.h"

namespace shop {
namespace {

using namespace adbrook;
using namespace adbrook::stream;
using namespace std::chrono_literals;

constexpr Timestamp kNoon{1'767'268'800'000};  // 2026-01-01T12:00:00Z

TestDriverOptions at_noon() {
  TestDriverOptions options{.start = kNoon};
  options.stream.disorder = 0ms;
  return options;
}

TestRecord at(Millis after_noon, std::string key, std::string value) {
  return {.key = std::move(key), .value = std::move(value), .time = kNoon + after_noon};
}

// A line for each record: time, key, value.
void print(TestDriver& driver, std::string_view topic) {
  std::printf("%s\n", std::string(topic).c_str());
  for (const MemoryRecord& record : driver.records(topic))
    std::printf("  %s  %s  %s\n", format_time(record.time).substr(11, 8).c_str(),
                record.key.value_or("no key").c_str(),
                record.tombstone ? "deleted" : record.value.c_str());
}

void first_filter() {
  TestDriver driver(large_orders, at_noon());
  driver.pipe("orders", at(0s, "ann", "1250 book"));
  driver.pipe("orders", at(1s, "bob", "300 pen"));
  driver.pipe("orders", at(2s, "ann", "two books"));
  driver.run();
  print(driver, "large-orders");
  for (const MemoryRecord& refused : driver.records("dead-letters")) {
    std::printf("refused: %s\n", refused.value.c_str());
    for (const auto& [name, value] : refused.headers)
      std::printf("  %s = %s\n", name.c_str(), value.c_str());
  }
}

void tables() {
  TestDriver driver(customers_and_items, at_noon());
  driver.pipe("orders", at(0s, "ann", "1250 book"));
  driver.pipe("orders", at(1s, "bob", "300 pen"));
  driver.pipe("orders", at(2s, "ann", "300 pen"));
  driver.pipe("customers", at(0s, "ann", "Berlin"));
  driver.run();
  driver.pipe("customers", at(3s, "ann", "Paris"));
  driver.run();
  print(driver, "spend-by-customer");
  print(driver, "sold-by-item");
  print(driver, "customers-by-city");
}

void windows() {
  TestDriver driver(orders_per_minute, at_noon());
  driver.pipe("orders", at(10s, "ann", "1250 book"));
  driver.pipe("orders", at(69s, "bob", "300 pen"));
  driver.run();
  driver.pipe("orders", at(50s, "cid", "1250 book"));  // behind, but 12:00 is open until 12:01:10
  driver.run();
  driver.pipe("orders", at(90s, "ann", "1250 book"));  // now it is not
  driver.run();
  driver.pipe("orders", at(59s, "dan", "1250 book"));
  driver.run();
  driver.advance(3min);  // no traffic: the clock closes what is still open
  print(driver, "so-far");
  print(driver, "final");
  print(driver, "amendments");
}

void joins() {
  TestDriver driver(paid_orders, at_noon());
  driver.pipe("orders", at(0s, "no-1", "1250 book"));
  driver.pipe("orders", at(5s, "no-2", "300 pen"));
  driver.pipe("payments", at(30s, "no-1", "by card"));
  driver.run();
  std::printf("early: ");
  print(driver, "paid-orders");
  driver.advance(4min);
  std::printf("final: ");
  print(driver, "paid-orders");
  driver.pipe("payments", at(40s, "no-2", "in cash"));
  driver.run();
  print(driver, "amendments");
}

void processor() {
  TestDriver driver(reminders, at_noon());
  driver.pipe("orders", at(0s, "ann", "1250 book"));
  driver.pipe("orders", at(100s, "bob", "300 pen"));
  driver.run();
  driver.pipe("orders", at(130s, "bob", "300 pen"));
  driver.run();
  print(driver, "reminders");
}

void budget() {
  TestDriver driver(spend_in_one_mebibyte, at_noon());
  for (int customer = 0; customer < 50'000; ++customer)
    driver.pipe("orders", at(0s, "customer-" + std::to_string(customer), "300 pen"));
  driver.run();
  driver.ask(0, [](const TaskView& task) {
    const auto& spend = *task.store<state::KeyValueStore>("spend");
    std::printf("%zu customers, %s in memory\n", spend.count(),
                spend.memory() <= 1_MiB ? "at most 1 MiB" : "too much");
    std::printf("the last one's row has %zu bytes\n",
                spend.get(as_bytes("customer-49999"))->size());
  });
}

void restore() {
  TestDriver driver(spend, at_noon());
  driver.pipe("orders", at(0s, "ann", "1250 book"));
  driver.run();
  driver.crash();  // no destructor runs, what was not synced may be lost
  driver.restart();
  driver.pipe("orders", at(1s, "ann", "300 pen"));
  driver.run();
  print(driver, "spend-by-customer");
}

void evolution() {
  TopologyFactory define = spend;
  TestDriver driver([&](Topology& topology) { define(topology); }, at_noon());
  driver.pipe("orders", at(0s, "ann", "1250 book"));
  driver.run();
  driver.stop();
  define = spend_without_gifts;
  driver.restart();
  driver.pipe("orders", at(1s, "ann", "500 gift"));
  driver.pipe("orders", at(2s, "ann", "300 pen"));
  driver.run();
  print(driver, "spend-by-customer");
  std::printf("%s\n", driver.notes().back().c_str());
}

void refused() {
  const auto stands = check([](Topology& topology) {
    spend(topology);
    topology.table<std::string, std::string>("spend", "customers");
  });
  std::printf("%s\n", stands.error().message.c_str());
}

}  // namespace
}  // namespace shop

int main(int argc, char** argv) {
  const std::map<std::string, void (*)()> chapters = {{"first-filter", shop::first_filter},
                                                      {"tables", shop::tables},
                                                      {"windows", shop::windows},
                                                      {"joins", shop::joins},
                                                      {"processor", shop::processor},
                                                      {"budget", shop::budget},
                                                      {"restore", shop::restore},
                                                      {"evolution", shop::evolution},
                                                      {"refused", shop::refused}};
  const auto chapter = chapters.find(argc == 2 ? argv[1] : "");
  if (chapter == chapters.end()) {
    std::fprintf(stderr, "usage: streams_tutorial CHAPTER, one of:\n");
    for (const auto& [name, run] : chapters) std::fprintf(stderr, "  %s\n", name.c_str());
    return 2;
  }
  chapter->second();
  return 0;
}
