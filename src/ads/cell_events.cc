#include "ads/cell_events.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "ads/attributed_click.h"
#include "ads/event_codec.h"
#include "ads/event_json.h"
#include "ads/outcome_record.h"
#include "base/text.h"
#include "serde/json_writer.h"
#include "stream/origin.h"
#include "stream/outcomes.h"

namespace adbrook::ads {
namespace {

using stream::Outcome;

// An event is accepted at most this long before its own time, whatever the settings say.
constexpr Millis kSkewCapMax = std::chrono::hours(24);
constexpr Millis kBucketMax = std::chrono::hours(24 * 366);

struct PlaceHash {
  std::size_t operator()(const OriginPlace& place) const {
    return static_cast<std::size_t>(place.second) * 0x9E3779B97F4A7C15ull +
           static_cast<std::size_t>(place.first);
  }
};
using Places = std::unordered_set<OriginPlace, PlaceHash>;

OriginPlace place_of(const ScannedRecord& scanned) {
  return {scanned.partition.number, scanned.record.offset.value};
}

// The event time of an Avro value without decoding the rest; nothing for other values.
std::optional<Timestamp> raw_time(ByteView value) {
  constexpr std::size_t kIdSize = 16;
  if (value.size() <= kValueHeaderSize + kIdSize || value[0] != std::byte{0}) return std::nullopt;
  serde::AvroReader in(value.subspan(kValueHeaderSize + kIdSize));
  const Timestamp time{in.read_long()};
  return in.ok() ? std::optional(time) : std::nullopt;
}

// One question under way; owned by the scan that runs for it.
class CellSearch : public std::enable_shared_from_this<CellSearch> {
 public:
  CellSearch(EventSearch& search, std::shared_ptr<void> ticket, CellEventsQuery query,
             Answer<CellEvents> answer)
      : search_(search),
        ticket_(std::move(ticket)),
        found_{.query = std::move(query)},
        answer_(std::move(answer)) {}

  // What is processed but sent on, and not processed there, does not count yet.
  void find_waiting();

 private:
  using Next = void (CellSearch::*)();
  using Wants = bool (CellSearch::*)(const record::BatchHeader&, Timestamp) const;
  using Take = ScanVerdict (CellSearch::*)(const ScannedRecord&);

  void refuse(Error error) {
    ticket_.reset();
    search_.refuse(std::move(answer_), std::move(error));
  }
  void scan(Result<std::vector<Scan::Part>> parts, Wants wants, Take take, Next next);

  bool all(const record::BatchHeader&, Timestamp) const { return true; }
  // Adbrook's own records carry the event's time. (The header's other time is only the first
  // record's, not the smallest.)
  bool not_over(const record::BatchHeader& header, Timestamp) const {
    return header.max_timestamp >= found_.query.from;
  }
  // A foreign producer's record time may be anything, but no event comes long before its time.
  bool not_too_early(const record::BatchHeader&, Timestamp append_time) const {
    return append_time + kSkewCapMax >= found_.query.from;
  }

  void find_uncounted();
  void find_unlinked();
  void find_impressions();
  void find_joined_clicks();
  void find_unlinked_clicks();
  void finish() {
    ticket_.reset();  // who is answered may ask again at once
    answer_(std::move(found_));
  }

  ScanVerdict take_waiting(const ScannedRecord& scanned);
  ScanVerdict take_uncounted(const ScannedRecord& scanned);
  ScanVerdict take_unlinked(const ScannedRecord& scanned);
  ScanVerdict take_impression(const ScannedRecord& scanned);
  ScanVerdict take_joined(const ScannedRecord& scanned);
  ScanVerdict take_unlinked_click(const ScannedRecord& scanned);
  ScanVerdict remember(Places& places, OriginPlace place);
  ScanVerdict keep_click(CellClick click);

  bool in_range(Timestamp time) const {
    return time >= found_.query.from && time < found_.query.to;
  }
  bool matches(const ReportedUnder& under) const {
    return std::ranges::all_of(found_.query.where, [&](const ReportFilter& filter) {
      return dimension_text(under, filter.dimension) == filter.value;
    });
  }

  EventSearch& search_;
  std::shared_ptr<void> ticket_;
  CellEvents found_;
  Answer<CellEvents> answer_;
  Positions processed_;
  Places uncounted_;  // impressions that ended otherwise or wait
  Places unlinked_;   // clicks
  bool too_many_places_ = false;
  EventDecoder<Impression> impressions_;
  EventDecoder<Click> clicks_;
};

void CellSearch::scan(Result<std::vector<Scan::Part>> parts, Wants wants, Take take, Next next) {
  if (!parts) return refuse(parts.error());
  search_.scan(
      {.parts = std::move(*parts),
       .wants = [this, wants](const record::BatchHeader& header,
                              Timestamp at) { return (this->*wants)(header, at); },
       .each = [this, take](const ScannedRecord& scanned) { return (this->*take)(scanned); }},
      [self = shared_from_this(), next](Result<void> done) {
        if (!done) return self->refuse(done.error());
        if (self->too_many_places_)
          return self->refuse({ErrorKind::overloaded,
                               "cell: more than " + std::to_string(kCellPlacesMax) +
                                   " events must be remembered for it; ask for a smaller bucket"});
        ((*self).*next)();
      });
}

void CellSearch::find_waiting() {
  // Positions before outcomes: what is processed by now has its outcome where the scan comes next.
  auto positions = search_.positions({kPlacedImpressionsTopic, kImpressionsTopic});
  if (!positions) return refuse(positions.error());
  processed_ = std::move(*positions);
  scan(EventSearch::waiting_parts(processed_, kPlacedImpressionsTopic), &CellSearch::all,
       &CellSearch::take_waiting, &CellSearch::find_uncounted);
}

ScanVerdict CellSearch::take_waiting(const ScannedRecord& scanned) {
  const auto origin = stream::read_origin(scanned.record);
  if (!origin) return ScanVerdict::go_on;
  return remember(uncounted_, {origin->partition, origin->offset.value});
}

ScanVerdict CellSearch::remember(Places& places, OriginPlace place) {
  places.insert(place);
  too_many_places_ = places.size() > kCellPlacesMax;
  return too_many_places_ ? ScanVerdict::stop : ScanVerdict::go_on;
}

void CellSearch::find_uncounted() {
  scan(search_.parts_of(kImpressionOutcomesTopic), &CellSearch::all, &CellSearch::take_uncounted,
       &CellSearch::find_unlinked);
}

ScanVerdict CellSearch::take_uncounted(const ScannedRecord& scanned) {
  const auto record = read_outcome(scanned.record.value.value_or(ByteView{}));
  // Rejected ones have no time.
  if (!record || (record->timestamp && !in_range(*record->timestamp))) return ScanVerdict::go_on;
  return remember(uncounted_, {record->partition, record->offset.value});
}

void CellSearch::find_unlinked() {
  scan(search_.parts_of(kClickOutcomesTopic), &CellSearch::not_over, &CellSearch::take_unlinked,
       &CellSearch::find_impressions);
}

ScanVerdict CellSearch::take_unlinked(const ScannedRecord& scanned) {
  const auto record = read_outcome(scanned.record.value.value_or(ByteView{}));
  if (!record || record->outcome != to_string(Outcome::unlinked) || !record->timestamp ||
      !in_range(*record->timestamp))
    return ScanVerdict::go_on;
  return remember(unlinked_, {record->partition, record->offset.value});
}

void CellSearch::find_impressions() {
  scan(search_.parts_of(kImpressionsTopic), &CellSearch::not_too_early,
       &CellSearch::take_impression, &CellSearch::find_joined_clicks);
}

ScanVerdict CellSearch::take_impression(const ScannedRecord& scanned) {
  const ByteView value = scanned.record.value.value_or(ByteView{});
  // Most records end here, before anything is decoded.
  if (const auto time = raw_time(value); time && !in_range(*time)) return ScanVerdict::go_on;
  impressions_.clear();
  Impression event;
  if (!impressions_.decode(value, event) || !in_range(event.timestamp) ||
      !matches(under_of(event)) || scanned.record.offset >= processed_[scanned.partition] ||
      uncounted_.contains(place_of(scanned)))
    return ScanVerdict::go_on;
  found_.more_impressions = found_.impressions.size() == found_.query.limit;
  if (found_.more_impressions) return ScanVerdict::stop;
  found_.impressions.push_back(
      {event.id, event.timestamp, scanned.partition, scanned.record.offset});
  return ScanVerdict::go_on;
}

void CellSearch::find_joined_clicks() {
  scan(search_.parts_of(kAttributedClicksTopic), &CellSearch::not_over, &CellSearch::take_joined,
       &CellSearch::find_unlinked_clicks);
}

ScanVerdict CellSearch::take_joined(const ScannedRecord& scanned) {
  const auto click = read_attributed_click(scanned.record.value.value_or(ByteView{}));
  if (!click || !in_range(click->timestamp) || !matches(click->under)) return ScanVerdict::go_on;
  return keep_click({click->id, click->timestamp, click->impression_id, scanned.partition,
                     scanned.record.offset});
}

ScanVerdict CellSearch::keep_click(CellClick click) {
  found_.more_clicks = found_.clicks.size() == found_.query.limit;
  if (found_.more_clicks) return ScanVerdict::stop;
  found_.clicks.push_back(std::move(click));
  return ScanVerdict::go_on;
}

void CellSearch::find_unlinked_clicks() {
  if (unlinked_.empty() || found_.more_clicks) return finish();
  scan(search_.parts_of(kClicksTopic), &CellSearch::not_too_early, &CellSearch::take_unlinked_click,
       &CellSearch::finish);
}

ScanVerdict CellSearch::take_unlinked_click(const ScannedRecord& scanned) {
  if (!unlinked_.contains(place_of(scanned))) return ScanVerdict::go_on;
  clicks_.clear();
  Click event;
  if (!clicks_.decode(scanned.record.value.value_or(ByteView{}), event) ||
      !matches(under_of(event)))
    return ScanVerdict::go_on;
  return keep_click(
      {event.id, event.timestamp, std::nullopt, scanned.partition, scanned.record.offset});
}

std::string allowed_views() {
  std::string out;
  for (const ViewDeclaration& view : kViews)
    out += (out.empty() ? "" : ", ") + std::string(view.name);
  return out;
}

Result<void> parse_time_part(std::string_view text, CellEventsQuery& query) {
  Millis size = kViews[query.view_index].bucket;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto asked = parse_duration(text.substr(slash + 1));
    if (!asked) return pass(asked.error(), "cell");
    if (*asked < size || *asked > kBucketMax)
      return fail(ErrorKind::invalid, "cell: a bucket of " + format_duration(*asked) +
                                          " is not between the view's " + format_duration(size) +
                                          " and " + format_duration(kBucketMax));
    size = *asked;
  }
  const auto from = parse_time(text.substr(0, slash));
  if (!from) return pass(from.error(), "cell");
  query.from = *from;
  query.to = *from + size;
  return {};
}

// Where the filter at the begin of `text` ends. A value without quotes may hold any text that does
// not look like the next ";dimension=".
Result<std::size_t> cell_filter_end(std::string_view text) {
  if (text.substr(std::min(text.find('='), text.size())).starts_with("=\""))
    return filter_end(text, ';');
  for (std::size_t at = text.find(';'); at != std::string_view::npos; at = text.find(';', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (report_dimension(rest.substr(0, rest.find('=')))) return at;
  }
  return text.size();
}

Result<void> parse_filter(std::string_view text, CellEventsQuery& query) {
  const ViewDeclaration& view = kViews[query.view_index];
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const auto dimension = report_dimension(name);
  if (!dimension || equals == std::string_view::npos ||
      std::ranges::find(view.key(), *dimension) == view.key().end()) {
    std::string allowed;
    for (const Dimension part : view.key())
      if (part != Dimension::currency)
        allowed += (allowed.empty() ? "" : ", ") + std::string(to_string(part));
    return fail(ErrorKind::invalid, "cell: '" + printable(text) + "' is no NAME=VALUE of view " +
                                        std::string(view.name) + ", which has " + allowed);
  }
  query.where.push_back({*dimension, filter_value(text.substr(equals + 1))});
  return {};
}

template <class Event>
void write_event(serde::JsonWriter& json, const Event& event) {
  json.begin_object();
  json.field("uuid", std::string_view(event.id.to_string()));
  json.field("timestamp", std::string_view(format_time(event.timestamp)));
  if constexpr (requires { event.impression_id; }) {
    json.key("impressionId");
    if (event.impression_id)
      json.string(event.impression_id->to_string());
    else
      json.null();
  }
  json.field("topic", std::string_view(event.partition.topic));
  json.field("partition", std::int64_t{event.partition.number});
  json.field("offset", event.offset.value);
  json.end_object();
}

template <class Event>
void write_events(serde::JsonWriter& json, std::string_view name,
                  const std::vector<Event>& events) {
  json.key(name);
  json.begin_array();
  for (const Event& event : events) write_event(json, event);
  json.end_array();
}

}  // namespace

Result<CellEventsQuery> parse_cell(std::string_view cell, std::string_view limit) {
  CellEventsQuery query;
  const std::size_t view_end = cell.find(';');
  const std::string_view name = cell.substr(0, view_end);
  const auto* view = std::ranges::find(kViews, name, &ViewDeclaration::name);
  if (view == kViews.end())
    return fail(ErrorKind::invalid,
                "cell: '" + printable(name) + "' is no view; choose from " + allowed_views());
  if (view_end == std::string_view::npos)
    return fail(ErrorKind::invalid,
                "cell: the bucket is missing; write VIEW;TIME;NAME=VALUE;NAME=VALUE");
  query.view_index = static_cast<std::size_t>(view - kViews.begin());
  std::string_view rest = cell.substr(view_end + 1);
  std::size_t end = rest.find(';');
  if (auto time = parse_time_part(rest.substr(0, end), query); !time)
    return std::unexpected(time.error());
  while (end != std::string_view::npos) {
    rest.remove_prefix(end + 1);
    const auto filter_size = cell_filter_end(rest);
    if (!filter_size) return pass(filter_size.error(), "cell");
    if (auto filter = parse_filter(rest.substr(0, *filter_size), query); !filter)
      return std::unexpected(filter.error());
    end = *filter_size == rest.size() ? std::string_view::npos : *filter_size;
  }
  if (limit.empty()) return query;
  const auto [at, ec] = std::from_chars(limit.data(), limit.data() + limit.size(), query.limit);
  if (ec != std::errc{} || at != limit.data() + limit.size() || query.limit == 0 ||
      query.limit > kCellEventsMax)
    return fail(ErrorKind::invalid, "limit: '" + printable(limit) +
                                        "' is no whole number from 1 to " +
                                        std::to_string(kCellEventsMax));
  return query;
}

void cell_events(EventSearch& search, CellEventsQuery query, Answer<CellEvents> answer) {
  auto ticket = search.begin();
  if (!ticket) return search.refuse(std::move(answer), ticket.error());
  std::make_shared<CellSearch>(search, std::move(*ticket), std::move(query), std::move(answer))
      ->find_waiting();
}

std::string to_json(const CellEvents& events) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  json.field("view", kViews[events.query.view_index].name);
  json.field("from", std::string_view(format_time(events.query.from)));
  json.field("to", std::string_view(format_time(events.query.to)));
  json.key("where");
  json.begin_object();
  for (const ReportFilter& filter : events.query.where)
    json.field(to_string(filter.dimension), std::string_view(filter.value));
  json.end_object();
  write_events(json, "impressions", events.impressions);
  json.field("more_impressions", events.more_impressions);
  write_events(json, "clicks", events.clicks);
  json.field("more_clicks", events.more_clicks);
  json.field("more", events.more_impressions || events.more_clicks);
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
