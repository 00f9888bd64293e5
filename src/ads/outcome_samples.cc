#include "ads/outcome_samples.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "ads/event.h"
#include "ads/outcome_record.h"
#include "base/text.h"
#include "serde/json_writer.h"

namespace adbrook::ads {
namespace {

// What one query has found so far; shared by the steps of its search.
struct Found {
  OutcomeSampleQuery query;
  std::shared_ptr<void> ticket;
  // By partition: the newest at the back.
  std::map<std::int32_t, std::deque<OutcomeSample>> newest;

  void take(const ScannedRecord& scanned) {
    const auto record = read_outcome(scanned.record.value.value_or(ByteView{}));
    if (!record || record->outcome != query.outcome) return;
    if (query.reason && record->reason != *query.reason) return;
    auto& list = newest[scanned.partition.number];
    list.push_back({record->id, record->partition, record->offset, record->timestamp,
                    std::string(record->reason), scanned.append_time});
    if (list.size() > query.limit) list.pop_front();
  }

  std::vector<OutcomeSample> finish() {
    std::vector<OutcomeSample> all;
    for (auto& [partition, list] : newest) std::ranges::move(list, std::back_inserter(all));
    std::ranges::stable_sort(all, std::ranges::greater(), &OutcomeSample::decided);
    if (all.size() > query.limit) all.resize(query.limit);
    return all;
  }
};

Result<std::string_view> topic_with_outcomes(const OutcomeSampleQuery& query) {
  if (query.outcome == to_string(stream::Outcome::counted))
    return fail(ErrorKind::invalid,
                "outcome: counted impressions have no record of their own; open a cell of a report "
                "to list them");
  if (query.topic == kImpressionsTopic) return kImpressionOutcomesTopic;
  if (query.topic == kClicksTopic) return kClickOutcomesTopic;
  return fail(ErrorKind::invalid,
              "topic: '" + printable(query.topic) + "' is neither impressions nor clicks");
}

}  // namespace

void outcome_samples(EventSearch& search, bus::Bus& bus, OutcomeSampleQuery query,
                     Answer<std::vector<OutcomeSample>> answer) {
  const auto topic = topic_with_outcomes(query);
  if (!topic) return search.refuse(std::move(answer), topic.error());
  auto ticket = search.begin();
  if (!ticket) return search.refuse(std::move(answer), ticket.error());
  auto parts = search.parts_of(*topic);
  if (!parts) return search.refuse(std::move(answer), parts.error());
  for (Scan::Part& part : *parts) {
    const auto ends = bus.ends(part.partition);
    if (ends) part.from = Offset{std::max<std::int64_t>(0, ends->end.value - kOutcomeSampleDepth)};
  }
  auto found = std::make_shared<Found>(std::move(query), std::move(*ticket));
  search.scan({.parts = std::move(*parts),
               .wants = {},
               .each =
                   [found](const ScannedRecord& scanned) {
                     found->take(scanned);
                     return ScanVerdict::go_on;
                   }},
              [found, answer = std::move(answer)](Result<void> done) mutable {
                found->ticket.reset();
                if (!done) return answer(std::unexpected(done.error()));
                answer(found->finish());
              });
}

std::string to_json(const std::vector<OutcomeSample>& samples) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  json.key("samples");
  json.begin_array();
  for (const OutcomeSample& sample : samples) {
    json.begin_object();
    json.key("uuid");
    sample.id ? json.string(sample.id->to_string()) : json.null();
    json.field("partition", std::int64_t{sample.partition});
    json.field("offset", sample.offset.value);
    json.key("timestamp");
    sample.timestamp ? json.string(format_time(*sample.timestamp)) : json.null();
    json.field("reason", std::string_view(sample.reason));
    json.field("decided", std::string_view(format_time(sample.decided)));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
