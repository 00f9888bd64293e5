// What a function that throws leaves behind: all of a row's step or nothing of it. And names and
// types that steps may have.
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "stream/join/stream_join.h"
#include "stream/process/processor.h"
#include "stream/test_driver.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace half_done_test {

using namespace std::chrono_literals;
using Text = std::string;
using Texts = std::vector<std::string>;

constexpr Timestamp kStart{1'500'000'000'000};

TestDriverOptions in_order() {
  TestDriverOptions options{.start = kStart};
  options.stream.disorder = 0ms;
  options.stream.skew_cap = 24h;
  return options;
}

TestRecord at(Text key, Text value, std::int64_t ms) {
  return {std::move(key), std::move(value), kStart + Millis(ms)};
}

Texts values(TestDriver& driver, std::string_view topic) {
  Texts all;
  for (const MemoryRecord& record : driver.records(topic)) all.push_back(record.value);
  return all;
}

std::string refusal(const TopologyFactory& factory) {
  const auto stands = check(factory);
  return stands ? "" : stands.error().message;
}

std::uint64_t count(TestDriver& driver, Outcome outcome, std::uint16_t input = 0) {
  std::uint64_t count = 0;
  driver.ask(0, [&](const TaskView& view) { count = view.counts().count({input, 0}, outcome); });
  return count;
}

// The second of two partners is refused: the pair with the first is not told either, and both are
// alone as if the row had never come.
TEST(HalfDone, a_join_tells_all_pairs_of_a_row_or_none) {
  using MaybeText = std::optional<Text>;
  TestDriver driver(
      [](Topology& topology) {
        const auto left = topology.stream<Text, Text>("left");
        const auto right = topology.stream<Text, Text>("right");
        left.left_join("pairs", right, JoinWindows{.before = 1s, .after = 1s},
                       [](const Text& l, const MaybeText& r) {
                         if (r == "bad" && l == "second") throw std::runtime_error("unlucky");
                         return l + "+" + r.value_or("~");
                       })
            .to("out");
      },
      in_order());
  driver.pipe("left", at("k", "first", 0));
  driver.pipe("left", at("k", "second", 10));
  driver.run();
  driver.pipe("right", at("k", "bad", 20));
  driver.run();
  EXPECT_EQ(values(driver, "out"), Texts());
  EXPECT_EQ(count(driver, Outcome::rejected, 1), 1u);
  EXPECT_EQ(driver.records("dead-letters").size(), 1u);
  driver.pipe("right", at("k", "good", 30));
  driver.run();
  EXPECT_EQ(values(driver, "out"), (Texts{"first+good", "second+good"}));
  driver.pipe("left", at("tick", "tick", 60'000));
  driver.pipe("right", at("tick", "tock", 60'000));
  driver.run();
  EXPECT_EQ(values(driver, "out"), (Texts{"first+good", "second+good", "tick+tock"}))
      << "who met somebody is not told alone";
}

template <class A>
struct Overlapping {
  static void define(Topology& topology) {
    const auto counts = topology.stream<Text, Text>("in")
                            .group_by_key()
                            .windowed_by(HoppingWindow{.size = 2s, .advance = 1s, .grace = 1min})
                            .aggregate("sizes", A{}, [](A& sizes, const Text& value) {
                              if (value == "bad" && !sizes.empty())
                                throw std::runtime_error("unlucky");
                              sizes += value.empty() ? 'e' : value[0];
                            });
    counts.to_stream()
        .filter("there", [](const std::optional<A>& sizes) { return sizes.has_value(); })
        .map_values("text", [](const std::optional<A>& sizes) { return sizes->text(); })
        .to("out");
  }
};
// Letters in an aggregate whose bytes may be of any size.
struct Letters : std::string {
  std::string text() const { return *this; }
};
// And in one that is changed in place.
struct FewLetters {
  char letters[8] = {};
  bool empty() const { return letters[0] == 0; }
  FewLetters& operator+=(char letter) {
    letters[std::string_view(letters).size()] = letter;
    return *this;
  }
  std::string text() const { return letters; }
};

}  // namespace half_done_test

template <>
struct Serde<half_done_test::Letters> {
  static void encode(const half_done_test::Letters& letters, Buffer& to) {
    append(to, as_bytes(letters));
  }
  static bool decode(ByteView from, half_done_test::Letters& out) {
    out.assign(as_text(from));
    return true;
  }
};
template <>
struct Serde<half_done_test::FewLetters> : PlainSerde<half_done_test::FewLetters> {};

namespace half_done_test {

// Windows [0, 2) and [1, 3) s take a row; then [-1, 1) and [0, 2) are asked to take one that only
// an empty window takes.
template <class A>
void expect_all_windows_or_none() {
  TestDriver driver(Overlapping<A>::define, in_order());
  driver.pipe("in", at("k", "late one", 1'500));
  driver.pipe("in", at("k", "bad", 500));
  driver.run();
  EXPECT_EQ(values(driver, "out"), (Texts{"l", "l"}));
  EXPECT_EQ(count(driver, Outcome::rejected), 1u);
  driver.pipe("in", at("k", "x", 700));
  driver.run();
  EXPECT_EQ(values(driver, "out"), (Texts{"l", "l", "x", "lx"}))
      << "the window that took the bad row before the other refused it has given it back";
}

TEST(HalfDone, a_row_is_in_all_of_its_windows_or_in_none) {
  expect_all_windows_or_none<Letters>();
  expect_all_windows_or_none<FewLetters>();
}

class Picky {
 public:
  using OutKey = Text;
  using OutValue = Text;
  explicit Picky(ProcessorContext<Text, Text>&) {}
  void process(const Text&, const Text& value, Timestamp) {
    if (value == "bad") throw std::runtime_error("unlucky");
  }
};

TEST(HalfDone, a_row_that_a_processor_refuses_is_rejected_and_not_counted) {
  TestDriver driver(
      [](Topology& topology) {
        topology.stream<Text, Text>("in").process<Picky>("picky").to("out");
      },
      in_order());
  driver.pipe("in", at("k", "bad", 0));
  driver.pipe("in", at("k", "good", 1));
  driver.run();
  EXPECT_EQ(count(driver, Outcome::rejected), 1u);
  EXPECT_EQ(count(driver, Outcome::counted), 1u);
}

// A dead letter would be written that a replay, which has the memory, does not repeat.
TEST(HalfDone, a_row_for_which_there_was_no_memory_is_taken_again_after_a_restart) {
  bool scarce = true;
  TestDriver driver(
      [&scarce](Topology& topology) {
        topology.stream<Text, Text>("in")
            .map_values("copy",
                        [&scarce](const Text& value) {
                          if (scarce && value == "large") throw std::bad_alloc();
                          return value;
                        })
            .to("out");
      },
      in_order());
  driver.pipe("in", at("k", "small", 0));
  driver.run();
  driver.pipe("in", at("k", "large", 1));
  driver.run();
  EXPECT_NE(driver.runner().trouble().find("std::bad_alloc"), std::string::npos)
      << driver.runner().trouble();
  EXPECT_EQ(driver.records("dead-letters").size(), 0u);
  driver.crash();
  scarce = false;
  driver.restart();
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(values(driver, "out"), (Texts{"small", "large"}));
}

TEST(StepNames, of_processors_and_stores_are_each_given_once) {
  EXPECT_EQ(refusal([](Topology& topology) {
              const auto in = topology.stream<Text, Text>("in");
              in.process<Picky>("same").to("out");
              in.group_by_key().count("same");
            }),
            "two stores are named same: each would load the other's state; give every stateful "
            "step a name of its own");
  EXPECT_NE(refusal([](Topology& topology) {
              const auto in = topology.stream<Text, Text>("in");
              in.process<Picky>("same").to("out");
              in.process<Picky>("same").to("out");
            }),
            "");
}

TEST(StepNames, that_a_checkpoint_could_not_tell_apart_are_refused) {
  EXPECT_EQ(refusal([](Topology& topology) {
              topology.stream<Text, Text>("in").process<Picky>("enrich: in").to("out");
            }),
            "'enrich: in' is no name for a store or a processor: in a checkpoint ':' ends such a "
            "name, and 'task' is the task itself; choose another");
  EXPECT_NE(refusal([](Topology& topology) {
              topology.stream<Text, Text>("in").group_by_key().count("task");
            }),
            "");
  EXPECT_NE(refusal([](Topology& topology) {
              topology.stream<Text, Text>("in").group_by_key().count("a:b");
            }),
            "");
}

TEST(JoinBudget, is_enough_for_each_part_of_the_join) {
  const auto outer = [](Bytes budget) {
    return refusal([budget](Topology& topology) {
      using MaybeText = std::optional<Text>;
      topology.stream<Text, Text>("left")
          .outer_join("pairs", topology.stream<Text, Text>("right"),
                      JoinWindows{.after = 1s, .store = {.budget = budget}},
                      [](const MaybeText& l, const MaybeText&) { return l.value_or("~"); })
          .to("out");
    });
  };
  EXPECT_EQ(outer(128_KiB),
            "store pairs has a budget of 131072 bytes, less than a bucket in each of its parts "
            "takes; give it at least 393216");
  EXPECT_EQ(outer(384_KiB), "");
}

// std::vector<bool> has no span.
TEST(KeyedStream, truths_flow_like_other_values) {
  TestDriver driver(
      [](Topology& topology) {
        const auto text = [](bool paid) { return Text(paid ? "paid" : "open"); };
        const auto orders = topology.stream<Text, Text>("in").map_values(
            "paid", [](const Text& value) { return value.starts_with("paid"); });
        orders.filter("open", [](bool paid) { return !paid; }).map_values("text", text).to("open");
        orders.select_key("by paid", [](bool paid) { return paid; }).group_by_key().count("orders");
        orders.to_table("last").to_stream().to("last");
      },
      in_order());
  std::vector<TestRecord> records;
  for (int i = 0; i < 2'500; ++i)
    records.push_back(at(std::to_string(i), i % 5 == 0 ? "open" : "paid", i));
  driver.pipe("in", 0, records);
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  EXPECT_EQ(driver.records("open").size(), 500u);
  const auto last = driver.records("last");
  ASSERT_EQ(last.size(), 2'500u);
  EXPECT_EQ(last[0].value, Text(1, '\0'));
  EXPECT_EQ(last[1].value, Text(1, '\1'));
  driver.ask(0, [](const TaskView& view) {
    const auto row = view.store<state::KeyValueStore>("orders")->get(as_bytes(Text(1, '\1')));
    ASSERT_TRUE(row);
    EXPECT_EQ(load_be<std::int64_t>(row->data() + kRowTimeSize), 2'000);
  });
}

}  // namespace half_done_test
}  // namespace adbrook::stream
