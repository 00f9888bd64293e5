#include "app/collector.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "ads/click_topology.h"
#include "ads/edge_json.h"
#include "ads/event_codec.h"
#include "app/dead_letter_body.h"
#include "base/assert.h"

namespace adbrook::app {
namespace {

// Where the partitions of a topic stand in `partitions_`.
enum Place : std::size_t { kImpressions, kClicks, kDeadLetters };
constexpr std::array<std::string_view, 3> kTopics = {ads::kImpressionsTopic, ads::kClicksTopic,
                                                     ads::kDeadLettersTopic};

template <class Event>
constexpr Place place_of() {
  return std::is_same_v<Event, ads::Impression> ? kImpressions : kClicks;
}

bool is_readable(ads::Reason reason) {
  return reason != ads::Reason::unreadable && reason != ads::Reason::not_an_object &&
         reason != ads::Reason::too_deep;
}

constexpr std::uint32_t kBodyDepthMax = 64;
// Buffers that grew for a larger body are given back instead of kept warm.
constexpr std::size_t kWarmBodySizeMax = 2 << 20;

}  // namespace

// What reading one request needs; made once per thread that reads at the same time, since simdjson
// and the text store are worth keeping warm.
struct Collector::Workspace {
  Workspace(const std::vector<TopicPartitions>& partitions, Bytes body_max)
      : body_reader({.size_max = body_max, .depth_max = kBodyDepthMax}),
        impressions({}, text),
        clicks({}, text),
        strict_impressions({.strict = true}, text),
        strict_clicks({.strict = true}, text) {
    for (const TopicPartitions& topic : partitions) batches.emplace_back(topic);
  }

  template <class Event>
  ads::JsonEdge<Event>& edge(UnknownFields unknown) {
    if constexpr (std::is_same_v<Event, ads::Impression>)
      return unknown == UnknownFields::refuse ? strict_impressions : impressions;
    else
      return unknown == UnknownFields::refuse ? strict_clicks : clicks;
  }

  // For values of records, which are Avro.
  template <class Event>
  ads::EventDecoder<Event>& decoder() {
    if constexpr (std::is_same_v<Event, ads::Impression>)
      return impression_values;
    else
      return click_values;
  }
  void clear() {
    text.clear();
    impression_values.clear();
    click_values.clear();
  }

  serde::JsonReader body_reader;
  ads::EventText text;
  ads::JsonEdge<ads::Impression> impressions;
  ads::JsonEdge<ads::Click> clicks;
  ads::JsonEdge<ads::Impression> strict_impressions;
  ads::JsonEdge<ads::Click> strict_clicks;
  ads::EventDecoder<ads::Impression> impression_values;
  ads::EventDecoder<ads::Click> click_values;
  std::vector<TopicBatches> batches;  // by Place
  Buffer value;
  Timestamp time_end;  // events from then on are refused
};

// A workspace for the length of a call.
class Collector::Lease {
 public:
  Lease(Collector& collector, std::size_t body_size)
      : collector_(collector), keep_warm_(body_size <= kWarmBodySizeMax) {
    {
      const std::lock_guard lock(collector.mutex_);
      if (!collector.idle_.empty()) {
        workspace_ = std::move(collector.idle_.back());
        collector.idle_.pop_back();
      }
    }
    if (!workspace_)
      workspace_ = std::make_unique<Workspace>(collector.partitions_, collector.options_.body_max);
  }
  ~Lease() {
    if (!keep_warm_) return;
    workspace_->clear();
    const std::lock_guard lock(collector_.mutex_);
    collector_.idle_.push_back(std::move(workspace_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Workspace* operator->() { return workspace_.get(); }
  Workspace& operator*() { return *workspace_; }

 private:
  Collector& collector_;
  const bool keep_warm_;
  std::unique_ptr<Workspace> workspace_;
};

Result<std::unique_ptr<Collector>> Collector::open(log::Log& log, io::Clock& clock,
                                                   Metrics& metrics, CollectorOptions options) {
  std::vector<TopicPartitions> partitions;
  for (const std::string_view topic : kTopics) {
    auto found = TopicPartitions::find(log, topic);
    if (!found) return pass(std::move(found.error()), "collector");
    partitions.push_back(std::move(*found));
  }
  return std::unique_ptr<Collector>(
      new Collector(log, clock, metrics, options, std::move(partitions)));
}

Collector::Collector(log::Log& log, io::Clock& clock, Metrics& metrics, CollectorOptions options,
                     std::vector<TopicPartitions> partitions)
    : log_(log),
      clock_(clock),
      options_(options),
      metrics_(metrics),
      partitions_(std::move(partitions)) {}

Collector::~Collector() = default;

Timestamp Collector::time_end() const { return clock_.now() + options_.skew_cap; }

void Collector::collect_impressions(std::string_view body, BodyRules rules, Done done) {
  collect<ads::Impression>(body, rules, std::move(done));
}

void Collector::collect_clicks(std::string_view body, BodyRules rules, Done done) {
  collect<ads::Click>(body, rules, std::move(done));
}

namespace {

std::unexpected<Error> too_many_items() {
  return fail(ErrorKind::out_of_range, "body: more than " + std::to_string(kEventsPerRequestMax) +
                                           " items; send smaller batches");
}

// Reads item after item; `take` gets each and says why it is refused. Nothing is half done when it
// fails: the caller throws away what was gathered.
template <class Take>
Result<CollectAnswer> read_items(serde::JsonReader& reader, std::string_view body, BodyShape shape,
                                 Take take) {
  const auto json_shape =
      shape == BodyShape::lines ? serde::JsonShape::lines : serde::JsonShape::automatic;
  if (auto opened = reader.open(body, json_shape); !opened)
    return pass(std::move(opened.error()), "body");
  CollectAnswer answer;
  bool readable = false;
  std::size_t count = 0;
  for (serde::JsonElement element; reader.next(element); ++count) {
    if (count == kEventsPerRequestMax) return too_many_items();
    ads::Checked<void> taken = take(element);
    if (taken) {
      ++answer.accepted;
      continue;
    }
    readable = readable || is_readable(taken.error().reason);
    answer.refused.push_back({element.index, std::move(taken.error())});
  }
  answer.nothing_readable = count > 0 && answer.accepted == 0 && !readable;
  return answer;
}

}  // namespace

// Takes one event that was read into the batches of its topic, or says why not.
template <class Event>
ads::Checked<void> Collector::gather(const ads::Checked<Event>& event,
                                     std::span<const std::string_view> unknown,
                                     Workspace& workspace) {
  constexpr Place kPlace = place_of<Event>();
  if (!unknown.empty()) metrics_.count_unknown(kTopics[kPlace], unknown);
  if (!event) return std::unexpected(event.error());
  if (event->timestamp >= workspace.time_end)
    return std::unexpected(ads::refuse("timestamp", ads::Reason::timestamp_out_of_range,
                                       format_time(event->timestamp),
                                       "at most a few minutes from now"));
  workspace.value.clear();
  ads::encode(*event, workspace.value);
  workspace.batches[kPlace].add(event->id, event->timestamp, workspace.value);
  return {};
}

template <class Event>
void Collector::collect(std::string_view body, BodyRules rules, Done done) {
  constexpr Place kPlace = place_of<Event>();
  Lease workspace(*this, body.size());
  auto& edge = workspace->edge<Event>(rules.unknown);
  workspace->time_end = time_end();
  auto answer =
      read_items(workspace->body_reader, body, rules.shape, [&](const serde::JsonElement& element) {
        const auto event = edge.read(element);
        return gather(event, edge.unknown_fields(), *workspace);
      });
  auto gathered = workspace->batches[kPlace].take();
  if (!answer) return done(pass(std::move(answer.error())));
  if (rules.purpose == BodyPurpose::check) return done(std::move(*answer));
  for (const RefusedItem& item : answer->refused)
    metrics_.refused(kTopics[kPlace], item.refusal.reason).add();
  append_batches(std::move(gathered), std::move(*answer),
                 metrics_.accepted(kTopics[kPlace], "http"), std::move(done));
}

// Takes the event of a redrive, and gives its id.
template <class Event>
ads::Checked<Uuid> Collector::gather_as(const Redrive& redrive, BodyRules rules,
                                        Workspace& workspace) {
  ads::Checked<Event> event = Event{};
  std::span<const std::string_view> unknown;
  if (redrive.is_value && !redrive.text.starts_with('{')) {
    ads::EventDecoder<Event>& decoder = workspace.decoder<Event>();
    if (!decoder.decode(as_bytes(redrive.text), *event)) event = std::unexpected(decoder.refusal());
  } else {
    ads::JsonEdge<Event>& edge = workspace.edge<Event>(rules.unknown);
    event = edge.read(redrive.text);
    unknown = edge.unknown_fields();
  }
  if (auto gathered = gather(event, unknown, workspace); !gathered)
    return std::unexpected(std::move(gathered.error()));
  return event->id;
}

// The mark is gathered once its event was.
ads::Checked<void> Collector::gather(const Redrive& redrive, BodyRules rules,
                                     Workspace& workspace) {
  const bool is_click = redrive.as == ads::EventKind::click;
  const auto id = is_click ? gather_as<ads::Click>(redrive, rules, workspace)
                           : gather_as<ads::Impression>(redrive, rules, workspace);
  if (!id) return std::unexpected(id.error());
  workspace.value.clear();
  ads::encode(ads::DeadLetterRedrive{kTopics[is_click ? kClicks : kImpressions], *id},
              workspace.value);
  workspace.batches[kDeadLetters].add(redrive.letter, clock_.now(), workspace.value);
  return {};
}

void Collector::redrive(std::string_view body, BodyRules rules, Done done) {
  Lease workspace(*this, body.size());
  workspace->time_end = time_end();
  auto answer = read_items(workspace->body_reader, body, rules.shape,
                           [&](const serde::JsonElement& element) -> ads::Checked<void> {
                             const auto redrive = read_redrive(element);
                             if (!redrive) return std::unexpected(redrive.error());
                             return gather(*redrive, rules, *workspace);
                           });
  std::vector<log::BatchToAppend> gathered;
  for (TopicBatches& batches : workspace->batches)
    std::ranges::move(batches.take(), std::back_inserter(gathered));
  if (!answer) return done(pass(std::move(answer.error())));
  if (rules.purpose == BodyPurpose::check) return done(std::move(*answer));
  append_batches(std::move(gathered), std::move(*answer),
                 metrics_.accepted(kTopics[kDeadLetters], "redrive"), std::move(done));
}

void Collector::collect_dead_letters(std::string_view body, BodyRules rules, Done done) {
  Lease workspace(*this, body.size());
  TopicBatches& batches = workspace->batches[kDeadLetters];
  const Timestamp now = clock_.now();
  auto answer =
      read_items(workspace->body_reader, body, rules.shape,
                 [&](const serde::JsonElement& element) -> ads::Checked<void> {
                   const auto letter = read_letter(element);
                   if (!letter) return std::unexpected(letter.error());
                   workspace->value.clear();
                   ads::encode(letter->view(), workspace->value);
                   batches.add(ads::dead_letter_id(letter->view()), now, workspace->value);
                   return {};
                 });
  auto gathered = batches.take();
  if (!answer) return done(pass(std::move(answer.error())));
  append_batches(std::move(gathered), std::move(*answer),
                 metrics_.accepted(kTopics[kDeadLetters], "http"), std::move(done));
}

void Collector::append(const ads::Impression& impression, std::string_view source, Done done) {
  append_event(impression, source, std::move(done));
}

void Collector::append(const ads::Click& click, std::string_view source, Done done) {
  append_event(click, source, std::move(done));
}

template <class Event>
void Collector::append_event(const Event& event, std::string_view source, Done done) {
  TopicBatches batches(partitions_[place_of<Event>()]);
  Buffer value;
  ads::encode(event, value);
  batches.add(event.id, event.timestamp, value);
  append_batches(batches.take(), {.accepted = 1},
                 metrics_.accepted(kTopics[place_of<Event>()], source), std::move(done));
}

void Collector::append(const ads::DeadLetter& letter, Done done) {
  TopicBatches batches(partitions_[kDeadLetters]);
  Buffer value;
  ads::encode(letter, value);
  batches.add(ads::dead_letter_id(letter), clock_.now(), value);
  append_batches(batches.take(), {.accepted = 1}, metrics_.accepted(kTopics[kDeadLetters], "edge"),
                 std::move(done));
}

void Collector::append_batches(std::vector<log::BatchToAppend> batches, CollectAnswer answer,
                               Counter& accepted, Done done) {
  if (batches.empty()) return done(std::move(answer));
  log_.append({.batches = std::move(batches), .refused_at_once = true},
              [&accepted, answer = std::move(answer),
               done = std::move(done)](Result<std::vector<log::AppendedBatch>> appended) mutable {
                if (!appended) return done(pass(std::move(appended.error())));
                accepted.add(answer.accepted);
                done(std::move(answer));
              });
}

}  // namespace adbrook::app
