#include "ads/event_life.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ads/cell_events.h"
#include "ads/dead_letter.h"
#include "ads/dead_letter_list.h"
#include "ads/event_codec.h"
#include "ads/outcome_record.h"
#include "base/hash.h"
#include "io/random.h"
#include "io/test_seed.h"
#include "stream/test_driver.h"

namespace adbrook::ads {
namespace event_life_test {

using stream::TestDriver;

constexpr ClickJoinOptions kJoin{.horizon = std::chrono::minutes(10),
                                 .within = std::chrono::minutes(2),
                                 .grace = std::chrono::seconds(10),
                                 .skew = std::chrono::seconds(2)};
constexpr std::string_view kDriverGroup = "test";

stream::TestDriverOptions driver_options(std::int32_t partition_count, std::uint64_t seed) {
  stream::TestDriverOptions options{.partition_count = partition_count, .seed = seed};
  options.stream.disorder = std::chrono::seconds(5);
  options.stream.skew_cap = std::chrono::minutes(1);
  return options;
}

// The whole topology over a bus in memory, and questions about it.
class Bed {
 public:
  explicit Bed(std::int32_t partition_count, std::uint64_t seed = 1)
      : partition_count_(partition_count),
        driver_([](stream::Topology& topology) { define_click_topology(topology, kJoin, {}); },
                driver_options(partition_count, seed)),
        search_(driver_.bus(), driver_.executor(), std::string(kDriverGroup)) {}

  TestDriver& driver() { return driver_; }
  EventSearch& search() { return search_; }
  Timestamp start() { return driver_.now() - std::chrono::hours(1); }

  template <class Event>
  void send(std::string_view topic, const Event& event, std::int32_t partition = -1) {
    Buffer value;
    encode(event, value);
    send_value(topic, event.id, std::string(as_text(value)), event.timestamp, partition);
  }
  void send(const Impression& event, std::int32_t partition = -1) {
    send(kImpressionsTopic, event, partition);
  }
  void send(const Click& event, std::int32_t partition = -1) {
    send(kClicksTopic, event, partition);
  }
  void send_value(std::string_view topic, Uuid id, std::string value, Timestamp time,
                  std::int32_t partition = -1) {
    if (partition < 0) partition = partition_of(id, partition_count_);
    driver_.pipe(topic, partition,
                 {{.key = id.to_string(), .value = std::move(value), .time = time}});
  }

  // Runs what is ready without letting time pass, so that no task commits meanwhile.
  template <class T, class Ask>
  Result<T> answer(Ask ask) {
    std::optional<Result<T>> got;
    ask([&got](Result<T> given) { got.emplace(std::move(given)); });
    EXPECT_FALSE(got) << "an answer comes after the call";
    driver_.executor().run_until_idle();
    EXPECT_TRUE(got);
    return std::move(*got);
  }
  Result<EventLife> life(Uuid id) {
    return answer<EventLife>(
        [&](Answer<EventLife> then) { event_life(search_, id, std::move(then)); });
  }
  // "outcome" or "outcome(reason)" of the deciding copy.
  std::string end_of(Uuid id) {
    const auto found = life(id);
    if (!found) return found.error().message;
    const EventOfKind& kind = found->kinds.at(0);
    return kind.outcome + (kind.reason.empty() ? "" : "(" + kind.reason + ")");
  }

 private:
  std::int32_t partition_count_;
  TestDriver driver_;
  EventSearch search_;
};

Impression impression_at(std::uint64_t id, Timestamp time) {
  return {.id = {1, id},
          .timestamp = time,
          .campaign_id = 7,
          .publisher_id = 2,
          .creative_id = "banner",
          .city = "Paris",
          .country = "FR",
          .browser = "Firefox",
          .platform = "Linux",
          .price_micros = 1'500,
          .currency = "EUR"};
}

Click click_at(std::uint64_t id, Timestamp time, std::optional<Uuid> impression = {}) {
  return {.id = {2, id},
          .timestamp = time,
          .campaign_id = 9,
          .publisher_id = 3,
          .impression_id = impression,
          .country = "US",
          .browser = "Safari"};
}

// One wrong clock moves nothing, two events do. The clicks are linked, so that they move the time
// of the internal topic too.
void move_time(Bed& bed, Timestamp to) {
  const auto id = static_cast<std::uint64_t>(to.ms);
  for (const std::uint64_t i : {0, 1, 2}) {
    bed.send(impression_at(id * 3 + i, to));
    bed.send(click_at(id * 3 + i, to));
  }
  bed.driver().run();
  bed.driver().advance(std::chrono::seconds(7));
}

constexpr Millis seconds(std::int64_t n) { return std::chrono::seconds(n); }

TEST(EventLife, every_outcome_of_a_click_is_told) {
  Bed bed(1);
  const Timestamp t = bed.start();
  const Impression shown = impression_at(1, t);
  Impression by_bot = impression_at(2, t);
  by_bot.browser = "bot";
  bed.send(shown);
  bed.send(by_bot);
  bed.driver().run();

  bed.send(click_at(1, t + seconds(10), shown.id));
  bed.send(click_at(2, t + seconds(5)));
  bed.send(click_at(3, t + seconds(5), by_bot.id));
  bed.send(click_at(4, t - seconds(3), shown.id));
  bed.send(click_at(5, t + seconds(121), shown.id));
  bed.send(click_at(6, t + seconds(20), Uuid{1, 99}));
  Click bot = click_at(7, t + seconds(6));
  bot.browser = "bot";
  bed.send(bot);
  bed.send(click_at(8, bed.driver().now() + seconds(61), shown.id));
  bed.driver().run();
  EXPECT_EQ(bed.end_of({2, 1}), "joined");
  EXPECT_EQ(bed.end_of({2, 2}), "unlinked");
  EXPECT_EQ(bed.end_of({2, 3}), "filtered(impression)");
  EXPECT_EQ(bed.end_of({2, 4}), "orphan(before_impression)");
  EXPECT_EQ(bed.end_of({2, 5}), "expired");
  EXPECT_EQ(bed.end_of({2, 6}), "pending");
  EXPECT_EQ(bed.end_of({2, 7}), "filtered(bot)");
  EXPECT_EQ(bed.end_of({2, 8}), "rejected(timestamp_out_of_range)");

  move_time(bed, t + seconds(300));
  bed.send(click_at(9, t + seconds(30), shown.id));
  bed.driver().run();
  EXPECT_EQ(bed.end_of({2, 6}), "orphan(unknown)");
  EXPECT_EQ(bed.end_of({2, 9}), "late(window_closed)");
  move_time(bed, t + seconds(1000));
  bed.send(click_at(10, t + seconds(31)));
  bed.driver().run();
  EXPECT_EQ(bed.end_of({2, 10}), "late");
}

TEST(EventLife, every_outcome_of_an_impression_is_told) {
  Bed bed(1);
  const Timestamp t = bed.start();
  bed.send(impression_at(1, t));
  EXPECT_EQ(bed.end_of({1, 1}), "waiting");
  bed.driver().run();
  EXPECT_EQ(bed.end_of({1, 1}), "counted");
  Impression by_bot = impression_at(2, t);
  by_bot.browser = "bot";
  bed.send(by_bot);
  bed.send(impression_at(3, Timestamp{946'684'799'999}));
  bed.driver().run();
  EXPECT_EQ(bed.end_of({1, 2}), "filtered(bot)");
  EXPECT_EQ(bed.end_of({1, 3}), "rejected(timestamp_out_of_range)");
  move_time(bed, t + seconds(1000));
  bed.send(impression_at(4, t));
  bed.driver().run();
  EXPECT_EQ(bed.end_of({1, 4}), "late");
}

TEST(EventLife, a_joined_click_shows_its_impression_and_both_show_their_cells) {
  Bed bed(4);
  const Timestamp t = bed.start();
  const Impression shown = impression_at(1, t);
  bed.send(shown);
  bed.driver().run();
  bed.send(click_at(1, t + seconds(70), shown.id));
  bed.send(click_at(2, t + seconds(30), shown.id));
  bed.driver().run();

  const auto click = bed.life({2, 1});
  ASSERT_TRUE(click) << click.error().message;
  const EventOfKind& joined = click->kinds.at(0);
  EXPECT_EQ(joined.kind, "click");
  ASSERT_TRUE(joined.impression);
  EXPECT_EQ(joined.impression->id, shown.id);
  EXPECT_EQ(joined.impression->outcome, "counted");
  EXPECT_EQ(joined.impression->delay, seconds(70));
  EXPECT_FALSE(joined.unique_click);
  EXPECT_TRUE(bed.life({2, 2})->kinds.at(0).unique_click);
  ASSERT_EQ(joined.cells.size(), kViewCount);
  // Its own time under its impression's dimensions.
  EXPECT_EQ(joined.cells[0].bucket, bucket_start(t + seconds(70), seconds(60)));
  EXPECT_EQ(joined.cells[0].key, (std::vector<std::string>{"7", "2", "FR", "EUR"}));
  EXPECT_EQ(joined.cells[1].key, (std::vector<std::string>{"7", "2", "banner", "", "EUR"}));

  const auto impression = bed.life(shown.id);
  ASSERT_TRUE(impression) << impression.error().message;
  const EventOfKind& counted = impression->kinds.at(0);
  ASSERT_EQ(counted.clicks.size(), 2u);
  EXPECT_EQ(counted.clicks[0].id, (Uuid{2, 2}));
  EXPECT_EQ(counted.clicks[0].delay, seconds(30));
  EXPECT_EQ(counted.cells.at(0).bucket, bucket_start(t, seconds(60)));
  EXPECT_FALSE(counted.summary_written);
}

TEST(EventLife, a_written_summary_is_told) {
  Bed bed(1);
  const Timestamp t = bed.start();
  bed.send(impression_at(1, t));
  move_time(bed, t + seconds(300));
  EXPECT_TRUE(bed.life({1, 1})->kinds.at(0).summary_written);
}

TEST(EventLife, every_copy_is_found_with_its_own_end) {
  Bed bed(4);
  const Impression shown = impression_at(1, bed.start());
  const std::int32_t own = partition_of(shown.id, 4);
  const std::int32_t other = (own + 1) % 4;
  bed.send(shown);
  bed.driver().run();
  bed.send(shown);
  bed.send(shown, other);
  bed.send_value(kImpressionsTopic, shown.id,
                 R"({"uuid":")" + shown.id.to_string() + R"(","timestamp":1,"campaignId":"x"})",
                 bed.start(), other);
  bed.driver().run();

  const auto life = bed.life(shown.id);
  ASSERT_TRUE(life) << life.error().message;
  std::map<std::pair<std::int32_t, std::int64_t>, EventCopy> copies;
  for (const EventCopy& copy : life->kinds.at(0).copies)
    copies[{copy.place.partition, copy.place.offset.value}] = copy;
  ASSERT_EQ(copies.size(), 4u);
  EXPECT_EQ((copies[{own, 0}].outcome), "counted");
  EXPECT_EQ((copies[{own, 1}].outcome), "duplicate");
  EXPECT_EQ((copies[{other, 0}].outcome), "duplicate");
  EXPECT_EQ((copies[{other, 0}].sent), (bus::Partition{"impressions-placed", own}));
  const EventCopy& unreadable = copies[{other, 1}];
  EXPECT_EQ(unreadable.outcome, "rejected");
  EXPECT_FALSE(unreadable.timestamp);
  ASSERT_TRUE(unreadable.dead_letter);
  const auto letter = bed.answer<DeadLetterWithBytes>([&](Answer<DeadLetterWithBytes> then) {
    dead_letter(bed.search(), *unreadable.dead_letter, std::move(then));
  });
  ASSERT_TRUE(letter) << letter.error().message;
  EXPECT_EQ(letter->entry.place, 1);
  EXPECT_EQ(life->kinds.at(0).outcome, "counted");
}

TEST(EventLife, a_copy_on_its_way_is_never_taken_for_a_counted_one) {
  Bed bed(4);
  const Impression shown = impression_at(1, bed.start());
  const std::int32_t own = partition_of(shown.id, 4);
  const std::int32_t other = (own + 1) % 4;
  bed.send(shown);
  bed.driver().run();
  bed.send(shown, other);
  std::set<std::pair<std::string, bool>> seen;  // outcome, sent on
  for (int i = 0; i < 100; ++i) {
    const auto life = bed.life(shown.id);
    ASSERT_TRUE(life) << life.error().message;
    for (const EventCopy& copy : life->kinds.at(0).copies)
      if (copy.place.partition == other) seen.emplace(copy.outcome, copy.sent.has_value());
    bed.driver().executor().advance(Millis(10));
  }
  EXPECT_EQ(seen, (std::set<std::pair<std::string, bool>>{
                      {"waiting", false}, {"waiting", true}, {"duplicate", true}}));
}

TEST(EventLife, a_pending_click_tells_which_task_it_waits_in) {
  Bed bed(4);
  const Click click = click_at(1, bed.start(), Uuid{1, 5});
  bed.send(click);
  bed.driver().run();
  const auto life = bed.life(click.id);
  ASSERT_TRUE(life) << life.error().message;
  const EventOfKind& kind = life->kinds.at(0);
  EXPECT_EQ(kind.outcome, "pending");
  EXPECT_EQ(kind.copies.at(0).sent,
            (bus::Partition{"clicks-by-impression", partition_of({1, 5}, 4)}));
  ASSERT_TRUE(kind.impression);
  EXPECT_FALSE(kind.impression->timestamp);
}

TEST(EventLife, an_impression_and_a_click_with_one_id_are_both_told) {
  Bed bed(2);
  const Timestamp t = bed.start();
  Click click = click_at(1, t);
  click.id = {1, 1};
  bed.send(impression_at(1, t));
  bed.send(click);
  bed.driver().run();
  const auto life = bed.life({1, 1});
  ASSERT_TRUE(life) << life.error().message;
  ASSERT_EQ(life->kinds.size(), 2u);
  EXPECT_EQ(life->kinds[0].outcome, "counted");
  EXPECT_EQ(life->kinds[1].outcome, "unlinked");
  EXPECT_EQ(life->kinds[1].cells.at(0).key, (std::vector<std::string>{"9", "3", "US", ""}));
}

TEST(EventLife, an_unknown_id_is_not_found) {
  Bed bed(2);
  const auto life = bed.life({5, 5});
  ASSERT_FALSE(life);
  EXPECT_EQ(life.error().kind, ErrorKind::not_found);
}

TEST(EventLife, too_many_searches_at_once_are_refused) {
  Bed bed(1);
  std::vector<ErrorKind> errors;
  for (int i = 0; i <= EventSearch::kSearchCountMax; ++i)
    event_life(bed.search(), {5, 5},
               [&](Result<EventLife> life) { errors.push_back(life.error().kind); });
  bed.driver().executor().run_until_idle();
  ASSERT_EQ(errors.size(), static_cast<std::size_t>(EventSearch::kSearchCountMax) + 1);
  EXPECT_EQ(std::ranges::count(errors, ErrorKind::overloaded), 1);
  EXPECT_EQ(bed.life({5, 5}).error().kind, ErrorKind::not_found) << "the places are free again";
}

TEST(EventLife, who_is_answered_may_ask_again_at_once) {
  Bed bed(1);
  std::vector<ErrorKind> errors;
  for (int i = 0; i < EventSearch::kSearchCountMax; ++i)
    event_life(bed.search(), {5, 5}, [&](Result<EventLife>) {
      event_life(bed.search(), {5, 6},
                 [&](Result<EventLife> life) { errors.push_back(life.error().kind); });
    });
  bed.driver().executor().run_until_idle();
  EXPECT_EQ(errors, std::vector<ErrorKind>(EventSearch::kSearchCountMax, ErrorKind::not_found));
}

TEST(EventLife, its_json_names_are_stable) {
  EventLife life{.id = {0, 1}, .kinds = {{.kind = "click"}}};
  EventOfKind& kind = life.kinds[0];
  kind.outcome = "unlinked";
  kind.copies.push_back({.place = {"clicks", 3, {12}},
                         .append_time = {1'368'800'000'000},
                         .timestamp = Timestamp{1'368'799'999'000},
                         .outcome = "unlinked"});
  kind.cells.push_back(
      {.view_index = 2, .bucket = {1'368'798'000'000 - 1'200'000}, .key = {"7", "FR", "", "EUR"}});
  kind.event = R"({"uuid":"x"})";
  EXPECT_EQ(to_json(life),
            R"({"uuid":"00000000-0000-0000-0000-000000000001","kind":"click",)"
            R"("outcome":"unlinked","reason":null,"copies":[{"topic":"clicks","partition":3,)"
            R"("offset":12,"append_time":"2013-05-17T14:13:20.000Z",)"
            R"("timestamp":"2013-05-17T14:13:19.000Z","outcome":"unlinked","reason":null}],)"
            R"("more_copies":false,"unique_click":false,"cells":[{"view":"places",)"
            R"("bucket":"2013-05-17T13:20:00.000Z","bucket_size":"1h","key":{"campaign_id":"7",)"
            R"("country":"FR","city":"","currency":"EUR"},"cell":"places;)"
            R"(2013-05-17T13:20:00.000Z;campaign_id=7;country=FR;city="}],)"
            R"("event":{"uuid":"x"}})");
}

// Random events of every kind, also misplaced, cut short and sent twice.
class RandomEvents {
 public:
  RandomEvents(Bed& bed, std::uint64_t seed) : bed_(bed), random_(seed) {}

  void send(int count) {
    std::int64_t now = bed_.start().ms;
    for (int i = 0; i < count; ++i) {
      now += static_cast<std::int64_t>(random_.below(6)) * 700;
      const Timestamp time{now - static_cast<std::int64_t>(random_.below(20)) * 1'000};
      const std::uint64_t id = random_.below(static_cast<std::uint64_t>(count) / 2);
      if (one_in(2)) {
        Impression event = impression_at(id, time);
        if (one_in(3)) event.country = event.city = "";
        if (one_in(3)) event.currency = "USD";
        if (one_in(10)) event.browser = "bot";
        send(kImpressionsTopic, event);
      } else {
        const auto named = random_.below(static_cast<std::uint64_t>(count) / 2);
        send(kClicksTopic,
             click_at(id, time, one_in(4) ? std::nullopt : std::optional(Uuid{1, named})));
      }
      if (one_in(15)) bed_.driver().run();
    }
    bed_.driver().run();
  }

 private:
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }

  template <class Event>
  void send(std::string_view topic, const Event& event) {
    Buffer value;
    encode(event, value);
    if (one_in(30)) value.resize(21 + random_.below(value.size() - 21));
    const std::int32_t partition = one_in(8) ? static_cast<std::int32_t>(random_.below(3)) : -1;
    bed_.send_value(topic, event.id, std::string(as_text(value)), event.timestamp, partition);
  }

  Bed& bed_;
  io::SeededRandom random_;
};

constexpr int kSeeds = 12;

TEST(EventLife, random_events_end_as_the_outcome_topics_say) {
  for (const std::uint64_t seed : io::test_seeds(kSeeds)) {
    SCOPED_TRACE(io::seed_note(seed));
    Bed bed(3, seed);
    RandomEvents(bed, seed).send(120);
    std::map<LogPlace, std::string> outcomes;
    for (const auto topic : {kImpressionOutcomesTopic, kClickOutcomesTopic})
      for (const auto& record : bed.driver().records(topic)) {
        const auto outcome = read_outcome(as_bytes(record.value));
        outcomes[{std::string(outcome->topic), outcome->partition, outcome->offset}] =
            outcome->outcome;
      }
    for (const auto topic : {kImpressionsTopic, kClicksTopic})
      for (std::int32_t partition = 0; partition < 3; ++partition)
        for (const auto& record : bed.driver().records(topic, partition)) {
          const auto life = bed.life(*Uuid::parse(*record.key));
          ASSERT_TRUE(life) << life.error().message;
          const LogPlace place{std::string(topic), partition, record.offset};
          const auto& copies = life->kinds.at(0).copies;
          const auto copy = std::ranges::find(copies, place, &EventCopy::place);
          ASSERT_NE(copy, copies.end());
          const auto known = outcomes.find(place);
          const std::string open = topic == kClicksTopic ? "pending" : "counted";
          EXPECT_EQ(copy->outcome, known == outcomes.end() ? open : known->second);
        }
  }
}

struct IdSums {
  std::uint64_t impressions = 0, impression_xor = 0, clicks = 0, click_xor = 0;
  friend bool operator==(const IdSums&, const IdSums&) = default;
};

TEST(CellEvents, list_exactly_the_ids_that_each_cell_counted) {
  for (const std::uint64_t seed : io::test_seeds(kSeeds)) {
    SCOPED_TRACE(io::seed_note(seed));
    Bed bed(3, seed);
    RandomEvents(bed, seed).send(150);
    std::map<std::string, IdSums> cells;
    for (std::int32_t partition = 0; partition < 3; ++partition)
      bed.driver().ask(partition, [&](const stream::TaskView& task) {
        const auto& texts = *task.store<state::Dictionary>(kDictionaryStore);
        for (std::size_t view = 0; view < kViewCount; ++view)
          task.store<ViewCells>(kViews[view].name)
              ->for_each({Timestamp::lowest(), Timestamp::highest()},
                         [&](const state::CellBucket& bucket, std::span<const std::uint32_t> ids,
                             const ViewCells::Measures& values) {
                           EventCell cell{.view_index = view, .bucket = bucket.start, .key = {}};
                           for (const std::uint32_t id : ids) {
                             const auto number = texts.number(id);
                             cell.key.push_back(number ? std::to_string(*number)
                                                       : std::string(texts.text(id)));
                           }
                           IdSums& sums = cells[cell_text(cell)];
                           const auto value = [&](Measure measure) {
                             return values[static_cast<std::size_t>(measure)];
                           };
                           sums.impressions += value(Measure::impressions);
                           sums.impression_xor ^= value(Measure::impression_id_xor);
                           sums.clicks += value(Measure::joined_clicks);
                           sums.clicks += value(Measure::unlinked_clicks);
                           sums.click_xor ^= value(Measure::click_id_xor);
                         });
      });
    ASSERT_FALSE(cells.empty());
    for (const auto& [text, expected] : cells) {
      const auto query = parse_cell(text, "10000");
      ASSERT_TRUE(query) << query.error().message;
      const auto events = bed.answer<CellEvents>(
          [&](Answer<CellEvents> then) { cell_events(bed.search(), *query, std::move(then)); });
      ASSERT_TRUE(events) << events.error().message;
      IdSums found{.impressions = events->impressions.size(), .clicks = events->clicks.size()};
      for (const CellImpression& event : events->impressions)
        found.impression_xor ^= xxh3(event.id);
      for (const CellClick& event : events->clicks) found.click_xor ^= xxh3(event.id);
      EXPECT_EQ(found, expected) << text;
    }
  }
}

TEST(CellEvents, a_limit_leaves_out_and_says_so) {
  Bed bed(2);
  const Timestamp t = bed.start();
  for (std::uint64_t i = 0; i < 5; ++i) bed.send(impression_at(i, t));
  bed.send(click_at(1, t));
  bed.driver().run();
  const auto query = parse_cell(
      "places;" + format_time(bucket_start(t, std::chrono::hours(1))) + ";city=Paris", "3");
  ASSERT_TRUE(query) << query.error().message;
  const auto events = bed.answer<CellEvents>(
      [&](Answer<CellEvents> then) { cell_events(bed.search(), *query, std::move(then)); });
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->impressions.size(), 3u);
  EXPECT_TRUE(events->more_impressions);
  EXPECT_TRUE(events->clicks.empty());
  EXPECT_NE(to_json(*events).find(R"("more":true)"), std::string::npos);
}

TEST(CellEvents, a_wrong_cell_is_refused_with_what_is_allowed) {
  const std::string time = "2013-05-17T13:00:00Z";
  EXPECT_NE(parse_cell("nothing;" + time, {}).error().message.find("click-through, creatives"),
            std::string::npos);
  EXPECT_NE(parse_cell("places;" + time + ";browser=x", {}).error().message.find("country, city"),
            std::string::npos);
  EXPECT_FALSE(parse_cell("places", {}));
  EXPECT_FALSE(parse_cell("places;noon", {}));
  EXPECT_FALSE(parse_cell("places;" + time + "/1m", {}));
  EXPECT_FALSE(parse_cell("places;" + time, "0"));
  EXPECT_FALSE(parse_cell("places;" + time + ";city=\"a", {}));
  const auto quoted = parse_cell("places;" + time + ";city=\"a;country=FR\";campaign_id=7", {});
  ASSERT_TRUE(quoted) << quoted.error().message;
  ASSERT_EQ(quoted->where.size(), 2u);
  EXPECT_EQ(quoted->where[0].value, "a;country=FR");
  const auto day = parse_cell("places;" + time + "/1d;city=a;b=c;country=", {});
  ASSERT_TRUE(day) << day.error().message;
  EXPECT_EQ(day->to - day->from, std::chrono::hours(24));
  ASSERT_EQ(day->where.size(), 2u);
  EXPECT_EQ(day->where[0].value, "a;b=c");
}

}  // namespace event_life_test
}  // namespace adbrook::ads
