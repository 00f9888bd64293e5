#include "app/live_feed.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "ads/wilson.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using serde::JsonWriter;
using stream::Outcome;

void write_count(JsonWriter& json, std::string_view name, std::uint64_t count) {
  json.key(name);
  json.unsigned_integer(count);
}

void write_share(JsonWriter& json, std::string_view name, std::uint64_t part, std::uint64_t whole) {
  json.key(name);
  if (whole == 0)
    json.null();
  else
    json.number(static_cast<double>(part) / static_cast<double>(whole));
}

void write_rate(JsonWriter& json, const ads::LiveTotals& totals) {
  const std::uint64_t impressions = totals.impressions_as(Outcome::counted);
  const std::uint64_t joined = totals.clicks_as(Outcome::joined);
  write_share(json, "ctr", joined, impressions);
  const auto interval = ads::wilson_95(joined, impressions);
  json.key("ctr_low");
  interval ? json.number(interval->low) : json.null();
  json.key("ctr_high");
  interval ? json.number(interval->high) : json.null();
}

void write_window(JsonWriter& json, const LiveWindow& window) {
  const ads::LiveTotals& totals = window.totals;
  const auto both = [&](Outcome outcome) {
    return totals.impressions_as(outcome) + totals.clicks_as(outcome);
  };
  json.begin_object();
  json.field("ms", std::int64_t{window.size.count()});
  json.field("covered_ms", std::int64_t{window.covered.count()});
  write_count(json, "events", totals.ended_total());
  write_count(json, "impressions", totals.impressions_as(Outcome::counted));
  write_count(json, "joined", totals.clicks_as(Outcome::joined));
  write_count(json, "unlinked", totals.clicks_as(Outcome::unlinked));
  write_rate(json, totals);
  for (const Outcome outcome : {Outcome::duplicate, Outcome::rejected, Outcome::late,
                                Outcome::filtered, Outcome::orphan, Outcome::expired})
    write_count(json, to_string(outcome), both(outcome));
  write_share(json, "duplicate_share", both(Outcome::duplicate), totals.ended_total());
  write_share(json, "rejected_share", both(Outcome::rejected), totals.ended_total());
  json.key("spend_micros");
  json.begin_object();
  for (const ads::LiveTap::Spend& spend : totals.spends) json.field(spend.currency, spend.micros);
  json.end_object();
  json.end_object();
}

void write_text(JsonWriter& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.field(name, std::string_view(text));
}

// Two decimals are a kilometre, finer than a pixel of the map.
double rounded(double degrees) { return std::round(degrees * 100) / 100; }

void write_event(JsonWriter& json, const ads::LiveEvent& event) {
  json.begin_object();
  const auto id = event.id.text();
  json.field("id", std::string_view(id.data(), id.size()));
  json.field("kind", event.kind == ads::EventKind::click ? "click" : "impression");
  json.field("outcome", to_string(event.outcome));
  write_text(json, "reason", event.reason);
  json.field("time", event.timestamp.ms);
  json.field("campaign", event.campaign_id);
  json.field("publisher", event.publisher_id);
  write_text(json, "country", event.country);
  write_text(json, "city", event.city);
  if (event.latitude && event.longitude) {
    json.field("lat", rounded(*event.latitude));
    json.field("lon", rounded(*event.longitude));
  }
  json.end_object();
}

std::string slot_text(const LiveSlot& slot) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  json.integer(slot.begin.ms);
  json.number(std::round(slot.impressions * 100) / 100);
  json.number(std::round(slot.clicks * 100) / 100);
  json.end_array();
  return out;
}

// Tells the streams of one process from those of another.
std::string epoch_of(io::Clock& clock) { return "e" + std::to_string(clock.now().ms); }

}  // namespace

std::shared_ptr<LiveFeed> LiveFeed::start(LiveSources sources) {
  std::shared_ptr<LiveFeed> feed(new LiveFeed(sources));
  feed->schedule(Millis(0));
  return feed;
}

LiveFeed::LiveFeed(LiveSources sources) : sources_(sources), feed_(epoch_of(sources.clock)) {}

http::Response LiveFeed::open(const http::Request& request) {
  const std::lock_guard lock(mutex_);
  const bool first = feed_.reader_count() == 0;
  http::Response response = feed_.open(request, greeting());
  // The first reader does not wait for the slow pace to come round.
  if (first && !in_round_) schedule(Millis(0));
  return response;
}

// Under the lock, or before anybody else knows this.
void LiveFeed::schedule(Millis delay) {
  const std::uint64_t number = ++schedule_number_;
  const auto step = [weak = weak_from_this(), number] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard lock(self->mutex_);
      if (self->schedule_number_ != number) return;
      self->in_round_ = true;
    }
    self->begin_round();
  };
  if (delay == Millis(0))
    sources_.executor.post(step);
  else
    sources_.executor.post_after(delay, step);
}

void LiveFeed::begin_round() {
  round_ = Round{.watched = feed_.reader_count() > 0};
  ask(0);
}

// The question may be dropped unasked, when its task stops or has not been restored: then too the
// round goes on, since the guard ends with the question.
void LiveFeed::ask(std::int32_t task) {
  if (task == sources_.tasks.task_count()) return finish_round();
  const std::shared_ptr<void> guard(nullptr, [weak = weak_from_this(), task](void*) {
    const auto self = weak.lock();
    if (!self) return;
    self->sources_.executor.post([weak, task] {
      if (const auto again = weak.lock()) again->ask(task + 1);
    });
  });
  sources_.tasks.ask(task, [weak = weak_from_this(), guard](const stream::TaskView& view) {
    if (const auto self = weak.lock()) self->hear(view);
  });
}

void LiveFeed::hear(const stream::TaskView& task) {
  ads::LiveTap& tap = sources_.taps[static_cast<std::size_t>(task.partition())];
  round_.totals.add(task, tap);
  ads::LiveTap::Sample sample = tap.take(round_.watched);
  std::ranges::move(sample.events, std::back_inserter(round_.events));
  for (std::size_t i = 0; i < round_.seen.size(); ++i) round_.seen[i] += sample.seen[i];
  const ads::Freshness own{task.committed_at(), task.watermark()};
  if (!round_.freshness) round_.freshness = own;
  // The newest commit of any task: one without traffic has none and is not behind.
  round_.freshness->as_of = std::max(round_.freshness->as_of, own.as_of);
  round_.freshness->final_until = std::min(round_.freshness->final_until, own.final_until);
  ++round_.answers;
}

void LiveFeed::finish_round() {
  const Timestamp now = sources_.clock.now();
  const std::lock_guard lock(mutex_);
  const bool whole = round_.answers == sources_.tasks.task_count();
  if (whole) {
    has_numbers_ = true;
    for (const LiveSlot& slot : windows_.look(now, round_.totals))
      if (round_.watched) feed_.publish("slot", slot_text(slot));
  }
  if (round_.watched && has_news(now)) {
    feed_.publish("frame", frame(now));
    framed_at_ = now;
  }
  in_round_ = false;
  schedule(feed_.reader_count() > 0 ? kFrameInterval : kUnwatchedInterval);
}

// Under the lock. A page at rest is not made to draw the same again ten times a second.
bool LiveFeed::has_news(Timestamp now) const {
  const bool seen = std::ranges::any_of(round_.seen, [](std::uint64_t count) { return count > 0; });
  return seen || now >= framed_at_ + kQuietFrameInterval || now < framed_at_;
}

std::string LiveFeed::frame(Timestamp now) const {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("at", now.ms);
  const ads::Freshness fresh =
      round_.freshness.value_or(ads::Freshness{Timestamp::lowest(), Timestamp::lowest()});
  ads::write_time(json, "as_of", fresh.as_of);
  ads::write_time(json, "final_until", fresh.final_until);
  json.field("behind", sources_.clicks.behind());
  const std::string trouble = sources_.tasks.trouble();
  const bool restoring = round_.answers < sources_.tasks.task_count();
  json.field("state", !trouble.empty() ? "stopped" : restoring ? "restoring" : "running");
  if (!trouble.empty()) json.field("trouble", std::string_view(trouble));
  if (has_numbers_) {
    json.key("windows");
    json.begin_array();
    for (const Millis size : kLiveWindows) write_window(json, windows_.window(size));
    json.end_array();
  }
  json.key("seen");
  json.begin_array();
  for (const std::uint64_t count : round_.seen) json.unsigned_integer(count);
  json.end_array();
  json.key("events");
  json.begin_array();
  for (const ads::LiveEvent& event : round_.events) write_event(json, event);
  json.end_array();
  json.end_object();
  return out;
}

// Under the lock.
std::string LiveFeed::greeting() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("version", ADBROOK_VERSION);
  json.field("frame_ms", std::int64_t{kFrameInterval.count()});
  json.field("slot_ms", std::int64_t{kLiveSlotSize.count()});
  json.key("slots");
  json.begin_array();
  for (const LiveSlot& slot : windows_.slots()) json.raw(slot_text(slot));
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace adbrook::app
