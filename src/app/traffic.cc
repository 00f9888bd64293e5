#include "app/traffic.h"

#include <algorithm>

namespace adbrook::app {
namespace {

constexpr std::int64_t kEventsDefault = 100'000;
// Live traffic without an end is generated as if it had this one.
constexpr Millis kEndless = std::chrono::hours(24 * 365);

Result<void> read_duration(const std::string& text, const char* flag, Millis& into) {
  const auto value = parse_duration(text);
  if (!value) return pass(value.error(), flag);
  if (*value <= Millis(0))
    return fail(ErrorKind::invalid, std::string(flag) + " " + text + ": it must be above 0");
  into = *value;
  return {};
}

}  // namespace

Result<ads::GeneratorOptions> generator_options(const GenerateArguments& a, io::Clock& clock) {
  ads::GeneratorOptions o;
  o.seed = a.seed;
  o.campaigns = static_cast<std::uint32_t>(a.campaigns);
  o.publishers = static_cast<std::uint32_t>(a.publishers);
  o.ctr = a.ctr;
  o.duplicates = a.duplicates;
  o.late = a.late;
  o.orphans = a.orphans;
  o.malformed = a.malformed;
  o.bots = a.bots;
  const auto disorder = parse_duration(a.out_of_order);
  if (!disorder) return pass(disorder.error(), "--out-of-order");
  o.out_of_order = *disorder;
  // The sender itself waits until the engine has caught up before it sends what must be late.
  o.settle_events = 0;
  if (auto span = read_duration(a.span, "--span", o.span); !span) return pass(span.error());
  if (!a.start.empty()) {
    const auto start = parse_time(a.start);
    if (!start) return pass(start.error(), "--start");
    o.start = *start;
  }
  if (a.events < 0 || a.rate < 0)
    return fail(ErrorKind::invalid, "--events and --rate must be above 0");
  o.events = static_cast<std::uint64_t>(a.events > 0 ? a.events : kEventsDefault);
  if (!is_live(a)) return o;
  o.start = clock.now();
  o.span = kEndless;
  if (!a.duration.empty())
    if (auto span = read_duration(a.duration, "--duration", o.span); !span)
      return pass(span.error());
  const double seconds = static_cast<double>(o.span.count()) / 1000;
  o.events = static_cast<std::uint64_t>(std::max(1.0, a.rate * seconds));
  return o;
}

namespace {

// Late events that wait for their moment. One is late because of what was sent before it, and so
// only when the engine has processed that: they go together, right after it has caught up.
class HeldBack {
 public:
  explicit HeldBack(Delivery& delivery) : delivery_(delivery) {}

  Result<void> hold(const ads::GeneratedItem& item, Lane lane) {
    if (events_.empty()) since_ = item.send_time;
    events_.push_back({lane, item.event_time, std::string(item.json)});
    return {};
  }
  bool due(Timestamp now) const {
    return !events_.empty() && (now - since_ > kHoldTime || events_.size() >= kHoldCountMax);
  }
  Result<void> release() {
    if (events_.empty()) return {};
    if (auto settled = delivery_.settle(); !settled) return settled;
    for (const Event& event : events_)
      if (auto added = delivery_.add({event.lane, event.time, event.json}); !added) return added;
    events_.clear();
    return delivery_.flush();
  }

 private:
  // Event time; far below the horizon, within which an impression must still be known.
  static constexpr Millis kHoldTime = std::chrono::hours(4);
  static constexpr std::size_t kHoldCountMax = 10'000;
  struct Event {
    Lane lane;
    Timestamp time;
    std::string json;
  };
  Delivery& delivery_;
  std::vector<Event> events_;
  Timestamp since_;
};

}  // namespace

Result<void> send_generated(ads::Generator& generator, Delivery& delivery, bool live) {
  HeldBack held(delivery);
  ads::GeneratedItem item;
  while (generator.next(item)) {
    const Lane lane = item.kind == ads::EventKind::impression ? Lane::impressions : Lane::clicks;
    if (live)
      if (auto paused = delivery.pause_until(item.send_time); !paused) return paused;
    if (held.due(item.send_time))
      if (auto released = held.release(); !released) return released;
    const bool holds = !live && delivery.sends() && item.outcome == "late";
    auto done = holds ? held.hold(item, lane) : delivery.add({lane, item.event_time, item.json});
    if (!done) return done;
  }
  return held.release();
}

}  // namespace adbrook::app
