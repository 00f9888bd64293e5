// The stateless words of keyed streams, what becomes of records that cannot be taken, and what is
// refused while a topology is built.
#include <gtest/gtest.h>

#include <stdexcept>

#include "stream/table/grouped.h"
#include "stream/test_driver.h"

namespace adbrook::stream {
namespace keyed_stream_test {

using Text = std::optional<std::string>;
using Texts = std::vector<std::string>;

constexpr Timestamp kStart{1'500'000'000'000};

TestDriverOptions in_order(std::int32_t partition_count = 1) {
  TestDriverOptions options{.partition_count = partition_count, .start = kStart};
  options.stream.disorder = Millis(0);
  return options;
}

TestRecord at(Text key, Text value, std::int64_t ms) {
  return {std::move(key), std::move(value), kStart + Millis(ms)};
}

// "key value @time", a null as ~.
Texts lines(TestDriver& driver, std::string_view topic) {
  Texts all;
  for (const MemoryRecord& record : driver.records(topic))
    all.push_back(record.key.value_or("~") + " " + (record.tombstone ? "~" : record.value) + " @" +
                  std::to_string((record.time - kStart).count()));
  return all;
}

std::string refusal(const TopologyFactory& factory) {
  const auto stands = check(factory);
  return stands ? "" : stands.error().message;
}

TEST(KeyedStream, a_row_too_large_to_be_written_is_a_dead_letter_and_its_record_rejected) {
  TestDriver driver(
      [](Topology& topology) {
        const auto in = topology.stream<std::string, std::string>("in");
        in.map_values("twice", [](const std::string& value) { return value + value; }).to("out");
        in.select_key("value", [](const std::string& value) { return value; })
            .repartition("moved")
            .to("copies");
      },
      in_order());
  const std::string large(5 << 20, 'x');
  driver.pipe("in", 0, {at("a", "1", 0), at("b", large, 1), at("c", "2", 2)});
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(lines(driver, "out"), (Texts{"a 11 @0", "c 22 @2"}));
  EXPECT_EQ(lines(driver, "copies"), (Texts{"1 1 @0", "2 2 @2"}));
  const auto letters = driver.records("dead-letters");
  ASSERT_EQ(letters.size(), 2u);
  for (const MemoryRecord& letter : letters) {
    const std::map<std::string, std::string> headers(letter.headers.begin(), letter.headers.end());
    EXPECT_EQ(headers.at("reason"), "too_long");
    EXPECT_EQ(headers.at("offset"), "1");
    EXPECT_EQ(headers.at("value-size"), std::to_string(large.size()));
    EXPECT_EQ(letter.value, large.substr(0, kDeadLetterBytesMax));
  }
  driver.ask(0, [](const TaskView& task) {
    std::map<Outcome, std::uint64_t> ends;
    task.counts().for_each([&](Arrival, Outcome outcome, std::string_view, std::uint64_t count) {
      ends[outcome] += count;
    });
    EXPECT_EQ(ends[Outcome::rejected], 1u);
  });
}

TEST(KeyedStream, a_filter_a_map_and_a_branch_keep_times_and_order) {
  TestDriver driver(
      [](Topology& topology) {
        const auto [large, small, rest] =
            topology.stream<std::string, std::string>("in")
                .filter("known", [](const std::string& value) { return value != "?"; })
                .map_values("size", [](const std::string& value) { return value.size(); })
                .branch(
                    "by size", [](std::size_t size) { return size > 5; },
                    [](const std::string& key, std::size_t size) {
                      return size > 2 && key != "z";
                    });
        const auto text = [](std::size_t size) { return std::to_string(size); };
        large.map_values("text", text).to("large");
        small.map_values("text", text).to("small");
        rest.map_values("text", text).to("rest");
      },
      in_order());
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"a", "apple pie"}, {"b", "?"}, {"c", "pie"}, {"z", "pie"}, {"d", "orange"}})
    driver.pipe("in", at(key, value, 7));
  driver.run();
  EXPECT_EQ(lines(driver, "large"), (Texts{"a 9 @7", "d 6 @7"}));
  EXPECT_EQ(lines(driver, "small"), (Texts{"c 3 @7"}));
  EXPECT_EQ(lines(driver, "rest"), (Texts{"z 3 @7"}));
  driver.ask(0, [](const TaskView& view) {
    EXPECT_EQ(view.counts().count({0, 0}, Outcome::counted), 4u);
    EXPECT_EQ(view.counts().count({0, 0}, Outcome::filtered), 1u);
  });
}

TEST(KeyedStream, rows_under_a_new_key_end_in_the_task_that_owns_it) {
  TestDriver driver(
      [](Topology& topology) {
        topology.stream<std::string, std::string>("in")
            .select_key("by value", [](const std::string& value) { return value; })
            .repartition("by-value")
            .to("out");
      },
      in_order(4));
  for (int i = 0; i < 40; ++i)
    driver.pipe("in", at(std::to_string(i), "v" + std::to_string(i % 7), i));
  driver.run();
  std::size_t count = 0;
  for (std::int32_t p = 0; p < 4; ++p)
    for (const MemoryRecord& record : driver.records("out", p)) {
      EXPECT_EQ(kafka_partition(as_bytes(*record.key), 4), p) << *record.key;
      EXPECT_EQ(record.key, record.value);
      ++count;
    }
  EXPECT_EQ(count, 40u);
}

// Twice the batch size, so that what is kept between batches is seen too.
TEST(KeyedStream, a_function_that_throws_makes_a_dead_letter_and_the_stream_goes_on) {
  TestDriver driver(
      [](Topology& topology) {
        topology.dead_letters_to("refused");
        topology.stream<std::string, std::string>("in")
            .map_values("checked",
                        [](const std::string& value) {
                          if (value == "13") throw std::runtime_error("unlucky");
                          return value;
                        })
            .filter("again",
                    [](const std::string& value) {
                      if (value == "14") throw 14;
                      return true;
                    })
            .to("out");
      },
      in_order());
  std::vector<TestRecord> records;
  for (int i = 0; i < 2500; ++i) records.push_back(at("k", std::to_string(i % 1500), i));
  driver.pipe("in", 0, records);
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(driver.records("out").size(), 2496u);
  const auto refused = driver.records("refused");
  ASSERT_EQ(refused.size(), 4u);
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(refused[0].headers, (Headers{{"operator", "checked"},
                                         {"reason", "operator_threw"},
                                         {"text", "unlucky"},
                                         {"topic", "in"},
                                         {"partition", "0"},
                                         {"offset", "13"}}));
  EXPECT_EQ(refused[0].key, "k");
  EXPECT_EQ(refused[0].value, "13");
  EXPECT_EQ(refused[3].headers[0].second, "again");
  EXPECT_EQ(refused[3].headers[5].second, "1514");
  driver.ask(0, [](const TaskView& view) {
    EXPECT_EQ(view.counts().count({0, 0}, Outcome::rejected), 4u);
    EXPECT_EQ(view.counts().count({0, 0}, Outcome::counted), 2496u);
  });
}

TEST(KeyedStream, a_key_that_cannot_be_read_makes_a_dead_letter) {
  TestDriver driver(
      [](Topology& topology) { topology.stream<std::int32_t, std::string>("in").to("out"); },
      in_order());
  driver.pipe("in", at(std::string("\0\0\0\7", 4), "fine", 1));
  driver.pipe("in", at("seven", "a text", 2));
  driver.pipe("in", at(std::nullopt, "no key", 3));
  driver.pipe("in", at(std::string("\0\0\0\7", 4), std::nullopt, 4));
  driver.pipe("in", at(std::string("\0\0\0\7", 4), "centuries early", -2'000'000'000'000));
  driver.run();
  EXPECT_EQ(driver.records("out").size(), 1u);
  Texts reasons;
  for (const MemoryRecord& record : driver.records("dead-letters"))
    reasons.push_back(record.headers[0].second + ": " + record.headers[1].second + " of " +
                      record.headers[3].second + " " + record.headers[4].second + " at " +
                      record.headers[5].second);
  EXPECT_EQ(reasons, (Texts{"keyed source in: key_unreadable of in 0 at 1",
                            "keyed source in: key_missing of in 0 at 2",
                            "keyed source in: value_missing of in 0 at 3",
                            "keyed source in: timestamp_out_of_range of in 0 at 4"}));
}

// An aggregate behind an internal topic, in another task than the one that received the record.
TEST(KeyedStream, a_dead_letter_names_where_its_record_first_arrived) {
  TestDriver driver(
      [](Topology& topology) {
        topology.stream<std::string, std::string>("in")
            .group_by("by value", [](const std::string& value) { return value; })
            .aggregate("lengths", std::int64_t{0}, [](std::int64_t& sum, const std::string& value) {
              if (value == "13") throw std::runtime_error("unlucky");
              sum += static_cast<std::int64_t>(value.size());
            });
      },
      in_order(4));
  const std::int32_t owner = kafka_partition(as_bytes("13"), 4);
  const std::int32_t other = (owner + 1) % 4;
  driver.pipe("in", other, {at("k", "12", 1), at("k", "13", 2)});
  driver.run();
  using Headers = std::vector<std::pair<std::string, std::string>>;
  const auto refused = driver.records("dead-letters");
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].headers, (Headers{{"operator", "lengths"},
                                         {"reason", "operator_threw"},
                                         {"text", "unlucky"},
                                         {"topic", "in"},
                                         {"partition", std::to_string(other)},
                                         {"offset", "1"}}));
}

TEST(KeyedStream, a_codec_reads_in_place_and_names_the_event_time) {
  struct Reading {
    std::string_view car;
    std::int64_t at = 0;
  };
  TestDriver driver(
      [](Topology& topology) {
        topology
            .stream<std::string_view, Reading>(
                "in",
                [](const record::RecordView& record, std::string_view& key, Reading& value,
                   Timestamp& time, Refusal& why) {
                  const auto text = as_text(record.value.value_or(ByteView{}));
                  const auto comma = text.find(',');
                  if (comma == text.npos) return why = {"no_comma", "", "car,ms"}, false;
                  key = value.car = text.substr(0, comma);
                  value.at = std::stoll(std::string(text.substr(comma + 1)));
                  time = kStart + Millis(value.at);
                  return true;
                })
            .map_values("car", [](const Reading& reading) { return std::string(reading.car); })
            .to("out");
      },
      in_order());
  driver.pipe("in", at(std::nullopt, "fiat,70", 1));
  driver.pipe("in", at(std::nullopt, "fiat", 2));
  driver.pipe("in", at(std::nullopt, "fiat,soon", 3));
  driver.run();
  EXPECT_EQ(lines(driver, "out"), (Texts{"fiat fiat @70"}));
  const auto refused = driver.records("dead-letters");
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].headers[1].second, "no_comma");
  EXPECT_EQ(refused[1].headers[1].second, "operator_threw");
}

TEST(KeyedStream, a_topology_that_is_put_together_wrong_is_refused_with_the_reason) {
  EXPECT_EQ(refusal([](Topology& t) { t.stream<std::string, std::string>("in"); }),
            "source in is connected to nothing: its records would be read and dropped; attach an "
            "operator to its stream or do not make it");
  EXPECT_EQ(refusal([](Topology& t) {
              t.stream<std::string, std::string>("in").to("a");
              t.stream<std::string, std::string>("in").to("b");
            }),
            "topic in is read twice by one topology; make its stream once and use the handle in "
            "both places");
  EXPECT_EQ(refusal([](Topology& t) {
              t.table<std::string, std::string>("rows", "a").to("x");
              t.table<std::string, std::string>("rows", "b").to("y");
            }),
            "two stores are named rows: each would load the other's state; give every stateful "
            "step a name of its own");
  EXPECT_EQ(refusal([](Topology& t) {
              t.table<std::string, std::string>("rows", "a", {.store = {.budget = Bytes{1000}}});
            }),
            "store rows has a budget of 1000 bytes, less than one bucket takes; give it at least "
            "65536");
}

TEST(KeyedStream, co_partitioning_that_does_not_hold_is_refused_at_the_start) {
  const TopologyFactory factory = [](Topology& topology) {
    const auto left = topology.stream<std::string, std::string>("left");
    left.merge(topology.stream<std::string, std::string>("right")).to("out");
  };
  io::SimulatedExecutor executor(1, kStart);
  MemoryBus bus(executor, executor.clock());
  for (const char* topic : {"left", "out", "dead-letters", "g-changelog"})
    bus.create_topic(topic, 2);
  bus.create_topic("right", 3);
  io::SimulatedFileSystem files(1);
  io::SeededRandom random(1);
  Metrics metrics;
  TaskRunner runner({bus, files, executor.clock(), executor, random, metrics, [](auto) {}}, "g",
                    "state", factory, {});
  const auto started = runner.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().message,
            "topic right has 3 partitions, but left has 2; all topics of a topology need the same "
            "number, create it anew");
}

TEST(Table, keeps_the_last_row_of_each_key_and_tells_each_change) {
  TestDriver driver(
      [](Topology& topology) {
        const auto table = topology.table<std::string, std::string>("rows", "in");
        table.to("changes");
        table.filter("a…", [](const std::string& value) { return value.starts_with("a"); })
            .map_values("upper", [](const std::string& value) { return value + "!"; })
            .to("some");
      },
      in_order());
  driver.pipe("in", at("k", "apple", 5));
  driver.pipe("in", at("k", "bread", 3));
  driver.pipe("in", at("k", "cheese", 4));
  driver.pipe("in", at(std::nullopt, "nobody's", 4));
  driver.run();
  driver.crash();
  driver.restart();
  driver.pipe("in", at("k", "ant", 6));
  driver.pipe("in", at("k", std::nullopt, 7));
  driver.run();
  EXPECT_EQ(lines(driver, "changes"),
            (Texts{"k apple @5", "k bread @3", "k cheese @4", "k ant @6", "k ~ @7"}));
  EXPECT_EQ(lines(driver, "some"), (Texts{"k apple! @5", "k ~ @3", "k ant! @6", "k ~ @7"}));
}

// What a wrong type of key or function gives.
template <class S, class F>
concept Filters = requires(S stream, F f) { stream.filter("name", f); };
template <class S, class O>
concept Merges = requires(S stream, O other) { stream.merge(other); };
using Keyed = KeyedStream<std::string, std::string>;
constexpr auto kOfText = [](const std::string&) { return true; };
constexpr auto kOfNumber = [](int*) { return true; };
static_assert(Filters<Keyed, decltype(kOfText)>);
static_assert(!Filters<Keyed, decltype(kOfNumber)>);
static_assert(Merges<Keyed, Keyed>);
static_assert(!Merges<Keyed, KeyedStream<std::int64_t, std::string>>);

}  // namespace keyed_stream_test
}  // namespace adbrook::stream
