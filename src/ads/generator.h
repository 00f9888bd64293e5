// Synthetic ad events with every kind of trouble, and the exact counts an engine must make of them.
// The truth comes by construction: nothing here knows how streams or stores work.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ads/generator_event.h"
#include "ads/generator_watermark.h"
#include "ads/truth.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

// Shares are of all events sent, roughly; `ctr` is of impressions.
struct GeneratorOptions {
  std::uint64_t events = 2'000'000;  // items in all, the troubled ones included
  std::uint64_t seed = 42;
  std::uint32_t campaigns = 10;
  std::uint32_t publishers = 5;
  double ctr = 0.02;
  double duplicates = 0.01;
  double late = 0.005;
  double orphans = 0.005;
  double malformed = 0.001;
  double bots = 0.01;
  double unlinked = 0.002;
  Millis out_of_order = std::chrono::seconds(5);
  Timestamp start{1'767'225'600'000};  // 2026-01-01T00:00:00Z
  Millis span = std::chrono::hours(48);
  std::int32_t partitions = 4;  // of the engine, for knowing what is late for sure
  // The engine's tasks tell each other how far they are once per commit, and one that lags holds
  // time back for all. So an event counts as late for sure only by what was sent this many events
  // before it; shorter runs have no late events.
  std::uint64_t settle_events = 100'000;
};

// One thing to send. The text is valid until the next call.
struct GeneratedItem {
  EventKind kind = EventKind::impression;  // tells the topic
  std::string_view json;                   // one line, without its end
  Timestamp event_time;
  Timestamp send_time;  // never falls; the pace of live traffic
  std::string_view outcome;
  std::string_view reason;
};

// Owned by one thread. Memory is bounded by what waits for its time, some 90 minutes of clicks and
// ten minutes of duplicates, so 20 million events stream through some tens of megabytes; the truth,
// where wanted, grows with its cells.
class Generator {
 public:
  // Invalid options name the option and its range. With `truth`, which must outlive the generator,
  // every item is counted there when it is returned.
  static Result<Generator> make(const GeneratorOptions& options, Truth* truth);

  // False when all events were returned.
  bool next(GeneratedItem& item);

  std::uint64_t returned_count() const { return returned_count_; }

 private:
  // Why an event is sent, which is also what must become of it.
  enum class Fate : std::uint8_t {
    counted,
    joined,
    unlinked,
    duplicate,
    late,
    late_window_closed,
    filtered_bot,
    filtered_impression,
    orphan_unknown,
    orphan_before_impression,
    expired,
    rejected,
  };
  struct Verdict {
    std::string_view outcome;
    std::string_view reason;
  };
  // An impression that clicks will join: where they count, and its unique click so far.
  struct Shown {
    TruthDimensions dimensions{};
    std::uint32_t click_count = 0;  // planned and not yet sent
    bool has_unique = false;
    Timestamp unique_time;
    Uuid unique_id;
  };
  struct Planned {
    SyntheticEvent event;
    Fate fate = Fate::counted;
    std::uint32_t shown = 0;  // index in shown_, of joined clicks
  };
  struct Due {
    std::int64_t at_ms;      // of the send time, or of the watermark
    std::uint64_t sequence;  // first planned, first sent
    std::uint32_t index;     // in planned_
    friend bool operator>(const Due& a, const Due& b) {
      return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.sequence > b.sequence;
    }
  };
  using DueQueue = std::priority_queue<Due, std::vector<Due>, std::greater<>>;

  // Options as integers: shares in millionths of what they are drawn from.
  struct Shares {
    std::uint64_t per_slot_malformed, per_slot_late, per_slot_orphan, per_slot_unlinked;
    std::uint64_t bots, click, duplicate;
    std::uint64_t impression_late, impression_before, impression_expired;
    std::uint64_t slot_count;
  };
  static Shares shares_of(const GeneratorOptions& options);
  Generator(const GeneratorOptions& options, Truth* truth);

  static Verdict verdict(Fate fate);

  void plan_slot();
  void plan_impression(Timestamp time);
  void plan_clicks(const SyntheticEvent& impression, std::int64_t impression_sent_ms);
  std::uint32_t keep_shown(const SyntheticEvent& impression);
  void plan_trouble(const SyntheticEvent& impression);
  bool plan_late(Timestamp time);
  void plan_malformed(Timestamp time);
  void plan_orphan(Timestamp time);
  void plan(const SyntheticEvent& event, Fate fate, std::int64_t send_ms, std::uint32_t shown = 0);
  void plan_when_reached(const SyntheticEvent& event, Fate fate, Timestamp watermark);
  std::int64_t send_ms_of(Timestamp time);
  std::uint32_t keep(const Planned& planned);

  Planned next_due();
  void note_reached();
  bool take_deferred(Planned& planned);
  Planned take(DueQueue& queue);
  void plan_duplicate(const Planned& planned);
  void count(const Planned& planned, const Verdict& verdict);
  void count_impression(const SyntheticEvent& event);
  void count_click(const SyntheticEvent& click, const TruthDimensions& dimensions, Measure measure);
  void count_unique(const SyntheticEvent& click, Shown& shown);
  void move_unique(Timestamp time, Uuid id, const TruthDimensions& dimensions, int sign);
  TruthKey key_of(std::size_t view, Timestamp time, const TruthDimensions& dimensions) const;

  GeneratorOptions options_;
  Shares shares_;
  Truth* truth_;
  GeneratorRandom random_;
  GeneratorWorld world_;
  SentWatermark watermark_;
  // What the watermark had reached when so many events were returned, oldest first.
  std::deque<std::pair<std::uint64_t, Timestamp>> reached_;
  Timestamp settled_ = Timestamp::lowest();  // reached by every task for sure

  std::deque<Planned> planned_;
  std::vector<std::uint32_t> free_planned_;
  std::deque<Shown> shown_;
  std::vector<std::uint32_t> free_shown_;
  DueQueue due_;
  DueQueue deferred_;  // by the watermark they wait for

  std::uint64_t next_slot_ = 0;
  std::int64_t next_slot_ms_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::int64_t now_ms_ = 0;
  std::uint64_t returned_count_ = 0;
  std::string json_;
};

}  // namespace adbrook::ads
