// A golden scenario as a value, and the reader of its file: docs/formats/golden-scenario.md. Checks
// all that the lines alone can tell; which operators fit each other is seen when it is built.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace adbrook::stream::golden {

// Time 0 of every scenario.
inline constexpr std::int64_t kScenarioEpochMs = 1'500'000'000'000;
inline constexpr std::size_t kScenarioSizeMax = 1 << 20;
// Times and sizes beyond this are nonsense and would overflow with the epoch.
inline constexpr std::int64_t kScenarioNumberMax = 1'000'000'000'000'000;

struct ScenarioWindow {
  std::int64_t start, end;
  bool session;  // `end` is the last record's time; else the moment behind the window
  friend bool operator==(const ScenarioWindow&, const ScenarioWindow&) = default;
};

// Times are relative to the epoch.
struct ScenarioRecord {
  std::string topic;
  std::optional<std::string> key, value;
  std::optional<std::int64_t> time;
  std::optional<ScenarioWindow> window;
  friend bool operator==(const ScenarioRecord&, const ScenarioRecord&) = default;
};

struct ScenarioStep {
  std::size_t line = 0;
  std::optional<std::int64_t> wait_ms;  // else `input` goes in
  ScenarioRecord input;
  std::vector<ScenarioRecord> kafka;
  std::optional<std::vector<ScenarioRecord>> ours;  // where it is another answer on purpose

  const std::vector<ScenarioRecord>& expected() const { return ours ? *ours : kafka; }
  // Lines do not count.
  friend bool operator==(const ScenarioStep& a, const ScenarioStep& b) {
    return a.wait_ms == b.wait_ms && a.input == b.input && a.kafka == b.kafka && a.ours == b.ours;
  }
};

// `results… = name operands… option=value…`; `to` has no result.
struct ScenarioOperator {
  struct Option {
    std::string name, value;
    friend bool operator==(const Option&, const Option&) = default;
  };
  std::size_t line = 0;
  std::vector<std::string> results;
  std::string name;
  std::vector<std::string> operands;
  std::vector<Option> options;  // one name may come several times

  friend bool operator==(const ScenarioOperator& a, const ScenarioOperator& b) {
    return a.results == b.results && a.name == b.name && a.operands == b.operands &&
           a.options == b.options;
  }
};

struct Scenario {
  std::string name, about, differs, timing, kafka_version;
  std::vector<ScenarioOperator> topology;
  std::vector<ScenarioStep> steps;
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

class ScenarioReader {
 public:
  explicit ScenarioReader(std::string_view file) : file_(file) {}

  // The first thing that is wrong is told as "<file>:<line>: <what>".
  Result<Scenario> read(std::string_view text) {
    if (text.size() > kScenarioSizeMax) return wrong("the file has over 1 MiB");
    while (!text.empty()) {
      const auto end = text.find('\n');
      ++line_;
      if (auto added = add(text.substr(0, end)); !added) return pass(added.error());
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    if (auto whole = check_whole(); !whole) return pass(whole.error());
    return std::move(scenario_);
  }

 private:
  using Words = std::vector<std::string_view>;
  enum class Part { head, topology, run };

  std::unexpected<Error> wrong(const std::string& what) const {
    return fail(ErrorKind::invalid, file_ + ":" + std::to_string(line_) + ": " + what);
  }

  static Words split(std::string_view line) {
    Words words;
    while (true) {
      const auto begin = line.find_first_not_of(' ');
      if (begin == line.npos) return words;
      const auto end = std::min(line.find(' ', begin), line.size());
      words.push_back(line.substr(begin, end - begin));
      line.remove_prefix(end);
    }
  }

  Result<void> add(std::string_view line) {
    for (const char c : line)
      if (c < ' ' || c > '~') return wrong("only printable ASCII and blanks are allowed");
    const Words words = split(line);
    if (words.empty() || words[0].starts_with('#')) return {};
    if (line[0] != ' ') return add_head(words, line);
    if (part_ == Part::topology) return add_operator(words);
    if (part_ == Part::run) return add_to_run(words);
    return wrong("an indented line stands in front of `topology`");
  }

  Result<void> add_head(const Words& words, std::string_view line) {
    if (words.size() == 1 && words[0] == "topology" && part_ == Part::head) {
      part_ = Part::topology;
      return {};
    }
    if (words.size() == 1 && words[0] == "run" && part_ == Part::topology) {
      part_ = Part::run;
      return {};
    }
    if (part_ != Part::head) return wrong("`" + printable(words[0]) + "` is out of place here");
    if (words.size() < 2) return wrong("`" + printable(words[0]) + "` needs a text");
    std::string* to = words[0] == "scenario"  ? &scenario_.name
                      : words[0] == "about"   ? &scenario_.about
                      : words[0] == "differs" ? &scenario_.differs
                      : words[0] == "timing"  ? &scenario_.timing
                      : words[0] == "kafka"   ? &scenario_.kafka_version
                                              : nullptr;
    if (to == nullptr) return wrong("no line begins with `" + printable(words[0]) + "`");
    const bool is_one_word = to == &scenario_.name || to == &scenario_.kafka_version;
    if (is_one_word && (words.size() != 2 || !to->empty()))
      return wrong("`" + std::string(words[0]) + "` is one word, once");
    std::string_view text = line.substr(line.find(words[1], words[0].size()));
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    *to += (to->empty() ? "" : " ") + std::string(text);
    return {};
  }

  Result<void> add_operator(const Words& words) {
    ScenarioOperator made{.line = line_};
    auto next = std::find(words.begin(), words.end(), "=");
    if (next == words.end())
      next = words.begin();
    else
      made.results.assign(words.begin(), next++);
    if (next == words.end()) return wrong("an operator is missing behind `=`");
    made.name = *next++;
    for (; next != words.end(); ++next) {
      const auto at = next->find('=');
      if (at == next->npos)
        made.operands.emplace_back(*next);
      else
        made.options.push_back(
            {std::string(next->substr(0, at)), std::string(next->substr(at + 1))});
    }
    if (auto named = check_names(made); !named) return named;
    scenario_.topology.push_back(std::move(made));
    return {};
  }

  // Of a source the operand is a topic, of `to` the last one.
  Result<void> check_names(const ScenarioOperator& made) {
    const bool is_source = made.name == "stream" || made.name == "table";
    const bool is_sink = made.name == "to";
    if (made.operands.size() != (is_sink ? 2 : is_source ? 1 : made.operands.size()))
      return wrong("`" + printable(made.name) + "` has another number of operands");
    if (made.operands.empty()) return wrong("`" + printable(made.name) + "` is of nothing");
    if (is_sink != made.results.empty()) return wrong("only `to` makes no result");
    if (is_source)
      inputs_.insert(made.operands[0]);
    else
      for (std::size_t i = 0; i < made.operands.size() - (is_sink ? 1 : 0); ++i)
        if (!names_.contains(made.operands[i]))
          return wrong("nothing is called `" + printable(made.operands[i]) + "`");
    for (const std::string& result : made.results)
      if (!names_.insert(result).second) return wrong("`" + result + "` is made twice");
    return {};
  }

  Result<void> add_to_run(const Words& words) {
    if (words[0] == "<") return add_input(words);
    if (scenario_.steps.empty()) return wrong("an answer stands in front of the first `<` line");
    ScenarioStep& step = scenario_.steps.back();
    if (words[0] == "!") {
      if (!step.ours) step.ours.emplace();
      if (words.size() == 2 && words[1] == "nothing" && step.ours->empty()) return {};
      return add_record(words, Place::output, *step.ours);
    }
    if (words[0] != ">") return wrong("a line of a run begins with `<`, `>` or `!`");
    if (step.ours) return wrong("`>` lines come in front of `!` lines");
    return add_record(words, Place::output, step.kafka);
  }

  Result<void> add_input(const Words& words) {
    ScenarioStep step{.line = line_};
    if (words.size() == 3 && words[1] == "wait") {
      if (!(step.wait_ms = number(words[2])) || *step.wait_ms < 0)
        return wrong("`" + printable(words[2]) + "` is no number of ms");
    } else {
      std::vector<ScenarioRecord> one;
      if (auto added = add_record(words, Place::input, one); !added) return added;
      step.input = std::move(one[0]);
      if (!inputs_.contains(step.input.topic))
        return wrong("nothing reads the topic `" + step.input.topic + "`");
    }
    scenario_.steps.push_back(std::move(step));
    return {};
  }

  enum class Place { input, output };
  Result<void> add_record(const Words& words, Place place, std::vector<ScenarioRecord>& to) {
    if (words.size() != 5 || !words[4].starts_with('@'))
      return wrong("a record is `<topic> <key> <value> @<time>`");
    ScenarioRecord record{.topic = std::string(words[1]), .value = text(words[3])};
    std::string_view key = words[2];
    if (place == Place::output && (key.ends_with(')') || key.ends_with(']'))) {
      const auto open = key.rfind('[');
      const auto comma = open == key.npos ? key.npos : key.find(',', open);
      if (comma == key.npos) return wrong("`" + printable(key) + "` has half a window");
      const auto start = number(key.substr(open + 1, comma - open - 1));
      const auto end = number(key.substr(comma + 1, key.size() - comma - 2));
      if (!start || !end) return wrong("`" + printable(key) + "` has a window without times");
      record.window = {*start, *end, key.ends_with(']')};
      key = key.substr(0, open);
    }
    if (key.empty()) return wrong("the empty text is written \"\"");
    record.key = text(key);
    const bool tells_time = place == Place::input || words[4] != "@-";
    if (tells_time && !(record.time = number(words[4].substr(1))))
      return wrong("`" + printable(words[4]) + "` is no time");
    to.push_back(std::move(record));
    return {};
  }

  static std::optional<std::string> text(std::string_view word) {
    if (word == "~") return std::nullopt;
    return std::string(word == "\"\"" ? "" : word);
  }

  static std::optional<std::int64_t> number(std::string_view word) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    if (value > kScenarioNumberMax || value < -kScenarioNumberMax) return std::nullopt;
    return value;
  }

  Result<void> check_whole() {
    if (scenario_.name.empty()) return wrong("`scenario <name>` is missing");
    if (scenario_.about.empty()) return wrong("`about <text>` is missing");
    if (scenario_.steps.empty()) return wrong("nothing goes in");
    if (scenario_.kafka_version.empty())
      return wrong("`kafka <version>` is missing: run test/golden/record");
    bool differs = false;
    for (const ScenarioStep& step : scenario_.steps) {
      line_ = step.line;
      if (step.ours && *step.ours == step.kafka) return wrong("the `!` lines say the same as `>`");
      differs |= step.ours.has_value();
    }
    if (differs == scenario_.differs.empty())
      return wrong("`differs` and `!` lines come together or not at all");
    return {};
  }

  std::string file_;
  std::size_t line_ = 0;
  Part part_ = Part::head;
  Scenario scenario_;
  std::set<std::string, std::less<>> names_, inputs_;
};

inline Result<Scenario> read_scenario(std::string_view file, std::string_view text) {
  return ScenarioReader(file).read(text);
}

// A record as its line's words, without the mark in front.
inline std::string to_string(const ScenarioRecord& record) {
  const auto word = [](const std::optional<std::string>& text) {
    return !text ? "~" : text->empty() ? "\"\"" : *text;
  };
  std::string line = record.topic + " " + word(record.key);
  if (record.window)
    line += "[" + std::to_string(record.window->start) + "," + std::to_string(record.window->end) +
            (record.window->session ? "]" : ")");
  return line + " " + word(record.value) + " @" +
         (record.time ? std::to_string(*record.time) : "-");
}

// Reads back as an equal scenario. Comments and the cut of long texts into lines are not kept.
inline std::string to_string(const Scenario& scenario) {
  std::string text = "scenario " + scenario.name + "\nabout " + scenario.about;
  if (!scenario.differs.empty()) text += "\ndiffers " + scenario.differs;
  if (!scenario.timing.empty()) text += "\ntiming " + scenario.timing;
  text += "\nkafka " + scenario.kafka_version + "\n\ntopology";
  for (const ScenarioOperator& made : scenario.topology) {
    text += "\n ";
    for (const std::string& result : made.results) text += " " + result;
    text += made.results.empty() ? " " + made.name : " = " + made.name;
    for (const std::string& operand : made.operands) text += " " + operand;
    for (const auto& option : made.options) text += " " + option.name + "=" + option.value;
  }
  text += "\n\nrun";
  for (const ScenarioStep& step : scenario.steps) {
    text +=
        "\n  < " + (step.wait_ms ? "wait " + std::to_string(*step.wait_ms) : to_string(step.input));
    for (const ScenarioRecord& answer : step.kafka) text += "\n  > " + to_string(answer);
    if (!step.ours) continue;
    if (step.ours->empty()) text += "\n  ! nothing";
    for (const ScenarioRecord& answer : *step.ours) text += "\n  ! " + to_string(answer);
  }
  return text + "\n";
}

}  // namespace adbrook::stream::golden
