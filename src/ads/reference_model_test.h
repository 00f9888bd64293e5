// The click join said again as plainly as possible: maps, loops, no stores, no batches, no clock.
// Test code only. It is fed the steps that a task took and must come to the same outcomes,
// summaries and cells; the rules are those of docs/click-join.md, in their order.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ads/views.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/time.h"

namespace adbrook::ads::reference {

struct Rules {
  Millis horizon{24 * 3'600'000};
  Millis within{30 * 60'000};
  Millis grace{60'000};
  Millis skew{2'000};
  Millis disorder{10'000};
  Millis skew_cap{5 * 60'000};
};

enum class Kind { impression, click };

struct Origin {
  Kind kind;
  std::int32_t partition;
  std::int64_t offset;
  auto operator<=>(const Origin&) const = default;
};

// One record as the task read it. `id` is absent when the value cannot be decoded.
struct Event {
  Origin origin;
  std::optional<Uuid> id;
  Timestamp time;
  Timestamp append_time;
  std::optional<Uuid> impression_id;
  std::array<std::string, kDimensionNames.size()> dimensions;  // by Dimension, currency included
  std::int64_t price_micros = 0;
};

// The inputs of a task. The last three are internal topics.
enum Input { impressions, clicks, placed_impressions, placed_clicks, linked_clicks, kInputCount };

struct Summary {
  Uuid impression;
  std::vector<std::pair<Timestamp, Uuid>> clicks;  // sorted
  auto operator<=>(const Summary&) const = default;
};

using CellKey = std::tuple<std::size_t, Timestamp, std::vector<std::string>>;  // view, bucket, key
using CellValue = std::array<std::uint64_t, kMeasureCount>;

struct Counted {
  std::map<Origin, std::string>
      outcomes;  // "late", "orphan(unknown)", ...; counted impressions too
  std::vector<Summary> summaries;
  std::map<CellKey, CellValue> cells;
};

// One task. Shares nothing but `counted` with the others.
class Task {
 public:
  Task(Rules rules, std::int32_t partition, std::int32_t partition_count, Counted& counted)
      : rules_(rules),
        partition_(partition),
        partition_count_(partition_count),
        counted_(counted) {}

  void records(Input input, const std::vector<Event>& events) {
    for (const Event& event : events) record(input, event);
    move_watermark();
  }

  void advance(Input input, Timestamp watermark) {
    auto& advanced_to = inputs_[input].advanced_to;
    advanced_to = std::max(advanced_to, watermark);
    move_watermark();
  }

  std::size_t pending_count() const { return pending_.size(); }
  Timestamp watermark() const { return watermark_; }

 private:
  struct InputTime {
    std::optional<Timestamp> confirmed;
    std::optional<std::pair<Uuid, Timestamp>> candidate;
    Timestamp advanced_to = Timestamp::lowest();
  };
  struct Seen {
    Timestamp time;
    bool excluded;
  };
  struct Open {
    Event event;
    std::set<std::pair<Timestamp, Uuid>> clicks;
    bool written = false;
  };

  void end(const Event& event, std::string outcome) {
    counted_.outcomes[event.origin] = std::move(outcome);
  }

  void record(Input input, const Event& event) {
    if (!event.id) return end(event, "rejected");
    if (event.time.ms < 946'684'800'000 || event.time > event.append_time + rules_.skew_cap)
      return end(event, "rejected");
    const bool first_door = input == impressions || input == clicks;
    // Internal topics bring no time of their own: their watermark is what the writers promise.
    if (first_door) observe(inputs_[input], *event.id, event.time);
    if (input == linked_clicks) return judge(event);
    if (first_door && partition_of(*event.id) != partition_) return;  // goes on elsewhere
    auto& seen = event.origin.kind == Kind::impression ? seen_impressions_ : seen_clicks_;
    if (event.time < watermark_ - rules_.horizon) return end(event, "late");
    if (find(seen, *event.id)) return end(event, "duplicate");
    const bool excluded = event.dimensions[static_cast<std::size_t>(Dimension::browser)] == "bot";
    seen[*event.id].push_back({event.time, excluded});
    if (event.origin.kind == Kind::impression) return accept(event, excluded);
    if (excluded) return end(event, "filtered(bot)");
    if (event.impression_id) return;  // goes on through linked_clicks
    end(event, "unlinked");
    count(event.time, event, {{Measure::unlinked_clicks, 1}}, Measure::click_id_sum,
          Measure::click_id_xor, *event.id, 1);
  }

  void accept(const Event& event, bool excluded) {
    if (excluded) {
      end(event, "filtered(bot)");
    } else {
      end(event, "counted");
      open_[*event.id] = {event, {}, false};
      count(event.time, event,
            {{Measure::impressions, 1},
             {Measure::spend_micros, static_cast<std::uint64_t>(event.price_micros)}},
            Measure::impression_id_sum, Measure::impression_id_xor, *event.id, 1);
    }
    std::vector<Event> waiting;
    std::erase_if(pending_, [&](const Event& click) {
      if (click.impression_id != event.id) return false;
      waiting.push_back(click);
      return true;
    });
    for (const Event& click : waiting) judge(click);
  }

  // The table of the click join, from the row "its impression was filtered" on.
  void judge(const Event& click) {
    const Seen* known = find(seen_impressions_, *click.impression_id);
    if (known == nullptr) {
      if (watermark_ > click.time + rules_.grace) return end(click, "orphan(unknown)");
      pending_.push_back(click);
      return;
    }
    if (known->excluded) return end(click, "filtered(impression)");
    const Millis delay = click.time - known->time;
    if (delay < -rules_.skew) return end(click, "orphan(before_impression)");
    if (delay > rules_.within) return end(click, "expired");
    Open& open = open_.at(*click.impression_id);
    if (open.written) return end(click, "late(window_closed)");
    join(click, open);
  }

  void join(const Event& click, Open& open) {
    end(click, "joined");
    count(click.time, open.event, {{Measure::joined_clicks, 1}}, Measure::click_id_sum,
          Measure::click_id_xor, *click.id, 1);
    const auto before = open.clicks.empty() ? std::nullopt : std::optional(*open.clicks.begin());
    open.clicks.insert({click.time, *click.id});
    const auto after = *open.clicks.begin();
    if (before == after) return;
    if (before)
      count(before->first, open.event, {{Measure::unique_clicks, ~0ull}},
            Measure::unique_click_id_sum, Measure::unique_click_id_xor, before->second, ~0ull);
    count(after.first, open.event, {{Measure::unique_clicks, 1}}, Measure::unique_click_id_sum,
          Measure::unique_click_id_xor, after.second, 1);
  }

  void observe(InputTime& input, Uuid id, Timestamp time) {
    if (!input.confirmed) {
      input.confirmed = time;
      return;
    }
    if (time <= *input.confirmed + rules_.skew_cap) {
      input.confirmed = std::max(*input.confirmed, time);
      return;
    }
    if (!input.candidate || input.candidate->first == id) {
      input.candidate = {id, time};
      return;
    }
    input.confirmed = std::min(input.candidate->second, time);
    input.candidate.reset();
  }

  void move_watermark() {
    std::optional<Timestamp> lowest;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const InputTime& input = inputs_[i];
      Timestamp own = input.advanced_to;
      if (input.confirmed) own = std::max(own, *input.confirmed - rules_.disorder);
      // An internal topic without a promise holds time back, a silent source does not.
      if (own == Timestamp::lowest() && i < placed_impressions) continue;
      lowest = lowest ? std::min(*lowest, own) : own;
    }
    if (lowest) watermark_ = std::max(watermark_, *lowest);
    for (auto& [id, open] : open_) {
      if (open.written || watermark_ <= open.event.time + rules_.within + rules_.grace) continue;
      open.written = true;
      counted_.summaries.push_back({id, {open.clicks.begin(), open.clicks.end()}});
    }
    std::erase_if(pending_, [&](const Event& click) {
      if (watermark_ <= click.time + rules_.grace) return false;
      end(click, "orphan(unknown)");
      return true;
    });
  }

  const Seen* find(const std::map<Uuid, std::vector<Seen>>& seen, Uuid id) const {
    const auto at = seen.find(id);
    if (at == seen.end()) return nullptr;
    for (const Seen& entry : at->second)
      if (watermark_ <= entry.time + rules_.horizon) return &entry;
    return nullptr;
  }

  void count(Timestamp time, const Event& dimensions_of,
             std::vector<std::pair<Measure, std::uint64_t>> adds, Measure sum, Measure exclusive_or,
             Uuid id, std::uint64_t sign) {
    for (std::size_t view = 0; view < kViews.size(); ++view) {
      std::vector<std::string> key;
      for (const Dimension d : kViews[view].key())
        key.push_back(dimensions_of.dimensions[static_cast<std::size_t>(d)]);
      CellValue& cell = counted_.cells[{view, bucket_start(time, kViews[view].bucket), key}];
      for (const auto& [measure, amount] : adds) cell[static_cast<std::size_t>(measure)] += amount;
      cell[static_cast<std::size_t>(sum)] += sign * xxh3(id);
      cell[static_cast<std::size_t>(exclusive_or)] ^= xxh3(id);
    }
  }

  std::int32_t partition_of(Uuid id) const {
    return kafka_partition(as_bytes(id.to_string()), partition_count_);
  }

  Rules rules_;
  std::int32_t partition_;
  std::int32_t partition_count_;
  Counted& counted_;
  std::array<InputTime, kInputCount> inputs_;
  Timestamp watermark_ = Timestamp::lowest();
  std::map<Uuid, std::vector<Seen>> seen_impressions_;
  std::map<Uuid, std::vector<Seen>> seen_clicks_;
  std::map<Uuid, Open> open_;
  std::vector<Event> pending_;
};

}  // namespace adbrook::ads::reference
