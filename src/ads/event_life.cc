#include "ads/event_life.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "ads/dead_letter.h"
#include "ads/event_codec.h"
#include "ads/event_json.h"
#include "ads/outcome_record.h"
#include "stream/origin.h"
#include "stream/outcomes.h"

namespace adbrook::ads {
namespace {

using stream::Outcome;

constexpr std::size_t kRawIdSize = 16;

struct FoundCopy {
  EventCopy copy;
  Uuid id;
  std::optional<Uuid> impression_id;
  Buffer value;  // readable when copy.timestamp is there
  bool ended = false;
  bool in_internal_topic = false;  // sent on, and not processed there yet

  bool is_click() const { return copy.place.topic == kClicksTopic; }
};

bool contains(const std::vector<Uuid>& ids, Uuid id) {
  return std::ranges::find(ids, id) != ids.end();
}

// The one of the wanted ids that a value seems to speak of although it cannot be read.
std::optional<Uuid> id_in_unreadable(const record::RecordView& record, ByteView value,
                                     const std::vector<Uuid>& wanted) {
  for (const Uuid id : wanted) {
    const std::string text = id.to_string();
    if ((record.key && as_text(*record.key) == text) || as_text(value).contains(text)) return id;
  }
  return std::nullopt;
}

// Finds copies of a few events among the records of one topic.
template <class Event>
class CopyFinder {
 public:
  explicit CopyFinder(std::vector<Uuid> wanted) : wanted_(std::move(wanted)) {}

  std::optional<FoundCopy> look(const ScannedRecord& scanned) {
    const ByteView value = scanned.record.value.value_or(ByteView{});
    // Nearly all records end here: the raw id lies right behind the header.
    const bool avro =
        !value.empty() && value[0] == std::byte{0} && value.size() >= kValueHeaderSize + kRawIdSize;
    std::optional<Uuid> id;
    if (avro) {
      id = Uuid::from_bytes(value.subspan(kValueHeaderSize, kRawIdSize));
      if (!contains(wanted_, *id)) return std::nullopt;
    }
    decoder_.clear();
    Event event;
    const bool readable = decoder_.decode(value, event);
    if (!avro) id = readable ? event.id : id_in_unreadable(scanned.record, value, wanted_);
    if (!id || !contains(wanted_, *id)) return std::nullopt;

    FoundCopy found{.copy = {.place = {scanned.partition.topic, scanned.partition.number,
                                       scanned.record.offset},
                             .append_time = scanned.append_time},
                    .id = *id,
                    .value = Buffer(value.begin(), value.end())};
    if (!readable) return found;
    found.copy.timestamp = event.timestamp;
    if constexpr (requires { event.impression_id; }) found.impression_id = event.impression_id;
    return found;
  }

 private:
  std::vector<Uuid> wanted_;
  EventDecoder<Event> decoder_;
};

// The joined clicks of one impression.
struct ClicksFound {
  std::vector<JoinedClick> clicks;
  bool more = false;
  std::optional<std::pair<Timestamp, Uuid>> first;  // also of those that are left out
};

// How well a copy tells the event's end: the one that was accepted does, a duplicate does not.
int rank(const EventCopy& copy) {
  if (copy.outcome == to_string(Outcome::duplicate)) return 4;
  if (copy.outcome == to_string(Outcome::rejected)) return 3;
  if (copy.outcome == kWaiting) return 2;
  return copy.outcome == to_string(Outcome::late) && copy.reason.empty() ? 1 : 0;
}

// One question under way; owned by the scan that runs for it.
class LifeSearch : public std::enable_shared_from_this<LifeSearch> {
 public:
  LifeSearch(EventSearch& search, std::shared_ptr<void> ticket, Uuid id, Answer<EventLife> answer)
      : search_(search), ticket_(std::move(ticket)), id_(id), answer_(std::move(answer)) {}

  void find_clicks() { scan_for_copies<Click>(kClicksTopic, {id_}, &LifeSearch::find_impressions); }

 private:
  using Next = void (LifeSearch::*)();

  void refuse(Error error) {
    ticket_.reset();
    search_.refuse(std::move(answer_), std::move(error));
  }

  void scan(std::vector<Scan::Part> parts, std::function<ScanVerdict(const ScannedRecord&)> each,
            Next next) {
    search_.scan({.parts = std::move(parts), .wants = {}, .each = std::move(each)},
                 [self = shared_from_this(), next](Result<void> done) {
                   if (!done) return self->refuse(done.error());
                   ((*self).*next)();
                 });
  }

  template <class Event>
  void scan_for_copies(std::string_view topic, std::vector<Uuid> wanted, Next next) {
    auto parts = search_.parts_of(topic);
    if (!parts) return refuse(parts.error());
    partition_count_ = static_cast<std::int32_t>(parts->size());
    scan(
        std::move(*parts),
        [this, finder = std::make_shared<CopyFinder<Event>>(std::move(wanted))](
            const ScannedRecord& scanned) {
          if (auto found = finder->look(scanned)) keep(std::move(*found));
          return ScanVerdict::go_on;
        },
        next);
  }
  void keep(FoundCopy found) {
    if (copies_.size() < kCopyCountMax)
      copies_.push_back(std::move(found));
    else
      more_copies_ = true;
  }

  void find_impressions();
  void find_outcomes();
  void find_waiting();
  void find_summary();
  void finish();

  void take_outcome(const ScannedRecord& scanned);
  void take_joined_click(const OutcomeRecord& record);
  void take_waiting(const ScannedRecord& scanned);
  void end_open_copies();
  EventOfKind kind_of(std::string_view topic) const;
  const FoundCopy* deciding(std::string_view topic, Uuid id) const;
  void describe_click(const FoundCopy& click, EventOfKind& kind) const;
  void describe_impression(EventOfKind& kind) const;

  EventSearch& search_;
  std::shared_ptr<void> ticket_;
  Uuid id_;
  Answer<EventLife> answer_;
  std::int32_t partition_count_ = 0;
  std::vector<FoundCopy> copies_;
  bool more_copies_ = false;
  std::vector<Uuid> impression_ids_;  // the id itself first, then what its clicks name
  Positions processed_;
  std::map<Uuid, ClicksFound> clicks_of_;  // by impression
  bool summary_written_ = false;
};

void LifeSearch::find_impressions() {
  impression_ids_ = {id_};
  for (const FoundCopy& click : copies_)
    if (click.impression_id && !contains(impression_ids_, *click.impression_id))
      impression_ids_.push_back(*click.impression_id);
  scan_for_copies<Impression>(kImpressionsTopic, impression_ids_, &LifeSearch::find_outcomes);
}

void LifeSearch::find_outcomes() {
  if (std::ranges::none_of(copies_, [&](const FoundCopy& found) { return found.id == id_; }))
    return refuse({ErrorKind::not_found,
                   "event " + id_.to_string() +
                       ": no impression and no click in the log has this id; check it, look for "
                       "it among the dead letters, or it is older than what the log keeps"});
  // Positions before outcomes: what is processed by now has its outcome where the scan comes next.
  auto positions = search_.positions({kLinkedClicksTopic, kPlacedClicksTopic,
                                      kPlacedImpressionsTopic, kClicksTopic, kImpressionsTopic});
  if (!positions) return refuse(positions.error());
  processed_ = std::move(*positions);

  // Rejected ones have no id, so their outcomes may lie in any partition; and so do an impression's
  // clicks.
  std::vector<Scan::Part> all;
  for (const std::string_view topic : {kClickOutcomesTopic, kImpressionOutcomesTopic}) {
    auto parts = search_.parts_of(topic);
    if (!parts) return refuse(parts.error());
    all.insert(all.end(), parts->begin(), parts->end());
  }
  scan(
      std::move(all),
      [this](const ScannedRecord& scanned) {
        take_outcome(scanned);
        return ScanVerdict::go_on;
      },
      &LifeSearch::find_waiting);
}

void LifeSearch::take_outcome(const ScannedRecord& scanned) {
  const auto record = read_outcome(scanned.record.value.value_or(ByteView{}));
  if (!record) return;  // whatever somebody else wrote there ends no event
  if (record->impression_id && record->outcome == to_string(Outcome::joined))
    take_joined_click(*record);
  if (record->id && *record->id != id_ && !contains(impression_ids_, *record->id)) return;
  for (FoundCopy& found : copies_) {
    const LogPlace& place = found.copy.place;
    if (place.offset != record->offset || place.partition != record->partition ||
        place.topic != record->topic)
      continue;
    found.ended = true;
    found.copy.outcome = record->outcome;
    found.copy.reason = record->reason;
  }
}

void LifeSearch::take_joined_click(const OutcomeRecord& record) {
  if (!record.id || !record.timestamp || !record.impression_timestamp ||
      !contains(impression_ids_, *record.impression_id))
    return;
  ClicksFound& found = clicks_of_[*record.impression_id];
  const std::pair at{*record.timestamp, *record.id};
  if (!found.first || at < *found.first) found.first = at;
  if (found.clicks.size() == kClicksPerImpressionMax)
    found.more = true;
  else
    found.clicks.push_back(
        {*record.id, *record.timestamp, *record.timestamp - *record.impression_timestamp});
}

// What a task sent on and no task has taken since lies behind the positions of internal topics.
void LifeSearch::find_waiting() {
  std::vector<Scan::Part> parts;
  if (std::ranges::any_of(copies_, [](const FoundCopy& found) { return !found.ended; }))
    for (const std::string_view topic :
         {kPlacedImpressionsTopic, kPlacedClicksTopic, kLinkedClicksTopic})
      std::ranges::move(EventSearch::waiting_parts(processed_, topic), std::back_inserter(parts));
  scan(
      std::move(parts),
      [this](const ScannedRecord& scanned) {
        take_waiting(scanned);
        return ScanVerdict::go_on;
      },
      &LifeSearch::find_summary);
}

void LifeSearch::take_waiting(const ScannedRecord& scanned) {
  const auto origin = stream::read_origin(scanned.record);
  if (!origin) return;
  const bool impression = scanned.partition.topic == kPlacedImpressionsTopic;
  for (FoundCopy& found : copies_) {
    const LogPlace& place = found.copy.place;
    if (found.is_click() == impression || place.partition != origin->partition ||
        place.offset != origin->offset)
      continue;
    found.in_internal_topic = true;
    found.copy.sent = scanned.partition;
  }
}

// A copy without an outcome record is counted, pending, or not processed yet; the positions tell.
void LifeSearch::end_open_copies() {
  for (FoundCopy& found : copies_) {
    EventCopy& copy = found.copy;
    const LogPlace& place = copy.place;
    const bool left = place.offset < processed_[{place.topic, place.partition}];
    const bool processed = left && !found.in_internal_topic;
    if (!found.ended && !processed) copy.outcome = kWaiting;
    if (!found.ended && processed)
      copy.outcome = found.is_click() ? kPending : to_string(Outcome::counted);
    if (copy.outcome == to_string(Outcome::rejected)) {
      const std::string source = place.topic + "-" + std::to_string(place.partition);
      copy.dead_letter =
          dead_letter_id({.source = source, .place = place.offset.value, .bytes = found.value});
      continue;
    }
    if (copy.sent || !left) continue;
    const std::int32_t own = partition_of(found.id, partition_count_);
    if (copy.outcome == kPending && found.impression_id)
      copy.sent = {std::string(kLinkedClicksTopic),
                   partition_of(*found.impression_id, partition_count_)};
    else if (own != place.partition)
      copy.sent = {std::string(found.is_click() ? kPlacedClicksTopic : kPlacedImpressionsTopic),
                   own};
  }
}

void LifeSearch::find_summary() {
  end_open_copies();
  std::vector<Scan::Part> parts;
  if (const FoundCopy* impression = deciding(kImpressionsTopic, id_);
      impression != nullptr && impression->copy.outcome == to_string(Outcome::counted))
    parts.push_back(
        {{std::string(kImpressionSummariesTopic), partition_of(id_, partition_count_)}});
  scan(
      std::move(parts),
      [this, key = id_.to_string()](const ScannedRecord& scanned) {
        if (!scanned.record.key || as_text(*scanned.record.key) != key) return ScanVerdict::go_on;
        summary_written_ = true;
        return ScanVerdict::stop;
      },
      &LifeSearch::finish);
}

const FoundCopy* LifeSearch::deciding(std::string_view topic, Uuid id) const {
  const FoundCopy* best = nullptr;
  for (const FoundCopy& found : copies_)
    if (found.id == id && found.copy.place.topic == topic &&
        (best == nullptr || rank(found.copy) < rank(best->copy)))
      best = &found;
  return best;
}

std::vector<EventCell> cells_of(Timestamp time, const ReportedUnder& under,
                                std::string_view currency) {
  std::vector<EventCell> cells;
  for (std::size_t i = 0; i < kViewCount; ++i) {
    EventCell cell{.view_index = i, .bucket = bucket_start(time, kViews[i].bucket), .key = {}};
    for (const Dimension part : kViews[i].key())
      cell.key.push_back(part == Dimension::currency ? std::string(currency)
                                                     : dimension_text(under, part));
    cells.push_back(std::move(cell));
  }
  return cells;
}

// The event in a copy that was readable when it was found.
template <class Event, class F>
void with_event(const FoundCopy& found, F f) {
  EventDecoder<Event> decoder;
  Event event;
  if (decoder.decode(found.value, event)) f(event);
}

void LifeSearch::describe_impression(EventOfKind& kind) const {
  kind.summary_written = summary_written_;
  const auto clicks = clicks_of_.find(id_);
  if (clicks == clicks_of_.end()) return;
  kind.clicks = clicks->second.clicks;
  kind.more_clicks = clicks->second.more;
  std::ranges::sort(kind.clicks, {},
                    [](const JoinedClick& click) { return std::pair(click.timestamp, click.id); });
}

void LifeSearch::describe_click(const FoundCopy& click, EventOfKind& kind) const {
  if (!click.impression_id) {
    if (kind.outcome == to_string(Outcome::unlinked))
      with_event<Click>(click, [&](const Click& event) {
        kind.cells = cells_of(event.timestamp, under_of(event), {});
      });
    return;
  }
  auto& impression = kind.impression.emplace(ImpressionOfClick{.id = *click.impression_id});
  const FoundCopy* found = deciding(kImpressionsTopic, impression.id);
  if (found == nullptr) return;
  impression.outcome = found->copy.outcome;
  impression.reason = found->copy.reason;
  impression.timestamp = found->copy.timestamp;
  if (impression.timestamp) impression.delay = *click.copy.timestamp - *impression.timestamp;
  if (kind.outcome != to_string(Outcome::joined)) return;
  with_event<Impression>(*found, [&](const Impression& event) {
    kind.cells = cells_of(*click.copy.timestamp, under_of(event), event.currency);
  });
  const auto clicks = clicks_of_.find(impression.id);
  kind.unique_click = clicks != clicks_of_.end() &&
                      clicks->second.first == std::pair(*click.copy.timestamp, click.id);
}

EventOfKind LifeSearch::kind_of(std::string_view topic) const {
  EventOfKind kind{.kind = topic == kClicksTopic ? "click" : "impression",
                   .more_copies = more_copies_};
  for (const FoundCopy& found : copies_)
    if (found.id == id_ && found.copy.place.topic == topic) kind.copies.push_back(found.copy);
  const FoundCopy* best = deciding(topic, id_);
  if (best == nullptr) return kind;
  kind.outcome = best->copy.outcome;
  kind.reason = best->copy.reason;
  if (topic == kImpressionsTopic) describe_impression(kind);
  if (!best->copy.timestamp) return kind;
  if (topic == kClicksTopic) {
    with_event<Click>(*best, [&](const Click& event) { kind.event = event_json(event); });
    describe_click(*best, kind);
    return kind;
  }
  with_event<Impression>(*best, [&](const Impression& event) {
    kind.event = event_json(event);
    if (kind.outcome == to_string(Outcome::counted))
      kind.cells = cells_of(event.timestamp, under_of(event), event.currency);
  });
  return kind;
}

void LifeSearch::finish() {
  EventLife life{.id = id_, .kinds = {}};
  for (const std::string_view topic : {kImpressionsTopic, kClicksTopic})
    if (auto kind = kind_of(topic); !kind.copies.empty()) life.kinds.push_back(std::move(kind));
  ticket_.reset();  // who is answered may ask again at once
  answer_(std::move(life));
}

}  // namespace

void event_life(EventSearch& search, Uuid id, Answer<EventLife> answer) {
  auto ticket = search.begin();
  if (!ticket) return search.refuse(std::move(answer), ticket.error());
  std::make_shared<LifeSearch>(search, std::move(*ticket), id, std::move(answer))->find_clicks();
}

}  // namespace adbrook::ads
