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

Result<void> send_generated(ads::Generator& generator, Delivery& delivery, bool live) {
  ads::GeneratedItem item;
  while (generator.next(item)) {
    if (live)
      if (auto paused = delivery.pause_until(item.send_time); !paused) return paused;
    const Lane lane = item.kind == ads::EventKind::impression ? Lane::impressions : Lane::clicks;
    if (auto added = delivery.add({lane, item.event_time, item.json}); !added) return added;
  }
  return {};
}

}  // namespace adbrook::app
