// Every golden scenario, built with the stream library and run by the test driver: our answers are
// those recorded from Kafka Streams, or the ones the file gives as ours with the reason.
#include "stream/golden/replay_test.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "stream/test_driver.h"

namespace adbrook::stream::golden {
namespace replay_test {

using namespace std::chrono_literals;

constexpr Timestamp kEpoch{kScenarioEpochMs};

// Records of one key's clock may run ahead as they like here, and none is out of order unless the
// scenario says so.
TestDriverOptions driver_options() {
  TestDriverOptions options{.start = kEpoch};
  options.stream.commit_interval = 1ms;
  options.stream.disorder = 0ms;
  options.stream.skew_cap = 24h * 365;
  options.stream.idle_after = 30s;
  return options;
}

class Replay {
 public:
  explicit Replay(const Scenario& scenario) : scenario_(scenario) {
    Topology probe(0, 1, 0, {});
    Seen nobodys;
    TopologyOfWords words(scenario_, probe, nobodys);
    words.build();
    topics_ = words.topics();
    driver_.emplace(
        [this](Topology& topology) { TopologyOfWords(scenario_, topology, seen_).build(); },
        driver_options());
  }

  void run() {
    driver_->run();
    std::vector<ScenarioRecord> all, all_expected;
    for (const ScenarioStep& step : scenario_.steps) {
      take(step);
      const auto answers = answers_since();
      ASSERT_EQ(driver_->runner().trouble(), "") << place(step);
      if (scenario_.timing.empty()) {
        EXPECT_EQ(by_topic(answers), by_topic(step.expected())) << place(step);
      } else {
        all.insert(all.end(), answers.begin(), answers.end());
        all_expected.insert(all_expected.end(), step.expected().begin(), step.expected().end());
      }
    }
    EXPECT_EQ(sorted(by_topic(all)), sorted(by_topic(all_expected))) << scenario_.name;
  }

 private:
  using Lines = std::map<std::string, std::vector<std::string>>;

  std::string place(const ScenarioStep& step) const {
    return "test/golden/" + scenario_.name + ".txt:" + std::to_string(step.line);
  }
  // Only the order within one topic counts.
  static Lines by_topic(const std::vector<ScenarioRecord>& records) {
    Lines lines;
    for (const ScenarioRecord& record : records) lines[record.topic].push_back(to_string(record));
    return lines;
  }
  static Lines sorted(Lines lines) {
    for (auto& [topic, records] : lines) std::ranges::sort(records);
    return lines;
  }

  void take(const ScenarioStep& step) {
    if (step.wait_ms) return driver_->advance(Millis(*step.wait_ms));
    const ScenarioRecord& record = step.input;
    driver_->pipe(record.topic, 0, {{record.key, record.value, kEpoch + Millis(*record.time)}});
    driver_->run();
  }

  std::vector<ScenarioRecord> answers_since() {
    std::vector<ScenarioRecord> answers = std::move(seen_);
    seen_.clear();
    for (const auto& [topic, kind] : topics_) {
      const auto records = driver_->records(topic);
      for (std::size_t& i = told_[topic]; i < records.size(); ++i)
        answers.push_back(scenario_record(topic, kind, records[i]));
    }
    return answers;
  }
  static ScenarioRecord scenario_record(const std::string& topic, KeyKind kind,
                                        const MemoryRecord& from) {
    ScenarioRecord record{.topic = topic, .key = from.key};
    if (!from.tombstone) record.value = from.value;
    record.time = (from.time - kEpoch).count();
    if (kind == KeyKind::plain || !from.key) return record;
    Windowed<std::string> key;
    EXPECT_TRUE(Serde<Windowed<std::string>>::decode(as_bytes(*from.key), key));
    record.key = key.key;
    record.window = {(key.window.start - kEpoch).count(), (key.window.end - kEpoch).count(),
                     kind == KeyKind::session};
    return record;
  }

  const Scenario& scenario_;
  Seen seen_;
  std::map<std::string, KeyKind> topics_;
  std::map<std::string, std::size_t> told_;
  std::optional<TestDriver> driver_;
};

class GoldenReplay : public testing::TestWithParam<std::string> {};

std::vector<std::string> scenario_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ADBROOK_SOURCE_DIR "/test/golden"))
    if (entry.path().extension() == ".txt") names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

TEST_P(GoldenReplay, answers_as_recorded) {
  std::ifstream file(ADBROOK_SOURCE_DIR "/test/golden/" + GetParam());
  std::ostringstream text;
  text << file.rdbuf();
  const auto scenario = read_scenario(GetParam(), text.str());
  ASSERT_TRUE(scenario) << scenario.error().message;
  Replay(*scenario).run();
}

INSTANTIATE_TEST_SUITE_P(Scenario, GoldenReplay, testing::ValuesIn(scenario_files()),
                         [](const auto& file) {
                           std::string name = file.param.substr(0, file.param.find('.'));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace replay_test
}  // namespace adbrook::stream::golden
