// The reader of golden scenarios, and what holds for all of them whether or not they are replayed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "stream/golden/scenario_test.h"

namespace adbrook::stream::golden {
namespace scenario_reader_test {

constexpr std::string_view kGood =
    "# comment\n"
    "scenario good\n"
    "about    one line\n"
    "about    and another\n"
    "differs  why\n"
    "kafka    4.1.1\n"
    "\n"
    "topology\n"
    "  in    = stream left\n"
    "  b rest = branch in if=above:10 if=null\n"
    "  to b out\n"
    "run\n"
    "  < left a \"\" @-5\n"
    "  > out a[0,10) 1 @7\n"
    "  > out b[3,9] ~ @-\n"
    "  ! nothing\n"
    "  < wait 1000\n"
    "  < left ~ ~ @0\n";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const auto scenario = read_scenario("x.txt", text);
  return scenario ? "" : scenario.error().message;
}

TEST(ScenarioReader, every_kind_of_line_is_read) {
  const auto scenario = read_scenario("x.txt", kGood);
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->name, "good");
  EXPECT_EQ(scenario->about, "one line and another");
  EXPECT_EQ(scenario->kafka_version, "4.1.1");
  ASSERT_EQ(scenario->topology.size(), 3u);
  const ScenarioOperator& branch = scenario->topology[1];
  EXPECT_EQ(branch.results, (std::vector<std::string>{"b", "rest"}));
  EXPECT_EQ(branch.operands, (std::vector<std::string>{"in"}));
  EXPECT_EQ(branch.options,
            (std::vector<ScenarioOperator::Option>{{"if", "above:10"}, {"if", "null"}}));
  ASSERT_EQ(scenario->steps.size(), 3u);
  const ScenarioStep& first = scenario->steps[0];
  EXPECT_EQ(first.line, 13u);
  EXPECT_EQ(first.input, (ScenarioRecord{"left", "a", "", -5, std::nullopt}));
  ASSERT_EQ(first.kafka.size(), 2u);
  EXPECT_EQ(first.kafka[0], (ScenarioRecord{"out", "a", "1", 7, ScenarioWindow{0, 10, false}}));
  EXPECT_EQ(first.kafka[1],
            (ScenarioRecord{"out", "b", std::nullopt, std::nullopt, ScenarioWindow{3, 9, true}}));
  EXPECT_TRUE(first.expected().empty());
  EXPECT_EQ(scenario->steps[1].wait_ms, 1000);
  EXPECT_EQ(scenario->steps[2].input.key, std::nullopt);
}

TEST(ScenarioReader, a_broken_file_is_named_with_its_line) {
  EXPECT_EQ(error_of(with("@-5", "5")), "x.txt:13: a record is `<topic> <key> <value> @<time>`");
  EXPECT_EQ(error_of(with("@-5", "@-")), "x.txt:13: `@-` is no time");
  EXPECT_EQ(error_of(with("@7", "@7000000000000000000")),
            "x.txt:14: `@7000000000000000000` is no time");
  EXPECT_EQ(error_of(with("< left a", "< right a")), "x.txt:13: nothing reads the topic `right`");
  EXPECT_EQ(error_of(with("a[0,10)", "a0,10)")), "x.txt:14: `a0,10)` has half a window");
  EXPECT_EQ(error_of(with("a[0,10)", "a[0,)")), "x.txt:14: `a[0,)` has a window without times");
  EXPECT_EQ(error_of(with("a[0,10)", "[0,10)")), "x.txt:14: the empty text is written \"\"");
  EXPECT_EQ(error_of(with("to b", "to c")), "x.txt:11: nothing is called `c`");
  EXPECT_EQ(error_of(with("b rest", "b in")), "x.txt:10: `in` is made twice");
  EXPECT_EQ(error_of(with("stream left", "")), "x.txt:9: an operator is missing behind `=`");
  EXPECT_EQ(error_of(with("stream left", "stream")),
            "x.txt:9: `stream` has another number of operands");
  EXPECT_EQ(error_of(with("  to b out", "  x = to b out")), "x.txt:11: only `to` makes no result");
  EXPECT_EQ(error_of(with("< wait 1000", "< wait soon")), "x.txt:17: `soon` is no number of ms");
  EXPECT_EQ(error_of(with("< left a", "? left a")),
            "x.txt:13: an answer stands in front of the first `<` line");
  EXPECT_EQ(error_of(with("< wait", "? wait")),
            "x.txt:17: a line of a run begins with `<`, `>` or `!`");
  EXPECT_EQ(error_of(with("  ! nothing\n", "  ! nothing\n  > out a 1 @0\n")),
            "x.txt:17: `>` lines come in front of `!` lines");
  EXPECT_EQ(error_of(with("one line", "\xc3\xa4")),
            "x.txt:3: only printable ASCII and blanks are allowed");
  EXPECT_EQ(error_of(with("about    one", "abuot    one")), "x.txt:3: no line begins with `abuot`");
  EXPECT_EQ(error_of(with("scenario good", "scenario good one")),
            "x.txt:2: `scenario` is one word, once");
  EXPECT_EQ(error_of(with("run\n", "kafka 4\n")), "x.txt:12: `kafka` is out of place here");
}

TEST(ScenarioReader, a_file_that_lacks_a_part_is_refused) {
  EXPECT_EQ(error_of(""), "x.txt:0: `scenario <name>` is missing");
  EXPECT_EQ(error_of("scenario x\n"), "x.txt:1: `about <text>` is missing");
  EXPECT_EQ(error_of(with("kafka    4.1.1\n", "")),
            "x.txt:17: `kafka <version>` is missing: run test/golden/record");
  EXPECT_NE(error_of(with("differs  why\n", "")).find("come together or not at all"),
            std::string::npos);
  EXPECT_NE(error_of(with("  ! nothing\n", "")).find("come together or not at all"),
            std::string::npos);
  EXPECT_EQ(error_of(with("  < wait 1000\n", "  < wait 1000\n  ! nothing\n")),
            "x.txt:17: the `!` lines say the same as `>`");
}

TEST(ScenarioReader, what_it_prints_reads_back_the_same) {
  const auto scenario = read_scenario("x.txt", kGood);
  ASSERT_TRUE(scenario);
  const auto again = read_scenario("y.txt", to_string(*scenario));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *scenario);
}

std::vector<Scenario> recorded() {
  std::vector<Scenario> all;
  for (const auto& entry : std::filesystem::directory_iterator(ADBROOK_SOURCE_DIR "/test/golden")) {
    if (entry.path().extension() != ".txt") continue;
    std::ifstream file(entry.path());
    std::ostringstream text;
    text << file.rdbuf();
    auto scenario = read_scenario(entry.path().filename().string(), text.str());
    EXPECT_TRUE(scenario) << scenario.error().message;
    if (!scenario) continue;
    EXPECT_EQ(scenario->name + ".txt", entry.path().filename());
    all.push_back(std::move(*scenario));
  }
  return all;
}

TEST(GoldenScenarios, all_are_recorded_and_whole) { EXPECT_GE(recorded().size(), 100u); }

// By the operator's name and what it is used on: a join of tables is not one of streams.
TEST(GoldenScenarios, every_word_of_the_vocabulary_is_recorded) {
  std::map<std::string, int> uses;
  for (const Scenario& scenario : recorded())
    for (const ScenarioOperator& made : scenario.topology) ++uses[made.name];
  for (const char* word :
       {"stream",    "table",           "filter",     "map_values", "map",
        "flat_map",  "flat_map_values", "select_key", "branch",     "merge",
        "peek",      "repartition",     "to_stream",  "to_table",   "group_by_key",
        "group_by",  "tumbling",        "hopping",    "session",    "count",
        "sum",       "reduce",          "aggregate",  "final",      "join",
        "left_join", "outer_join",      "process",    "to"})
    EXPECT_GT(uses[word], 0) << word;
}

}  // namespace scenario_reader_test
}  // namespace adbrook::stream::golden
