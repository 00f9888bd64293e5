#include "ads/click_topology.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "ads/attributed_click.h"
#include "ads/dead_letter.h"
#include "ads/event_codec.h"
#include "ads/impression_summary.h"
#include "ads/outcome_record.h"
#include "stream/query/seen_show.h"

namespace adbrook::ads {
namespace {

using stream::Outcome;
using stream::RowMeta;
using stream::Sink;

constexpr std::string_view kBotRule = "bot";

// The events' decoder in the shape that a source wants.
template <class Event>
class EventCodec {
 public:
  void begin_step() {
    decoder_.clear();
    refusals_.clear();
  }
  bool operator()(const record::RecordView& record, Event& out, stream::Refusal& why) {
    if (decoder_.decode(record.value.value_or(ByteView{}), out)) return true;
    const Refusal& refusal = decoder_.refusal();
    // The decoder reuses its refusal; these texts live until the next step.
    why = {to_string(refusal.reason), refusals_.keep(refusal.field),
           refusals_.keep(refusal.detail)};
    return false;
  }

 private:
  EventDecoder<Event> decoder_;
  EventText refusals_;
};

// Writes how events ended. Owned by one thread (the task's).
class OutcomeWriter {
 public:
  OutcomeWriter(Sink& sink, std::string_view topic) : sink_(&sink), topic_(topic) {}

  void write(const RowMeta& meta, std::string_view outcome, std::string_view reason, Uuid id,
             Timestamp time, std::optional<Uuid> impression = {},
             std::optional<Timestamp> impression_time = {}) {
    if (sink_->muted()) return;
    value_.clear();
    encode(OutcomeRecord{id, topic_, meta.arrival.origin_partition, meta.origin_offset, time,
                         outcome, reason, impression, impression_time},
           value_);
    const auto key = id.text();
    sink_->add_by_key(time, as_bytes({key.data(), key.size()}), value_);
  }
  void write_rejected(const RowMeta& meta, std::string_view reason) {
    if (sink_->muted()) return;
    value_.clear();
    encode(OutcomeRecord{.topic = topic_,
                         .partition = meta.arrival.origin_partition,
                         .offset = meta.origin_offset,
                         .outcome = to_string(Outcome::rejected),
                         .reason = reason},
           value_);
    sink_->add(meta.append_time, std::nullopt, value_);
  }
  std::string_view topic() const { return topic_; }

 private:
  Sink* sink_;
  std::string_view topic_;
  Buffer value_;
};

// What a topology keeps for its operators; they are copied, this is not.
struct Writers {
  Writers(stream::Topology& topology, const ViewOptions& options, LiveTap* live_tap)
      : views(topology, options),
        impressions(topology.sink(kImpressionOutcomesTopic), kImpressionsTopic),
        clicks(topology.sink(kClickOutcomesTopic), kClicksTopic),
        attributed(topology.sink(kAttributedClicksTopic)),
        summaries(topology.sink(kImpressionSummariesTopic)),
        dead_letters(topology.sink(kDeadLettersTopic)),
        context(topology.context()),
        live(live_tap) {}

  std::string_view reason(const RowMeta& meta) const {
    return context.counts.reason_text(meta.reason);
  }

  // Not while steps are replayed: what they decided was shown when it happened.
  template <class Event>
  void show(const Event& event, Outcome outcome, std::string_view why = {}) {
    if (live != nullptr && !attributed.muted()) live->add(event, outcome, why);
  }
  void show_spend(std::string_view currency, std::int64_t micros) {
    if (live != nullptr && !attributed.muted()) live->spend(currency, micros);
  }

  ClickViews views;
  OutcomeWriter impressions;
  OutcomeWriter clicks;
  Sink& attributed;
  Sink& summaries;
  Sink& dead_letters;
  const stream::TaskContext& context;
  LiveTap* live;  // may be null
  Buffer value;
};

// What is kept of an impression while its window is open.
struct OpenImpression {
  static constexpr std::int64_t kNoPrice = std::numeric_limits<std::int64_t>::min();
  DimensionIds ids;
  std::int64_t price_micros;
};

class ClickJoinPolicy {
 public:
  using Row = OpenImpression;
  using Parent = stream::ParentRef<Row>;

  explicit ClickJoinPolicy(std::shared_ptr<Writers> writers) : writers_(std::move(writers)) {}

  Row counted(const Impression& impression, const RowMeta&) {
    const DimensionIds ids = writers_->views.ids_of(impression);
    writers_->views.add_impression(impression.timestamp, ids, impression.id,
                                   impression.price_micros.value_or(0));
    writers_->show(impression, Outcome::counted);
    writers_->show_spend(impression.currency, impression.price_micros.value_or(0));
    return {ids, impression.price_micros.value_or(OpenImpression::kNoPrice)};
  }

  void joined(const Click& click, const RowMeta& meta, const Parent& parent) {
    writers_->views.add_joined(click.timestamp, parent.row.ids, click.id);
    writers_->clicks.write(meta, to_string(Outcome::joined), {}, click.id, click.timestamp,
                           parent.id, parent.time);
    writers_->show(click, Outcome::joined);
    if (writers_->attributed.muted()) return;
    Buffer& value = writers_->value;
    value.clear();
    encode(AttributedClick{click.id, click.timestamp, parent.id, parent.time,
                           writers_->views.under(parent.row.ids)},
           value);
    const auto key = click.id.text();
    writers_->attributed.add_by_key(click.timestamp, as_bytes({key.data(), key.size()}), value);
  }

  void first_moved(const Parent& parent, const stream::ChildRef* earlier,
                   const stream::ChildRef& first) {
    if (earlier != nullptr)
      writers_->views.remove_unique(earlier->time, parent.row.ids, earlier->id);
    writers_->views.add_unique(first.time, parent.row.ids, first.id);
  }

  void summary(const Parent& parent, std::span<const stream::ChildRef> children) {
    if (writers_->summaries.muted()) return;
    children = children.first(std::min(children.size(), kSummaryClickCountMax));
    clicks_.clear();
    for (const stream::ChildRef& child : children) clicks_.push_back({child.id, child.time});
    const bool priced = parent.row.price_micros != OpenImpression::kNoPrice;
    const ImpressionSummary record{parent.id,
                                   parent.time,
                                   writers_->views.under(parent.row.ids),
                                   priced ? std::optional(parent.row.price_micros) : std::nullopt,
                                   writers_->views.currency(parent.row.ids),
                                   clicks_};
    const auto key = parent.id.text();
    write_value(writers_->summaries.add_in_place(parent.time, as_bytes({key.data(), key.size()}),
                                                 value_size(record)),
                record);
  }

  void ended(const Click& click, const RowMeta& meta, Outcome outcome, std::string_view reason) {
    writers_->clicks.write(meta, to_string(outcome), reason, click.id, click.timestamp,
                           click.impression_id);
    writers_->show(click, outcome, reason);
  }

 private:
  std::shared_ptr<Writers> writers_;  // shared by the operators of one task, which own nothing else
  std::vector<SummaryClick> clicks_;
};

template <class Event>
bool is_no_bot(const Event& event) {
  return event.browser != kBotRule;
}

// Of bytes that are too many to be written again the first are; the place leads to all of them.
constexpr std::size_t kLetterBytesMax = std::size_t{4} << 20;

// What people read of a refusal names fields and values of any length.
std::string_view shortened(std::string_view text) {
  constexpr std::size_t kTextMax = 1000;
  if (text.size() <= kTextMax) return text;
  std::size_t size = kTextMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

void write_dead_letter(Writers& writers, std::string_view topic, const stream::Rejected& rejected,
                       const RowMeta& meta) {
  if (writers.dead_letters.muted()) return;
  const std::string source =
      std::string(topic) + "-" + std::to_string(meta.arrival.origin_partition);
  const ByteView value = rejected.record.value.value_or(ByteView{});
  std::string detail(shortened(rejected.why.text));
  if (value.size() > kLetterBytesMax)
    detail += "; these are the first " + std::to_string(kLetterBytesMax) + " of its " +
              std::to_string(value.size()) + " bytes, all of them are in the topic";
  const DeadLetter letter{source,
                          meta.origin_offset.value,
                          rejected.why.reason,
                          shortened(rejected.why.field),
                          detail,
                          value.first(std::min(value.size(), kLetterBytesMax))};
  writers.value.clear();
  encode(letter, writers.value);
  const auto key = dead_letter_id(letter).text();
  // Where the collector puts the mark of a redrive: behind the letter, in the same partition.
  writers.dead_letters.add_by_key(meta.append_time, as_bytes({key.data(), key.size()}),
                                  writers.value);
}

// Rejected records become dead letters with an outcome; refused rows get their outcome.
template <class Event>
void write_refusals(const stream::Stream<Event>& source, const stream::Stream<Event>& unique,
                    const stream::Stream<Event>& kept, std::shared_ptr<Writers> writers,
                    OutcomeWriter Writers::* outcomes) {
  source.rejected().for_each(
      "rejected", [writers, outcomes](const stream::Rejected& rejected, const RowMeta& meta) {
        OutcomeWriter& out = (*writers).*outcomes;
        write_dead_letter(*writers, out.topic(), rejected, meta);
        out.write_rejected(meta, writers->reason(meta));
      });
  const auto write = [writers, outcomes](const Event& event, const RowMeta& meta) {
    std::optional<Uuid> impression;
    if constexpr (requires { event.impression_id; }) impression = event.impression_id;
    ((*writers).*outcomes)
        .write(meta, to_string(meta.outcome), writers->reason(meta), event.id, event.timestamp,
               impression);
    writers->show(event, meta.outcome, writers->reason(meta));
  };
  unique.refused().for_each("refused", write);
  kept.refused().for_each("filtered", write);
}

}  // namespace

void define_click_topology(stream::Topology& topology, const ClickJoinOptions& join,
                           const ViewOptions& views, LiveTap* live) {
  const auto writers = std::make_shared<Writers>(topology, views, live);

  const auto all_impressions =
      topology.source<Impression>(std::string(kImpressionsTopic), EventCodec<Impression>{},
                                  {.id = &Impression::id,
                                   .time = &Impression::timestamp,
                                   .through = std::string(kPlacedImpressionsTopic)});
  const auto unique_impressions =
      all_impressions.dedupe("impressions-seen", {.horizon = join.horizon});
  const auto impressions = unique_impressions.filter(std::string(kBotRule), is_no_bot<Impression>);
  write_refusals(all_impressions, unique_impressions, impressions, writers, &Writers::impressions);

  const auto all_clicks = topology.source<Click>(
      std::string(kClicksTopic), EventCodec<Click>{},
      {.id = &Click::id, .time = &Click::timestamp, .through = std::string(kPlacedClicksTopic)});
  const auto unique_clicks = all_clicks.dedupe("clicks-seen", {.horizon = join.horizon});
  const auto clicks = unique_clicks.filter(std::string(kBotRule), is_no_bot<Click>);
  for (const char* store : {"impressions-seen", "clicks-seen"}) stream::show_seen(topology, store);
  write_refusals(all_clicks, unique_clicks, clicks, writers, &Writers::clicks);

  const auto [linked, unlinked] =
      clicks.branch("linked", [](const Click& click) { return click.impression_id.has_value(); });
  unlinked
      .for_each("unlinked",
                [writers](const Click& click, const RowMeta& meta) {
                  writers->views.add_unlinked(click.timestamp, writers->views.ids_of(click),
                                              click.id);
                  writers->clicks.write(meta, to_string(Outcome::unlinked), {}, click.id,
                                        click.timestamp);
                  writers->show(click, Outcome::unlinked);
                })
      .settle(Outcome::unlinked);

  const auto impression_of = [](const Click& click) { return *click.impression_id; };
  linked.repartition(std::string(kLinkedClicksTopic), impression_of)
      .join("click-join", impressions, impression_of,
            {.within = join.within,
             .grace = join.grace,
             .skew = join.skew,
             .parent_filtered = "impression",
             .before_parent = "before_impression"},
            ClickJoinPolicy(writers));
}

std::vector<std::string> click_input_topics() {
  stream::Topology topology(0, 1, 0, {});
  define_click_topology(topology, {}, {});
  std::vector<std::string> topics;
  for (const auto& input : topology.inputs()) topics.push_back(input->topic());
  return topics;
}

}  // namespace adbrook::ads
