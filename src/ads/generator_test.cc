#include "ads/generator.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "ads/edge_json.h"
#include "ads/reference_model_test.h"
#include "base/hash.h"

namespace adbrook::ads {
namespace generator_test {

std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 42;
  std::printf("ADBROOK_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

Generator made(const GeneratorOptions& options, Truth* truth = nullptr) {
  auto generator = Generator::make(options, truth);
  EXPECT_TRUE(generator) << generator.error().message;
  return std::move(*generator);
}

std::uint64_t hash_of_all(const GeneratorOptions& options) {
  Generator generator = made(options);
  GeneratedItem item;
  std::uint64_t hash = 0;
  while (generator.next(item)) hash = hash * 31 + xxh3(as_bytes(item.json));
  return hash;
}

TEST(Generator, same_seed_gives_the_same_bytes_on_every_machine) {
  EXPECT_EQ(hash_of_all({.events = 20'000, .seed = 42}), 7485951733369861082ull);
  EXPECT_NE(hash_of_all({.events = 20'000, .seed = 42}),
            hash_of_all({.events = 20'000, .seed = 43}));
}

TEST(Generator, truth_or_none_changes_no_event) {
  Truth truth;
  Generator with = made({.events = 5'000}, &truth), without = made({.events = 5'000});
  GeneratedItem a, b;
  while (with.next(a)) {
    ASSERT_TRUE(without.next(b));
    EXPECT_EQ(a.json, b.json);
    EXPECT_EQ(a.outcome, b.outcome);
  }
  EXPECT_FALSE(without.next(b));
}

TEST(Generator, shares_are_about_as_asked) {
  Truth truth;
  Generator generator = made({.events = 200'000, .settle_events = 200}, &truth);
  GeneratedItem item;
  Timestamp sent = Timestamp::lowest();
  while (generator.next(item)) {
    ASSERT_GE(item.send_time, sent);
    sent = item.send_time;
  }
  std::map<std::string, double> shares;
  double all = 0;
  for (const auto& [key, count] : truth.outcomes()) {
    shares[key.outcome + key.reason] += static_cast<double>(count) / 200'000;
    all += static_cast<double>(count);
  }
  EXPECT_EQ(all, 200'000);
  EXPECT_NEAR(shares["duplicate"], 0.01, 0.001);
  EXPECT_NEAR(shares["late"], 0.0025, 0.0005);
  EXPECT_NEAR(shares["latewindow_closed"], 0.0025, 0.0005);
  EXPECT_NEAR(shares["orphanunknown"], 0.00167, 0.0004);
  EXPECT_NEAR(shares["orphanbefore_impression"], 0.00167, 0.0004);
  EXPECT_NEAR(shares["expired"], 0.00167, 0.0004);
  EXPECT_NEAR(shares["filteredbot"], 0.01, 0.002);
  EXPECT_NEAR(shares["joined"] / shares["counted"], 0.0215, 0.001);
  EXPECT_GT(shares["filteredimpression"], 0.0005);
  EXPECT_GT(shares["unlinked"], 0.001);
  const double span_hours = static_cast<double>(sent.ms - GeneratorOptions{}.start.ms) / 3.6e6;
  EXPECT_NEAR(span_hours, 48, 0.5);
}

TEST(Generator, bad_options_are_named) {
  const auto refused = Generator::make({.ctr = 2}, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'ctr'"), std::string::npos);
  EXPECT_FALSE(Generator::make({.campaigns = 0}, nullptr));
  EXPECT_FALSE(Generator::make({.start = {0}}, nullptr));
}

// Reads each item at the edge, as the collector does.
class EdgeReader {
 public:
  explicit EdgeReader(Timestamp now) : options_{.time_end = now} {}

  // The refusal's word, or nothing with `event` filled in for the model.
  std::optional<std::string> read(const GeneratedItem& item, reference::Event& event) {
    return item.kind == EventKind::impression ? read_with(impressions_, item, event)
                                              : read_with(clicks_, item, event);
  }

 private:
  template <class Event>
  std::optional<std::string> read_with(JsonEdge<Event>& edge, const GeneratedItem& item,
                                       reference::Event& event) {
    text_.clear();
    const auto read = edge.read(item.json);
    if (!read) return std::string(to_string(read.error().reason));
    event.id = read->id;
    event.time = read->timestamp;
    event.append_time = item.send_time;
    const auto set = [&](Dimension d, std::string_view text) {
      event.dimensions[static_cast<std::size_t>(d)] = text;
    };
    set(Dimension::campaign_id, std::to_string(read->campaign_id));
    set(Dimension::publisher_id, std::to_string(read->publisher_id));
    set(Dimension::country, read->country);
    set(Dimension::city, read->city);
    set(Dimension::browser, read->browser);
    set(Dimension::platform, read->platform);
    if constexpr (std::is_same_v<Event, Impression>) {
      set(Dimension::creative_id, read->creative_id);
      set(Dimension::placement_id, read->placement_id);
      set(Dimension::currency, read->currency);
      event.price_micros = read->price_micros.value_or(0);
      event.origin.kind = reference::Kind::impression;
    } else {
      event.impression_id = read->impression_id;
      event.origin.kind = reference::Kind::click;
    }
    return std::nullopt;
  }

  EdgeOptions options_;
  EventText text_;
  JsonEdge<Impression> impressions_{options_, text_};
  JsonEdge<Click> clicks_{options_, text_};
};

std::int32_t partition_of(Uuid id, std::int32_t count) {
  const std::string text = id.to_string();
  return kafka_partition(as_bytes(text), count);
}

// Four model tasks fed in steps of `step` of sending time; linked clicks reach their task one step
// later, as through an internal topic.
class ModelEngine {
 public:
  explicit ModelEngine(std::int32_t partitions) : partitions_(partitions) {
    for (std::int32_t p = 0; p < partitions; ++p)
      tasks_.emplace_back(reference::Rules{}, p, partitions, counted);
    offsets_.resize(static_cast<std::size_t>(partitions) * 2);
    arrived_.resize(static_cast<std::size_t>(partitions));
    read_.resize(static_cast<std::size_t>(partitions), SentWatermark(1));
  }

  void add(reference::Event event) {
    const std::int32_t p = partition_of(*event.id, partitions_);
    const bool is_click = event.origin.kind == reference::Kind::click;
    event.origin.partition = p;
    event.origin.offset = offsets_[static_cast<std::size_t>(p * 2 + is_click)]++;
    auto& step = arrived_[static_cast<std::size_t>(p)];
    (is_click ? step.clicks : step.impressions).push_back(std::move(event));
  }

  void run_step() {
    std::vector<Step> next(arrived_.size());
    const Timestamp promised = promise();
    for (std::size_t p = 0; p < tasks_.size(); ++p) {
      Step& step = arrived_[p];
      if (!step.linked.empty()) tasks_[p].records(reference::linked_clicks, step.linked);
      for (const auto internal :
           {reference::placed_impressions, reference::placed_clicks, reference::linked_clicks})
        if (promised != Timestamp::lowest()) tasks_[p].advance(internal, promised);
      if (!step.impressions.empty()) tasks_[p].records(reference::impressions, step.impressions);
      if (!step.clicks.empty()) tasks_[p].records(reference::clicks, step.clicks);
      for (const auto* events : {&step.impressions, &step.clicks})
        for (const reference::Event& event : *events) read_[p].sent(as_sent(event));
      for (const reference::Event& click : step.clicks) {
        // Only what dedupe and filter let through goes on.
        if (!click.impression_id || counted.outcomes.contains(click.origin)) continue;
        const std::int32_t to = partition_of(*click.impression_id, partitions_);
        next[static_cast<std::size_t>(to)].linked.push_back(click);
      }
    }
    arrived_ = std::move(next);
  }

  reference::Counted counted;

 private:
  struct Step {
    std::vector<reference::Event> impressions, clicks, linked;
  };
  static SyntheticEvent as_sent(const reference::Event& event) {
    SyntheticEvent out;
    out.kind =
        event.origin.kind == reference::Kind::click ? EventKind::click : EventKind::impression;
    out.time = event.time;
    return out;
  }
  // What all tasks have read of the sources, as they tell each other after a commit.
  Timestamp promise() const {
    Timestamp least = Timestamp::highest();
    for (const SentWatermark& read : read_) least = std::min(least, read.reached());
    return least;
  }

  std::int32_t partitions_;
  std::vector<SentWatermark> read_;
  std::vector<reference::Task> tasks_;
  std::vector<std::int64_t> offsets_;
  std::vector<Step> arrived_;
};

// What the model counted, in the form of a truth.
Truth truth_of(const reference::Counted& counted, std::uint64_t click_count,
               std::uint64_t impression_count) {
  Truth out;
  for (const auto& [origin, outcome] : counted.outcomes) {
    const bool is_click = origin.kind == reference::Kind::click;
    ++out.outcomes()[{is_click ? "clicks" : "impressions", outcome.substr(0, outcome.find('(')),
                      ""}];
    --(is_click ? click_count : impression_count);
  }
  EXPECT_EQ(impression_count, 0u);
  if (click_count > 0) out.outcomes()[{"clicks", "pending", ""}] += click_count;
  for (const auto& [key, values] : counted.cells) {
    const auto& [view, bucket, parts] = key;
    TruthKey cell{.bucket_ms = bucket.ms,
                  .width_ms = static_cast<std::uint32_t>(kViews[view].bucket.count()),
                  .view = static_cast<std::uint32_t>(view)};
    for (std::size_t i = 0; i < parts.size(); ++i) cell.parts[i] = out.number_of(parts[i]);
    out.cells().at(cell) = values;
  }
  return out;
}

struct Run {
  Truth truth, counted;
  std::map<std::string, std::uint64_t> wrong_words;
};

Run run_through_model(GeneratorOptions options, Millis step) {
  Run run;
  Generator generator = made(options, &run.truth);
  EdgeReader edge(options.start + options.span + std::chrono::hours(48));
  ModelEngine engine(options.partitions);
  GeneratedItem item;
  Timestamp step_end = options.start + step;
  std::uint64_t clicks = 0, impressions = 0;
  std::map<std::string, std::uint64_t> rejected;
  while (generator.next(item)) {
    for (; item.send_time >= step_end; step_end = step_end + step) engine.run_step();
    reference::Event event;
    if (const auto word = edge.read(item, event)) {
      if (item.outcome != "rejected" || item.reason != *word)
        ++run.wrong_words[std::string(item.outcome) + "/" + std::string(item.reason) + "/" + *word];
      ++rejected[item.kind == EventKind::click ? "clicks" : "impressions"];
      continue;
    }
    ++(item.kind == EventKind::click ? clicks : impressions);
    engine.add(std::move(event));
  }
  engine.run_step();
  engine.run_step();
  run.counted = truth_of(engine.counted, clicks, impressions);
  for (const auto& [topic, count] : rejected)
    run.counted.outcomes()[{topic, "rejected", ""}] = count;
  return run;
}

void expect_equal(const Run& run) {
  for (const auto& [words, count] : run.wrong_words) ADD_FAILURE() << words << " " << count;
  const TruthComparison comparison = compare(run.truth, run.counted);
  EXPECT_GT(comparison.cell_count, 0u);
  EXPECT_TRUE(comparison.equal());
  for (std::size_t i = 0; i < std::min<std::size_t>(8, comparison.differences.size()); ++i)
    ADD_FAILURE() << comparison.differences[i];
}

TEST(Generator, late_events_wait_until_the_engine_has_settled) {
  Truth truth;
  Generator generator = made({.events = 60'000, .settle_events = 20'000}, &truth);
  GeneratedItem item;
  for (std::uint64_t i = 0; generator.next(item); ++i)
    if (item.outcome == "late") {
      EXPECT_GE(i, 20'000u);
    }
  EXPECT_GT((truth.outcomes()[{"impressions", "late", ""}]), 0u);
}

TEST(Generator, plain_model_of_the_join_counts_what_the_truth_says) {
  const std::uint64_t seed = seed_of_this_run();
  expect_equal(run_through_model({.events = 6'000, .seed = seed, .settle_events = 200},
                                 std::chrono::seconds(30)));
}

TEST(Generator, truth_holds_when_the_engine_judges_two_minutes_coarser) {
  const std::uint64_t seed = seed_of_this_run();
  expect_equal(run_through_model({.events = 15'000, .seed = seed, .settle_events = 200},
                                 std::chrono::minutes(2)));
}

TEST(Generator, truth_holds_for_few_events_and_for_heavy_trouble) {
  for (std::uint64_t seed = seed_of_this_run(), end = seed + 3; seed < end; ++seed) {
    expect_equal(run_through_model({.events = 3'000, .seed = seed, .settle_events = 200},
                                   std::chrono::minutes(1)));
    expect_equal(run_through_model({.events = 8'000,
                                    .seed = seed,
                                    .ctr = 0.1,
                                    .duplicates = 0.1,
                                    .late = 0.1,
                                    .orphans = 0.1,
                                    .malformed = 0.05,
                                    .bots = 0.1,
                                    .unlinked = 0.05,
                                    .settle_events = 200},
                                   std::chrono::minutes(1)));
  }
}

TEST(Generator, truth_holds_on_one_partition) {
  expect_equal(run_through_model({.events = 8'000, .partitions = 1, .settle_events = 200},
                                 std::chrono::minutes(1)));
}

}  // namespace generator_test
}  // namespace adbrook::ads
