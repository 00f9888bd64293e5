// Sums, windows, sessions and a processor over random streams that are out of order, with crashes
// at random moments: what the topics hold in the end is, record for record, what plain maps give
// that take the steps of the changelog.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "stream/changelog.h"
#include "stream/process/processor.h"
#include "stream/test_driver.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream {
namespace aggregate_property_test {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr Timestamp kStart{1'500'000'000'000};
constexpr TumblingWindow kTumbling{.size = 10s, .grace = 2s};
constexpr HoppingWindow kHopping{.size = 10s, .advance = 4s, .grace = 1s};
constexpr SessionWindow kSession{.gap = 3s, .grace = 2s};
constexpr Millis kEvery{5000};

struct Event {
  std::string key;
  std::int64_t value;
  Timestamp time;
};

// Writes every key's count whenever time reaches another multiple of kEvery.
class CountKeys {
 public:
  using OutKey = std::string;
  using OutValue = std::string;

  explicit CountKeys(ProcessorContext<std::string, std::string>& context)
      : context_(context), counts_(context.table<std::string, std::int64_t>("key-counts")) {
    context.every(kEvery, TimerClock::event_time, [this](Timestamp now) {
      counts_.for_each([&](const std::string& key, const TableRow<std::int64_t>& row) {
        context_.forward(key, std::to_string(row.value), now);
      });
    });
  }
  void process(const std::string& key, std::int64_t, Timestamp time) {
    const auto row = counts_.find(key);
    counts_.put(key, row ? row->value + 1 : 1, time);
  }

 private:
  ProcessorContext<std::string, std::string>& context_;
  TableStore<std::string, std::int64_t> counts_;
};

template <class S>
void write(const S& stream, const std::string& topic) {
  stream
      .map_values("text",
                  [](const auto& value) -> std::optional<std::string> {
                    if (is_null(value)) return std::nullopt;
                    return std::to_string(value_of(value));
                  })
      .to(topic);
}

void define(Topology& topology) {
  const auto in = topology.stream<std::string, std::int64_t>("in");
  const auto by_key = in.group_by_key();
  write(by_key.sum("sum").to_stream(), "sums");
  const auto tumbling = by_key.windowed_by(kTumbling).sum("tumbling");
  write(tumbling.final(), "tumbling");
  tumbling.late()
      .map_values("late",
                  [](const LateRow<std::int64_t>& late) {
                    return std::to_string(late.value) + " by " + std::to_string(late.by.count());
                  })
      .to("late");
  write(by_key.windowed_by(kHopping).count("hopping").final(), "hopping");
  const auto sessions = by_key.windowed_by(kSession).sum("sessions");
  write(sessions.final(), "sessions");
  write(sessions.to_stream(), "session-updates");
  in.process<CountKeys>("count-keys").to("counts");
}
constexpr const char* kTopics[] = {"sums",     "tumbling",        "late",  "hopping",
                                   "sessions", "session-updates", "counts"};

std::string line(const std::string& key, const std::string& value, Timestamp time) {
  return key + " " + value + " @" + std::to_string((time - kStart).count());
}
std::string windowed(const std::string& key, Timestamp start, Timestamp end) {
  return key + "[" + std::to_string((start - kStart).count()) + "," +
         std::to_string((end - kStart).count()) + "]";
}

// One partition's answers by nothing but maps.
class Model {
 public:
  std::map<std::string, Texts> answers;

  void take(const Event& event) {
    auto& [sum, latest] = sums_.try_emplace(event.key, 0, event.time).first->second;
    sum += event.value;
    latest = std::max(latest, event.time);
    tell("sums", event.key, sum, latest);
    ++counts_[event.key];
    if (!add_to_windows(tumbling_, hopping(kTumbling), event, event.value)) {
      const Timestamp end = bucket_start(event.time, kTumbling.size) + kTumbling.size;
      answers["late"].push_back(
          line(event.key,
               std::to_string(event.value) + " by " +
                   std::to_string((watermark_ - end - kTumbling.grace).count()),
               event.time));
    }
    add_to_windows(hopping_, kHopping, event, 1);
    add_to_sessions(event);
  }

  void reach(Timestamp watermark) {
    if (watermark == watermark_) return;
    watermark_ = watermark;
    close(tumbling_, hopping(kTumbling), "tumbling");
    close(hopping_, kHopping, "hopping");
    close_sessions();
    if (timer_ && watermark < *timer_) return;
    timer_ = bucket_start(watermark, kEvery) + kEvery;
    for (const auto& [key, count] : counts_) tell("counts", key, count, watermark);
  }
  Timestamp watermark() const { return watermark_; }

 private:
  struct Folded {
    std::int64_t sum = 0;
    Timestamp latest = Timestamp::lowest();
  };
  using Windows = std::map<std::pair<Timestamp, std::string>, Folded>;
  struct Session {
    Timestamp first, last;
    std::int64_t sum;
  };

  void tell(const std::string& topic, const std::string& key, std::int64_t value, Timestamp time) {
    answers[topic].push_back(line(key, std::to_string(value), time));
  }

  bool add_to_windows(Windows& windows, const HoppingWindow& shape, const Event& event,
                      std::int64_t value) {
    bool taken = false;
    for (Timestamp start = bucket_start(event.time, shape.advance); start + shape.size > event.time;
         start = start - shape.advance) {
      if (start + shape.size + shape.grace <= watermark_) continue;
      Folded& folded = windows[{start, event.key}];
      folded.sum += value;
      folded.latest = std::max(folded.latest, event.time);
      taken = true;
    }
    return taken;
  }
  void close(Windows& windows, const HoppingWindow& shape, const std::string& topic) {
    while (!windows.empty()) {
      const auto& [window, folded] = *windows.begin();
      if (window.first + shape.size + shape.grace > watermark_) return;
      tell(topic, windowed(window.second, window.first, window.first + shape.size), folded.sum,
           folded.latest);
      windows.erase(windows.begin());
    }
  }

  void add_to_sessions(const Event& event) {
    std::vector<Session>& sessions = sessions_[event.key];
    const auto touches = [&](const Session& session) {
      return session.first - kSession.gap <= event.time &&
             event.time <= session.last + kSession.gap;
    };
    Session grown{event.time, event.time, event.value};
    for (const Session& session : sessions)
      if (touches(session))
        grown = {std::min(grown.first, session.first), std::max(grown.last, session.last),
                 grown.sum + session.sum};
    if (grown.last + kSession.gap + kSession.grace < watermark_) return;
    const bool alone = grown.first == event.time && grown.last == event.time;
    for (const Session& session : sessions)
      if (touches(session) && !alone)
        answers["session-updates"].push_back(
            line(windowed(event.key, session.first, session.last), "~", session.last));
    std::erase_if(sessions, touches);
    sessions.push_back(grown);
    std::ranges::sort(sessions, {}, &Session::last);
    tell("session-updates", windowed(event.key, grown.first, grown.last), grown.sum, grown.last);
  }
  void close_sessions() {
    std::vector<std::pair<std::pair<Timestamp, std::string>, Session>> closed;
    for (auto& [key, sessions] : sessions_)
      std::erase_if(sessions, [&, &name = key](const Session& session) {
        if (session.last + kSession.gap + kSession.grace >= watermark_) return false;
        closed.push_back({{session.last, name}, session});
        return true;
      });
    std::ranges::sort(closed, {}, [](const auto& each) { return each.first; });
    for (const auto& [place, session] : closed)
      tell("sessions", windowed(place.second, session.first, session.last), session.sum,
           session.last);
  }

  Timestamp watermark_ = Timestamp::lowest();
  std::map<std::string, std::pair<std::int64_t, Timestamp>> sums_;
  std::map<std::string, std::int64_t> counts_;
  Windows tumbling_, hopping_;
  std::map<std::string, std::vector<Session>> sessions_;
  std::optional<Timestamp> timer_;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), options_(draw_options(seed)) {
    driver_ = std::make_unique<TestDriver>(define, options_);
    now_ = driver_->now();
  }

  void live(int action_count) {
    for (int i = 0; i < action_count; ++i) {
      act();
      if (!driver_->runner().trouble().empty()) {
        ASSERT_TRUE(driver_->files().dead()) << driver_->runner().trouble();
        die();
      }
    }
    if (driver_->files().dead()) die();
    driver_->advance(30s);
    ASSERT_EQ(driver_->runner().trouble(), "");
  }

  void compare() {
    for (std::int32_t p = 0; p < options_.partition_count; ++p) {
      Model model;
      follow(model, p);
      if (testing::Test::HasFatalFailure()) return;
      for (const char* topic : kTopics) {
        const Texts found = lines(topic, p);
        EXPECT_TRUE(found == model.answers[topic])
            << topic << " " << p << ": " << found.size() << " records, "
            << model.answers[topic].size() << " expected" << first_difference(found, model, topic);
      }
    }
  }
  std::uint64_t crash_count() const { return crash_count_; }

 private:
  static TestDriverOptions draw_options(std::uint64_t seed) {
    io::SeededRandom random(seed * 7919);
    TestDriverOptions options{.partition_count = 1 + static_cast<std::int32_t>(random.below(3)),
                              .seed = seed,
                              .start = kStart};
    options.stream.checkpoint_events = 1 + static_cast<std::int64_t>(random.below(150));
    options.stream.disorder = Millis(static_cast<std::int64_t>(random.below(4'000)));
    options.stream.commit_size = Bytes{random.below(2) == 0 ? 2'000 : 4'000'000};
    options.stream.skew_cap = 24h * 365;
    return options;
  }

  void act() {
    const std::uint64_t what = random_.below(100);
    if (what < 45) {
      pipe();
    } else if (what < 85) {
      for (std::uint64_t n = random_.below(30); n > 0; --n) driver_->executor().run_one();
    } else if (what < 94) {
      driver_->executor().advance(Millis(static_cast<std::int64_t>(
          random_.below(20) == 0 ? random_.below(20'000) : random_.below(300))));
    } else if (what < 96) {
      driver_->files().crash_at_step(driver_->files().steps() + random_.below(12));
    } else if (what < 97) {
      driver_->bus().fail_next_commits({ErrorKind::overloaded, ErrorKind::disk_full});
    } else {
      die();
    }
  }
  void die() {
    do {
      driver_->crash();
      driver_->restart();
      ++crash_count_;
      for (std::uint64_t n = random_.below(40); n > 0; --n) driver_->executor().run_one();
    } while (random_.below(3) == 0);
  }

  void pipe() {
    now_ = now_ + Millis(static_cast<std::int64_t>(random_.below(3'000)));
    for (std::uint64_t n = 1 + random_.below(20); n > 0; --n) {
      Timestamp time = now_ - Millis(static_cast<std::int64_t>(random_.below(5'000)));
      if (random_.below(20) == 0)
        time = time - Millis(static_cast<std::int64_t>(random_.below(40'000)));
      Buffer value;
      Serde<std::int64_t>::encode(static_cast<std::int64_t>(random_.below(100)), value);
      driver_->pipe("in",
                    {"k" + std::to_string(random_.below(12)), std::string(as_text(value)), time});
    }
  }

  // Takes the steps of a task's changelog; the watermark is the greatest time less the disorder.
  void follow(Model& model, std::int32_t partition) {
    const auto input = driver_->records("in", partition);
    std::optional<Timestamp> greatest, advanced;
    for (const auto& logged : driver_->records("test-changelog", partition)) {
      const CommitRecord record = decode_commit_record(as_bytes(logged.value)).value();
      for (const Step& step : record.steps) {
        if (step.kind == Step::Kind::advance) {
          advanced = std::max(advanced.value_or(step.watermark), step.watermark);
        } else {
          for (std::int64_t at = step.first.value; at < step.end.value; ++at) {
            const MemoryRecord& from = input[static_cast<std::size_t>(at)];
            Event event{*from.key, 0, from.time};
            ASSERT_TRUE(Serde<std::int64_t>::decode(as_bytes(from.value), event.value));
            model.take(event);
            greatest = std::max(greatest.value_or(event.time), event.time);
          }
        }
        Timestamp watermark = model.watermark();
        if (greatest) watermark = std::max(watermark, *greatest - options_.stream.disorder);
        if (advanced) watermark = std::max(watermark, *advanced);
        model.reach(watermark);
      }
      ASSERT_EQ(model.watermark(), record.watermark);
    }
  }

  Texts lines(const std::string& topic, std::int32_t partition) {
    const bool has_windows = topic == "tumbling" || topic == "hopping" || topic == "sessions" ||
                             topic == "session-updates";
    Texts all;
    for (const MemoryRecord& record : driver_->records(topic, partition)) {
      std::string key = record.key.value_or("~");
      if (has_windows) {
        Windowed<std::string> with_window;
        EXPECT_TRUE(Serde<Windowed<std::string>>::decode(as_bytes(key), with_window));
        key = windowed(with_window.key, with_window.window.start, with_window.window.end);
      }
      all.push_back(line(key, record.tombstone ? "~" : record.value, record.time));
    }
    return all;
  }
  static std::string first_difference(const Texts& found, Model& model, const char* topic) {
    const Texts& wanted = model.answers[topic];
    for (std::size_t i = 0; i < std::max(found.size(), wanted.size()); ++i) {
      const std::string ours = i < found.size() ? found[i] : "nothing";
      const std::string theirs = i < wanted.size() ? wanted[i] : "nothing";
      if (ours != theirs) return "; at " + std::to_string(i) + ": " + ours + ", not " + theirs;
    }
    return "";
  }

  io::SeededRandom random_;
  TestDriverOptions options_;
  std::unique_ptr<TestDriver> driver_;
  Timestamp now_;
  std::uint64_t crash_count_ = 0;
};

TEST(Aggregates, equal_plain_maps_record_for_record_through_any_crash) {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t first = given ? std::stoull(given) : 1;
  const std::uint64_t count = given ? 1 : 40;
  std::uint64_t crash_count = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("ADBROOK_SEED=" + std::to_string(seed));
    World world(seed);
    world.live(250);
    if (HasFatalFailure()) return;
    world.compare();
    if (HasFailure()) return;
    crash_count += world.crash_count();
  }
  if (!given) {
    EXPECT_GT(crash_count, 150u);
  }
}

}  // namespace aggregate_property_test
}  // namespace adbrook::stream
