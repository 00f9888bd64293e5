#include "ads/click_topology.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <set>

#include "ads/audit.h"
#include "ads/dead_letter.h"
#include "ads/event_codec.h"
#include "ads/impression_summary.h"
#include "ads/outcome_record.h"
#include "ads/reference_model_test.h"
#include "io/random.h"
#include "io/test_seed.h"
#include "stream/changelog.h"
#include "stream/origin.h"
#include "stream/test_driver.h"

namespace adbrook::ads {
namespace click_topology_test {

using reference::Kind;
using reference::Origin;
using stream::MemoryRecord;
using stream::TestDriver;

// Narrow rules and a coarse clock, so that random events meet every boundary often.
constexpr ClickJoinOptions kJoin{.horizon = std::chrono::minutes(10),
                                 .within = std::chrono::minutes(2),
                                 .grace = std::chrono::seconds(10),
                                 .skew = std::chrono::seconds(2)};
constexpr Millis kDisorder{5'000};
constexpr Millis kSkewCap{60'000};
constexpr std::int64_t kTick = 500;

stream::TestDriverOptions driver_options(std::int32_t partition_count, std::uint64_t seed) {
  stream::TestDriverOptions options{.partition_count = partition_count, .seed = seed};
  options.stream.disorder = kDisorder;
  options.stream.skew_cap = kSkewCap;
  options.stream.checkpoint_events = 60;
  return options;
}

stream::TopologyFactory factory() {
  return [](stream::Topology& topology) { define_click_topology(topology, kJoin, {}); };
}

std::string text_of(const Buffer& bytes) { return std::string(as_text(bytes)); }

// Sends random events: duplicates, disorder, clicks before impressions, late and wrong ones, hot
// ids.
class RandomTraffic {
 public:
  RandomTraffic(TestDriver& driver, std::int32_t partition_count, std::uint64_t seed)
      : driver_(driver), partition_count_(partition_count), random_(seed) {}

  void send(int count) {
    now_ = driver_.now().ms - 3'600'000;
    for (int i = 0; i < count; ++i) {
      now_ += static_cast<std::int64_t>(random_.below(8)) * kTick;
      if (one_in(200)) now_ += 15 * 60'000;
      one_in(3) ? send_click() : send_impression();
      if (one_in(20)) driver_.run();
      if (one_in(60)) driver_.advance(Millis(static_cast<std::int64_t>(random_.below(9'000))));
      if (one_in(80)) crash();
    }
    driver_.run();
    if (one_in(2)) driver_.advance(std::chrono::minutes(4));
    driver_.run();
  }

 private:
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }

  void crash() {
    driver_.crash();
    driver_.restart();
  }

  Uuid fresh() { return {random_.next(), random_.next()}; }
  Uuid some(const std::vector<Uuid>& ids) {
    return ids[ids.size() - 1 - random_.below(std::min<std::size_t>(ids.size(), 40))];
  }

  Timestamp event_time() {
    std::int64_t time = now_ - static_cast<std::int64_t>(random_.below(12)) * kTick;
    if (one_in(15)) time -= static_cast<std::int64_t>(random_.below(3 * 60'000) / kTick) * kTick;
    if (one_in(40)) time -= static_cast<std::int64_t>(random_.below(15 * 60'000) / kTick) * kTick;
    if (one_in(60)) time += static_cast<std::int64_t>(random_.below(5 * 60'000) / kTick) * kTick;
    if (one_in(150))
      time = driver_.now().ms + kSkewCap.count() + static_cast<std::int64_t>(random_.below(3)) - 1;
    if (one_in(300)) time = 946'684'800'000 - static_cast<std::int64_t>(random_.below(2));
    return {time};
  }

  template <class Event>
  void fill(Event& event) {
    static constexpr std::array<std::string_view, 3> kCountries = {"", "FR", "US"};
    static constexpr std::array<std::string_view, 3> kCities = {"", "Paris", "Z\xc3\xbcrich"};
    event.timestamp = event_time();
    event.campaign_id = static_cast<std::int64_t>(random_.below(3));
    event.publisher_id = static_cast<std::int64_t>(random_.below(2));
    event.country = kCountries[random_.below(3)];
    event.city = kCities[random_.below(3)];
    event.browser = one_in(12) ? "bot" : "Firefox";
    event.platform = one_in(2) ? "Linux" : "";
  }

  void send_impression() {
    Impression impression;
    if (!promised_.empty() && one_in(3)) {
      impression.id = promised_.back();
      promised_.pop_back();
    } else {
      impression.id = !shown_.empty() && one_in(12) ? some(shown_) : fresh();
    }
    fill(impression);
    impression.creative_id = one_in(2) ? "c1" : "";
    if (!one_in(4)) {
      impression.price_micros = static_cast<std::int64_t>(random_.below(1'000));
      impression.currency = one_in(3) ? "EUR" : "USD";
    }
    shown_.push_back(impression.id);
    send(kImpressionsTopic, impression);
  }

  void send_click() {
    Click click;
    click.id = !clicked_.empty() && one_in(10) ? some(clicked_) : fresh();
    fill(click);
    if (one_in(6) && promised_.size() < 20) {
      promised_.push_back(fresh());
      click.impression_id = promised_.back();
    } else if (one_in(10)) {
      click.impression_id = fresh();
    } else if (!one_in(8) && !shown_.empty()) {
      click.impression_id = some(shown_);
    }
    clicked_.push_back(click.id);
    send(kClicksTopic, click);
  }

  template <class Event>
  void send(std::string_view topic, const Event& event) {
    Buffer value;
    encode(event, value);
    if (one_in(50)) value.resize(random_.below(value.size()));
    const std::string key = event.id.to_string();
    std::int32_t partition = kafka_partition(as_bytes(key), partition_count_);
    if (one_in(15))
      partition =
          static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(partition_count_)));
    driver_.pipe(topic, partition,
                 {{.key = key, .value = text_of(value), .time = event.timestamp}});
  }

  TestDriver& driver_;
  std::int32_t partition_count_;
  io::SeededRandom random_;
  std::int64_t now_ = 0;
  std::vector<Uuid> shown_, clicked_, promised_;
};

// Everything of one partition, with where internal records first arrived.
struct SentRecord {
  ByteView value;
  Timestamp append_time;
  std::int32_t partition;
  std::int64_t offset;
};

class Log {
 public:
  Log(TestDriver& driver, const std::string& topic, std::int32_t partition) {
    const bus::Partition where{topic, partition};
    const auto ends = driver.bus().ends(where);
    for (Offset at = ends->start; at < ends->end;) {
      auto& fetched = fetched_.emplace_back(*driver.bus().fetch(where, at, 1 << 20));
      for (const auto& batch : fetched.batches) at = read(fetched, batch, partition);
    }
  }
  const std::vector<SentRecord>& records() const { return records_; }

 private:
  Offset read(const bus::Fetched& fetched, const bus::Fetched::Batch& batch,
              std::int32_t partition) {
    auto reader = *record::BatchReader::open(
        ByteView(fetched.bytes).subspan(batch.index_begin, batch.size), 1_MiB);
    record::RecordView record;
    while (*reader.next(record)) {
      SentRecord sent{record.value.value_or(ByteView{}), batch.append_time, partition,
                      record.offset.value};
      if (const auto origin = stream::read_origin(record))
        sent = {sent.value, origin->append_time, origin->partition, origin->offset.value};
      records_.push_back(sent);
    }
    return reader.header().last_offset() + 1;
  }

  std::list<bus::Fetched> fetched_;
  std::vector<SentRecord> records_;
};

template <class Event>
reference::Event plain_event(const SentRecord& sent, Kind kind) {
  reference::Event plain{.origin = {kind, sent.partition, sent.offset},
                         .append_time = sent.append_time};
  EventDecoder<Event> decoder;
  Event event;
  if (!decoder.decode(sent.value, event)) return plain;
  plain.id = event.id;
  plain.time = event.timestamp;
  const auto set = [&](Dimension dimension, std::string_view value) {
    plain.dimensions[static_cast<std::size_t>(dimension)] = value;
  };
  set(Dimension::campaign_id, std::to_string(event.campaign_id));
  set(Dimension::publisher_id, std::to_string(event.publisher_id));
  set(Dimension::country, event.country);
  set(Dimension::city, event.city);
  set(Dimension::browser, event.browser);
  set(Dimension::platform, event.platform);
  if constexpr (std::is_same_v<Event, Impression>) {
    set(Dimension::creative_id, event.creative_id);
    set(Dimension::placement_id, event.placement_id);
    set(Dimension::currency, event.currency);
    plain.price_micros = event.price_micros.value_or(0);
  } else {
    plain.impression_id = event.impression_id;
  }
  return plain;
}

reference::Event plain_event(const SentRecord& sent, reference::Input input) {
  const bool impression = input == reference::impressions || input == reference::placed_impressions;
  return impression ? plain_event<Impression>(sent, Kind::impression)
                    : plain_event<Click>(sent, Kind::click);
}

reference::Input reference_input(const std::string& topic) {
  if (topic == kImpressionsTopic) return reference::impressions;
  if (topic == kClicksTopic) return reference::clicks;
  if (topic == kPlacedImpressionsTopic) return reference::placed_impressions;
  if (topic == kPlacedClicksTopic) return reference::placed_clicks;
  return reference::linked_clicks;
}

// Runs one task's recorded steps through the plain model. Returns how many clicks wait in it.
std::size_t replay(TestDriver& driver, std::int32_t partition, std::int32_t partition_count,
                   reference::Counted& counted) {
  const reference::Rules rules{kJoin.horizon, kJoin.within, kJoin.grace,
                               kJoin.skew,    kDisorder,    kSkewCap};
  reference::Task task(rules, partition, partition_count, counted);
  const auto topics = click_input_topics();
  std::vector<Log> inputs;
  for (const std::string& topic : topics) inputs.emplace_back(driver, topic, partition);
  for (const MemoryRecord& record : driver.records("test-changelog", partition)) {
    const auto commit = stream::decode_commit_record(as_bytes(record.value));
    EXPECT_TRUE(commit);
    for (const stream::Step& step : commit->steps) {
      const reference::Input input = reference_input(topics[step.input]);
      if (step.kind == stream::Step::Kind::advance) {
        task.advance(input, step.watermark);
        continue;
      }
      std::vector<reference::Event> events;
      for (std::int64_t at = step.first.value; at < step.end.value; ++at)
        events.push_back(
            plain_event(inputs[step.input].records()[static_cast<std::size_t>(at)], input));
      task.records(input, events);
    }
    EXPECT_EQ(task.watermark().ms, commit->watermark.ms) << "after commit " << commit->number;
  }
  return task.pending_count();
}

std::map<Origin, std::string> engine_outcomes(TestDriver& driver) {
  std::map<Origin, std::string> outcomes;
  for (const auto topic : {kImpressionOutcomesTopic, kClickOutcomesTopic}) {
    const Kind kind = topic == kClickOutcomesTopic ? Kind::click : Kind::impression;
    for (const MemoryRecord& record : driver.records(topic)) {
      const auto outcome = read_outcome(as_bytes(record.value));
      EXPECT_TRUE(outcome);
      std::string name(outcome->outcome);
      if (!outcome->reason.empty() && name != "rejected")
        name += "(" + std::string(outcome->reason) + ")";
      const Origin origin{kind, outcome->partition, outcome->offset.value};
      EXPECT_TRUE(outcomes.emplace(origin, name).second) << "two outcomes for one event";
    }
  }
  return outcomes;
}

std::vector<reference::Summary> engine_summaries(TestDriver& driver) {
  std::vector<reference::Summary> summaries;
  std::vector<SummaryClick> clicks;
  for (const MemoryRecord& record : driver.records(kImpressionSummariesTopic)) {
    const auto read = read_impression_summary(as_bytes(record.value), clicks);
    EXPECT_TRUE(read);
    reference::Summary summary{.impression = read->id};
    for (const SummaryClick& click : read->clicks)
      summary.clicks.emplace_back(click.timestamp, click.id);
    summaries.push_back(std::move(summary));
  }
  std::ranges::sort(summaries);
  return summaries;
}

void add_cells(const stream::TaskView& task,
               std::map<reference::CellKey, reference::CellValue>& all) {
  const auto* dictionary = task.store<state::Dictionary>(kDictionaryStore);
  for (std::size_t view = 0; view < kViewCount; ++view) {
    task.store<ViewCells>(kViews[view].name)
        ->for_each(
            {Timestamp::lowest(), Timestamp::highest()},
            [&](const state::CellBucket& bucket, std::span<const std::uint32_t> ids,
                const ViewCells::Measures& values) {
              std::vector<std::string> key;
              for (const std::uint32_t id : ids) {
                const auto number = dictionary->number(id);
                key.push_back(number ? std::to_string(*number) : std::string(dictionary->text(id)));
              }
              combine(all[{view, bucket.start, key}], values);
            });
  }
}

// The first events whose outcomes differ, for people.
std::string differences(const std::map<Origin, std::string>& engine,
                        const std::map<Origin, std::string>& model) {
  constexpr int kShownMax = 5;
  std::string text;
  int shown = 0;
  auto all = engine;
  all.insert(model.begin(), model.end());
  for (const auto& [origin, outcome] : all) {
    const auto in = [&origin = origin](const auto& outcomes) {
      const auto at = outcomes.find(origin);
      return at == outcomes.end() ? std::string("nothing") : at->second;
    };
    if (in(engine) == in(model) || shown++ >= kShownMax) continue;
    text += std::string(origin.kind == Kind::click ? "click " : "impression ") +
            std::to_string(origin.partition) + "/" + std::to_string(origin.offset) + ": engine " +
            in(engine) + ", model " + in(model) + "\n";
  }
  return text;
}

void expect_equal_to_reference(TestDriver& driver, std::int32_t partition_count) {
  reference::Counted expected;
  std::size_t pending = 0;
  for (std::int32_t p = 0; p < partition_count; ++p)
    pending += replay(driver, p, partition_count, expected);

  auto outcomes = engine_outcomes(driver);
  AuditBuilder audit(partition_count);
  std::map<reference::CellKey, reference::CellValue> cells;
  for (std::int32_t p = 0; p < partition_count; ++p)
    driver.ask(p, [&](const stream::TaskView& task) {
      audit.add(task);
      add_cells(task, cells);
    });
  const Audit audited = std::move(audit).finish(true, 0);
  EXPECT_TRUE(audited.holds()) << audited.failures.front();

  std::size_t received = 0;
  for (std::int32_t p = 0; p < partition_count; ++p) {
    received += driver.records(kClicksTopic, p).size();
    for (const MemoryRecord& record : driver.records(kImpressionsTopic, p)) {
      ++received;
      outcomes.try_emplace({Kind::impression, p, record.offset.value}, "counted");
    }
  }
  EXPECT_EQ(differences(outcomes, expected.outcomes), "");
  EXPECT_EQ(expected.outcomes.size() + pending, received);
  std::ranges::sort(expected.summaries);
  EXPECT_TRUE(engine_summaries(driver) == expected.summaries);
  EXPECT_TRUE(cells == expected.cells);
}

void compare(std::uint64_t seed, std::int32_t partition_count) {
  SCOPED_TRACE(io::seed_note(seed));
  TestDriver driver(factory(), driver_options(partition_count, seed));
  RandomTraffic(driver, partition_count, seed).send(150 + static_cast<int>(seed % 150));
  expect_equal_to_reference(driver, partition_count);
}

constexpr int kSeeds = 500;

// Larger than any record that can be written: what a small compressed batch may hold.
TEST(ClickTopology, records_of_any_size_are_rejected_with_their_place_and_stop_nothing) {
  TestDriver driver(factory(), driver_options(2, 1));
  const std::string huge(20 << 20, 'x');
  driver.pipe("clicks", 0, {{std::nullopt, "{", driver.now()}, {std::nullopt, huge, driver.now()}});
  driver.pipe("impressions", 1, {{huge, "{}", driver.now()}});
  driver.run();
  EXPECT_EQ(driver.runner().trouble(), "");
  std::map<std::string, std::string> bytes;
  for (const MemoryRecord& record : driver.records("dead-letters")) {
    const auto letter = read_dead_letter(as_bytes(record.value));
    ASSERT_TRUE(letter) << letter.error().message;
    bytes[std::string(letter->source) + ":" + std::to_string(letter->place)] =
        as_text(letter->bytes);
    const bool cut = letter->detail.find("of its 20971520 bytes") != std::string_view::npos;
    EXPECT_EQ(cut, letter->bytes.size() > 1'000) << letter->detail;
  }
  ASSERT_EQ(bytes.size(), 3u);
  EXPECT_EQ(bytes["clicks-0:0"], "{");
  EXPECT_EQ(bytes["clicks-0:1"], huge.substr(0, 4 << 20));
  EXPECT_EQ(bytes["impressions-1:0"], "{}");
  std::set<std::string> reasons;
  for (const char* topic : {"click-outcomes", "impression-outcomes"})
    for (const MemoryRecord& record : driver.records(topic)) {
      const auto outcome = read_outcome(as_bytes(record.value));
      ASSERT_TRUE(outcome);
      EXPECT_EQ(outcome->outcome, "rejected");
      reasons.emplace(outcome->reason);
    }
  EXPECT_TRUE(reasons.contains("too_long"));
}

TEST(ClickTopology, random_streams_equal_the_plain_model_on_one_partition) {
  for (const std::uint64_t seed : io::test_seeds(kSeeds)) {
    compare(seed, 1);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(ClickTopology, random_streams_equal_the_plain_model_on_four_partitions) {
  for (const std::uint64_t seed : io::test_seeds(kSeeds)) {
    compare(seed, 4);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace click_topology_test
}  // namespace adbrook::ads
