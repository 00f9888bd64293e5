#include "ads/generator.h"

#include <algorithm>
#include <utility>

#include "ads/event.h"
#include "ads/generator_malformed.h"
#include "base/assert.h"
#include "base/hash.h"

namespace adbrook::ads {
namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHourMs = 60 * kMinute;

// The engine's rules at their defaults, and how far every case keeps away from them.
constexpr std::int64_t kWithin = 30 * kMinute;
constexpr std::int64_t kGrace = kMinute;
constexpr std::int64_t kSkew = 2 * kSecond;
constexpr std::int64_t kHorizon = 24 * kHourMs;
constexpr std::int64_t kMargin = 5 * kMinute;
// Inside of one step an engine may be this much behind the watermark that is due.
constexpr std::int64_t kCoarse = 3 * kMinute;

constexpr std::uint64_t kSecondClick = 80'000;      // of clicked impressions
constexpr std::uint64_t kBotClick = 100'000;        // of bot impressions
constexpr std::uint64_t kDisordered = 250'000;      // of events
constexpr std::uint64_t kLateImpression = 700'000;  // of late events
constexpr std::size_t kPlannedCountMax = 20'000'000;

std::uint64_t millionths(double share) {
  return static_cast<std::uint64_t>(share * static_cast<double>(kWholeShare) + 0.5);
}

std::uint64_t of(std::uint64_t share, std::uint64_t whole) { return share * whole / kWholeShare; }

Result<void> check(const GeneratorOptions& options) {
  struct Share {
    std::string_view name;
    double value;
  };
  const Share shares[] = {
      {"ctr", options.ctr},          {"duplicates", options.duplicates}, {"late", options.late},
      {"orphans", options.orphans},  {"malformed", options.malformed},   {"bots", options.bots},
      {"unlinked", options.unlinked}};
  const auto no = [](std::string_view name, const std::string& rule) {
    return fail(ErrorKind::invalid,
                "generate: option '" + std::string(name) + "' is out of range: it must be " + rule);
  };
  for (const Share& share : shares)
    if (!(share.value >= 0 && share.value <= 0.2)) return no(share.name, "a share from 0 to 0.2");
  const auto is_in = [](auto value, auto first, auto last) {
    return value >= first && value <= last;
  };
  if (!is_in(options.campaigns, 1u, 100'000u)) return no("campaigns", "from 1 to 100000");
  if (!is_in(options.publishers, 1u, 10'000u)) return no("publishers", "from 1 to 10000");
  if (!is_in(options.out_of_order.count(), 0, 5 * kSecond)) return no("out-of-order", "0 to 5s");
  if (!is_in(options.span.count(), kSecond, 366 * 24 * kHourMs))
    return no("span", "from 1 second to 366 days");
  if (!is_in(options.start.ms, 950'000'000'000, 32'000'000'000'000))
    return no("start", "a time from 2000-02-08 to the year 2984");
  if (!is_in(options.partitions, 1, 256)) return no("partitions", "from 1 to 256");
  return {};
}

}  // namespace

Generator::Shares Generator::shares_of(const GeneratorOptions& options) {
  const std::uint64_t late = millionths(options.late), orphans = millionths(options.orphans);
  const std::uint64_t duplicates = millionths(options.duplicates);
  const std::uint64_t deferred = late / 2 + 2 * orphans / 3 + duplicates;
  Shares out{};
  out.bots = millionths(options.bots);
  out.click = millionths(options.ctr);
  // A slot of time gives one new event and `items` millionths of items in all, since clicks,
  // duplicates and late ones follow from it. Shares of all items become shares of slots by it.
  std::uint64_t items = kWholeShare, impressions = 0, clicks = 0;
  for (int round = 0; round < 12; ++round) {
    out.per_slot_malformed = of(millionths(options.malformed), items);
    out.per_slot_late = of(late - late / 2, items);
    out.per_slot_orphan = of(orphans / 3, items);
    out.per_slot_unlinked = of(millionths(options.unlinked), items);
    impressions = kWholeShare - out.per_slot_malformed - out.per_slot_late - out.per_slot_orphan -
                  out.per_slot_unlinked;
    clicks = of(of(out.click, kWholeShare + kSecondClick), impressions);
    items = kWholeShare + clicks + of(deferred, items);
  }
  const auto per_impression = [&](std::uint64_t share) {
    return of(share, items) * kWholeShare / std::max<std::uint64_t>(1, impressions);
  };
  out.impression_late = per_impression(late / 2);
  out.impression_before = per_impression(orphans / 3);
  out.impression_expired = per_impression(orphans / 3);
  out.duplicate = of(duplicates, items) * kWholeShare / (impressions + clicks + 1);
  out.slot_count = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(static_cast<unsigned __int128>(options.events) * kWholeShare /
                                    items));
  return out;
}

Result<Generator> Generator::make(const GeneratorOptions& options, Truth* truth) {
  if (auto checked = check(options); !checked) return std::unexpected(std::move(checked.error()));
  return Generator(options, truth);
}

Generator::Generator(const GeneratorOptions& options, Truth* truth)
    : options_(options),
      shares_(shares_of(options)),
      truth_(truth),
      random_(options.seed),
      world_({.campaign_count = options.campaigns, .publisher_count = options.publishers}),
      watermark_(options.partitions),
      next_slot_ms_(options.start.ms),
      now_ms_(options.start.ms) {}

Generator::Verdict Generator::verdict(Fate fate) {
  switch (fate) {
    case Fate::counted: return {"counted", ""};
    case Fate::joined: return {"joined", ""};
    case Fate::unlinked: return {"unlinked", ""};
    case Fate::duplicate: return {"duplicate", ""};
    case Fate::late: return {"late", ""};
    case Fate::late_window_closed: return {"late", "window_closed"};
    case Fate::filtered_bot: return {"filtered", "bot"};
    case Fate::filtered_impression: return {"filtered", "impression"};
    case Fate::orphan_unknown: return {"orphan", "unknown"};
    case Fate::orphan_before_impression: return {"orphan", "before_impression"};
    case Fate::expired: return {"expired", ""};
    case Fate::rejected: return {"rejected", ""};
  }
  return {};
}

// One new event at the next moment of the even stream; what follows from it is planned with it.
void Generator::plan_slot() {
  const auto slot_start = [&](std::uint64_t slot) {
    return options_.start.ms +
           static_cast<std::int64_t>(static_cast<unsigned __int128>(slot) *
                                     static_cast<std::uint64_t>(options_.span.count()) /
                                     shares_.slot_count);
  };
  const std::int64_t first = next_slot_ms_, end = slot_start(++next_slot_);
  next_slot_ms_ = end;
  const Timestamp time{first + (end > first ? random_.between(0, end - first) : 0)};
  std::uint64_t at = random_.below(kWholeShare);
  const auto falls_in = [&](std::uint64_t share) {
    const bool inside = at < share;
    at -= inside ? 0 : share;
    return inside;
  };
  if (falls_in(shares_.per_slot_malformed)) return plan_malformed(time);
  if (falls_in(shares_.per_slot_orphan)) return plan_orphan(time);
  if (falls_in(shares_.per_slot_unlinked))
    return plan(world_.unlinked_click(random_, time), Fate::unlinked, send_ms_of(time));
  if (falls_in(shares_.per_slot_late) && plan_late(time)) return;
  plan_impression(time);
}

void Generator::plan_impression(Timestamp time) {
  SyntheticEvent event = world_.impression(random_, time);
  const std::int64_t sent_ms = send_ms_of(time);
  event.is_bot = random_.chance(shares_.bots);
  if (event.is_bot) {
    plan(event, Fate::filtered_bot, sent_ms);
    if (!random_.chance(kBotClick)) return;
    const Timestamp click_time = time + Millis(random_.between(kSecond, kMinute));
    plan(world_.click_on(event, random_, click_time), Fate::filtered_impression,
         std::max(send_ms_of(click_time), sent_ms + 1));
    return;
  }
  plan(event, Fate::counted, sent_ms);
  if (random_.chance(shares_.click)) plan_clicks(event, sent_ms);
  plan_trouble(event);
}

void Generator::plan_clicks(const SyntheticEvent& impression, std::int64_t impression_sent_ms) {
  std::optional<std::uint32_t> shown;
  const int click_count = random_.chance(kSecondClick) ? 2 : 1;
  for (int i = 0; i < click_count; ++i) {
    // Most clicks come within a minute; the slowest keep the margin from the window's end.
    const std::uint64_t kind = random_.below(100);
    const std::int64_t delay = kind < 80   ? random_.between(kSecond, kMinute)
                               : kind < 95 ? random_.between(kMinute, 5 * kMinute)
                                           : random_.between(5 * kMinute, kWithin - kMargin);
    const Timestamp time = impression.time + Millis(delay);
    SyntheticEvent click = world_.click_on(impression, random_, time);
    const std::int64_t sent_ms = std::max(send_ms_of(time), impression_sent_ms + 1);
    click.is_bot = random_.chance(shares_.bots);
    if (click.is_bot) {
      plan(click, Fate::filtered_bot, sent_ms);
      continue;
    }
    if (!shown) shown = keep_shown(impression);
    ++shown_[*shown].click_count;
    plan(click, Fate::joined, sent_ms, *shown);
  }
}

std::uint32_t Generator::keep_shown(const SyntheticEvent& impression) {
  std::uint32_t index = static_cast<std::uint32_t>(shown_.size());
  if (free_shown_.empty()) {
    shown_.emplace_back();
  } else {
    index = free_shown_.back();
    free_shown_.pop_back();
    shown_[index] = {};
  }
  if (truth_) shown_[index].dimensions = world_.dimensions(impression, *truth_);
  return index;
}

// Clicks that come too late, too early or out of time for this impression.
void Generator::plan_trouble(const SyntheticEvent& impression) {
  if (random_.chance(shares_.impression_late)) {
    const Timestamp time = impression.time + Millis(random_.between(kSecond, kWithin - kMargin));
    plan_when_reached(world_.click_on(impression, random_, time), Fate::late_window_closed,
                      impression.time + Millis(kWithin + kGrace + 2 * kMargin + kCoarse));
  }
  if (random_.chance(shares_.impression_before)) {
    const Timestamp time =
        impression.time - Millis(kSkew + kMargin + random_.between(0, 20 * kMinute));
    plan_when_reached(world_.click_on(impression, random_, time), Fate::orphan_before_impression,
                      impression.time + Millis(kMargin + kCoarse));
  }
  if (random_.chance(shares_.impression_expired)) {
    const Timestamp time =
        impression.time + Millis(kWithin + kMargin + random_.between(kSecond, 55 * kMinute));
    plan(world_.click_on(impression, random_, time), Fate::expired, send_ms_of(time));
  }
}

// Older than the horizon by an hour and more. False while nothing can be late for sure.
bool Generator::plan_late(Timestamp time) {
  if (settled_ == Timestamp::lowest()) return false;
  const Timestamp event_time =
      settled_ - Millis(kHorizon + kHourMs + random_.between(0, 3 * kHourMs));
  const bool is_impression = random_.chance(kLateImpression);
  plan(is_impression ? world_.impression(random_, event_time)
                     : world_.unlinked_click(random_, event_time),
       Fate::late, time.ms);
  return true;
}

void Generator::plan_malformed(Timestamp time) {
  constexpr std::uint64_t kMalformedClick = 200'000;
  const bool is_click = random_.chance(kMalformedClick);
  plan(is_click ? world_.unlinked_click(random_, time) : world_.impression(random_, time),
       Fate::rejected, time.ms);
}

void Generator::plan_orphan(Timestamp time) {
  const SyntheticEvent never_sent = world_.impression(random_, time);
  plan(world_.click_on(never_sent, random_, time), Fate::orphan_unknown, send_ms_of(time));
}

std::int64_t Generator::send_ms_of(Timestamp time) {
  const auto disorder = options_.out_of_order.count();
  if (disorder == 0 || !random_.chance(kDisordered)) return time.ms;
  return time.ms + random_.between(0, disorder + 1);
}

std::uint32_t Generator::keep(const Planned& planned) {
  if (!free_planned_.empty()) {
    const std::uint32_t index = free_planned_.back();
    free_planned_.pop_back();
    planned_[index] = planned;
    return index;
  }
  ADBROOK_ASSERT(planned_.size() < kPlannedCountMax, "what waits to be sent stays bounded");
  planned_.push_back(planned);
  return static_cast<std::uint32_t>(planned_.size() - 1);
}

void Generator::plan(const SyntheticEvent& event, Fate fate, std::int64_t send_ms,
                     std::uint32_t shown) {
  due_.push({send_ms, next_sequence_++, keep({event, fate, shown})});
}

void Generator::plan_when_reached(const SyntheticEvent& event, Fate fate, Timestamp watermark) {
  deferred_.push({watermark.ms, next_sequence_++, keep({event, fate, 0})});
}

Generator::Planned Generator::take(DueQueue& queue) {
  const std::uint32_t index = queue.top().index;
  queue.pop();
  free_planned_.push_back(index);
  return planned_[index];
}

// An event that waited for the watermark; those that would meet the horizon's end are left out.
bool Generator::take_deferred(Planned& planned) {
  while (!deferred_.empty() && deferred_.top().at_ms <= settled_.ms) {
    planned = take(deferred_);
    if (now_ms_ < planned.event.time.ms + kHorizon - kHourMs) return true;
  }
  return false;
}

Generator::Planned Generator::next_due() {
  Planned planned;
  if (take_deferred(planned)) return planned;
  while (due_.empty() || due_.top().at_ms >= next_slot_ms_) plan_slot();
  now_ms_ = std::max(now_ms_, due_.top().at_ms);
  return take(due_);
}

bool Generator::next(GeneratedItem& item) {
  if (returned_count_ == options_.events) return false;
  const Planned planned = next_due();
  json_.clear();
  append_json(json_, planned.event);
  Verdict ending = verdict(planned.fate);
  switch (planned.fate) {
    case Fate::rejected:
      ending.reason = to_string(make_malformed(json_, planned.event, random_).reason);
      break;
    case Fate::counted:
    case Fate::joined:
    case Fate::unlinked: plan_duplicate(planned); [[fallthrough]];
    case Fate::orphan_unknown:
    case Fate::expired:
    case Fate::filtered_bot:
    case Fate::filtered_impression: watermark_.sent(planned.event); break;
    default: break;
  }
  constexpr std::uint64_t kReachedEvery = 64;
  if (++returned_count_ % kReachedEvery == 0) note_reached();
  if (truth_) count(planned, ending);
  if (planned.fate == Fate::joined && --shown_[planned.shown].click_count == 0)
    free_shown_.push_back(planned.shown);
  item = {planned.event.kind, json_, planned.event.time, {now_ms_}, ending.outcome, ending.reason};
  return true;
}

void Generator::note_reached() {
  reached_.emplace_back(returned_count_, watermark_.reached());
  for (; !reached_.empty() && reached_.front().first + options_.settle_events <= returned_count_;
       reached_.pop_front())
    settled_ = reached_.front().second;
}

void Generator::plan_duplicate(const Planned& planned) {
  if (!random_.chance(shares_.duplicate)) return;
  const std::int64_t send_ms = now_ms_ + random_.between(kSecond, 10 * kMinute);
  const bool is_same = random_.chance(kWholeShare / 2);
  plan(is_same ? planned.event : world_.distorted(planned.event, random_), Fate::duplicate,
       send_ms);
}

TruthKey Generator::key_of(std::size_t view, Timestamp time,
                           const TruthDimensions& dimensions) const {
  const ViewDeclaration& declared = kViews[view];
  TruthKey key{.bucket_ms = bucket_start(time, declared.bucket).ms,
               .width_ms = static_cast<std::uint32_t>(declared.bucket.count()),
               .view = static_cast<std::uint32_t>(view)};
  for (std::size_t i = 0; i < declared.part_count; ++i)
    key.parts[i] = dimensions[static_cast<std::size_t>(declared.parts[i])];
  return key;
}

void Generator::count(const Planned& planned, const Verdict& ending) {
  const SyntheticEvent& event = planned.event;
  const bool is_impression = event.kind == EventKind::impression;
  ++truth_->outcomes()[{std::string(is_impression ? kImpressionsTopic : kClicksTopic),
                        std::string(ending.outcome), std::string(ending.reason)}];
  if (planned.fate == Fate::counted) count_impression(event);
  if (planned.fate == Fate::unlinked)
    count_click(event, world_.dimensions(event, *truth_), Measure::unlinked_clicks);
  if (planned.fate != Fate::joined) return;
  Shown& shown = shown_[planned.shown];
  count_click(event, shown.dimensions, Measure::joined_clicks);
  count_unique(event, shown);
}

void Generator::count_impression(const SyntheticEvent& event) {
  const TruthDimensions dimensions = world_.dimensions(event, *truth_);
  const std::uint64_t hash = xxh3(event.id);
  for (std::size_t view = 0; view < kViewCount; ++view) {
    MeasureValues& cell = truth_->cells().at(key_of(view, event.time, dimensions));
    ++cell[static_cast<std::size_t>(Measure::impressions)];
    cell[static_cast<std::size_t>(Measure::spend_micros)] +=
        static_cast<std::uint64_t>(event.price_micros);
    cell[static_cast<std::size_t>(Measure::impression_id_sum)] += hash;
    cell[static_cast<std::size_t>(Measure::impression_id_xor)] ^= hash;
  }
}

void Generator::count_click(const SyntheticEvent& click, const TruthDimensions& dimensions,
                            Measure measure) {
  const std::uint64_t hash = xxh3(click.id);
  for (std::size_t view = 0; view < kViewCount; ++view) {
    MeasureValues& cell = truth_->cells().at(key_of(view, click.time, dimensions));
    ++cell[static_cast<std::size_t>(measure)];
    cell[static_cast<std::size_t>(Measure::click_id_sum)] += hash;
    cell[static_cast<std::size_t>(Measure::click_id_xor)] ^= hash;
  }
}

// The unique click is the one with the smallest (time, id); an earlier one takes its place.
void Generator::count_unique(const SyntheticEvent& click, Shown& shown) {
  if (shown.has_unique) {
    if (std::pair(shown.unique_time, shown.unique_id) < std::pair(click.time, click.id)) return;
    move_unique(shown.unique_time, shown.unique_id, shown.dimensions, -1);
  }
  shown.has_unique = true;
  shown.unique_time = click.time;
  shown.unique_id = click.id;
  move_unique(click.time, click.id, shown.dimensions, 1);
}

void Generator::move_unique(Timestamp time, Uuid id, const TruthDimensions& dimensions, int sign) {
  const std::uint64_t hash = xxh3(id);
  const auto factor = static_cast<std::uint64_t>(static_cast<std::int64_t>(sign));
  for (std::size_t view = 0; view < kViewCount; ++view) {
    MeasureValues& cell = truth_->cells().at(key_of(view, time, dimensions));
    cell[static_cast<std::size_t>(Measure::unique_clicks)] += factor;
    cell[static_cast<std::size_t>(Measure::unique_click_id_sum)] += factor * hash;
    cell[static_cast<std::size_t>(Measure::unique_click_id_xor)] ^= hash;
  }
}

}  // namespace adbrook::ads
