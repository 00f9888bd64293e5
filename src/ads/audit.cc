#include "ads/audit.h"

#include <algorithm>
#include <numeric>

#include "ads/click_views.h"

namespace adbrook::ads {
namespace {

using stream::Outcome;

std::string sums(std::string_view what, std::uint64_t left, std::string_view left_name,
                 std::uint64_t right, std::string_view right_name) {
  return std::string(what) + ": " + std::string(left_name) + " " + std::to_string(left) + ", but " +
         std::string(right_name) + " " + std::to_string(right);
}

// Counts of one outcome over everything that came into this task.
std::uint64_t ended_in(const stream::TaskView& task, Outcome outcome) {
  std::uint64_t total = 0;
  task.counts().for_each(
      [&](stream::Arrival, Outcome counted, std::string_view, std::uint64_t count) {
        if (counted == outcome) total += count;
      });
  return total;
}

}  // namespace

std::uint64_t AuditRow::ended_total() const {
  return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

AuditRow& AuditBuilder::row(const std::string& topic, std::int32_t partition) {
  AuditRow& row = rows_[{topic, partition}];
  row.topic = topic;
  row.partition = partition;
  return row;
}

void AuditBuilder::add(const stream::TaskView& task) {
  for (std::uint16_t input = 0; input < task.inputs().size(); ++input) add_input(task, input);
  task.counts().for_each(
      [&](stream::Arrival arrival, Outcome outcome, std::string_view reason, std::uint64_t count) {
        const std::string& topic = task.inputs()[arrival.input].origin_topic;
        row(topic, arrival.origin_partition).ended[static_cast<std::size_t>(outcome)] += count;
        outcomes_[{topic, outcome, std::string(reason)}] += count;
      });
  check_cells(task);
  const Freshness own{task.committed_at(), task.watermark()};
  if (!freshness_) freshness_ = own;
  freshness_->as_of = std::min(freshness_->as_of, own.as_of);
  freshness_->final_until = std::min(freshness_->final_until, own.final_until);
}

void AuditBuilder::add_input(const stream::TaskView& task, std::uint16_t input) {
  const stream::InputView& view = task.inputs()[input];
  const std::uint64_t taken = task.counts().taken(input);
  const auto passed = static_cast<std::uint64_t>(view.passed_over);
  if (taken + passed != static_cast<std::uint64_t>(view.position.value))
    failures_.push_back(sums(view.topic + "-" + std::to_string(task.partition()), taken + passed,
                             "records counted and offsets without one",
                             static_cast<std::uint64_t>(view.position.value),
                             "the committed position is"));
  if (view.topic == view.origin_topic) {
    AuditRow& own = row(view.topic, task.partition());
    own.received += taken;
    own.watermark = view.watermark.value_or(Timestamp::lowest());
  }
  for (std::int32_t origin = 0; origin < partition_count_; ++origin)
    row(view.origin_topic, origin).pending += task.counts().pending({input, origin});
}

void AuditBuilder::check_cells(const stream::TaskView& task) {
  struct Check {
    Measure measure;
    Outcome outcome;
  };
  constexpr std::array<Check, 3> kChecks = {{{Measure::impressions, Outcome::counted},
                                             {Measure::joined_clicks, Outcome::joined},
                                             {Measure::unlinked_clicks, Outcome::unlinked}}};
  for (const ViewDeclaration& view : kViews) {
    const auto* cells = task.store<ViewCells>(view.name);
    if (cells == nullptr) continue;
    MeasureValues total{};
    cells->for_each({Timestamp::lowest(), Timestamp::highest()},
                    [&](const state::CellBucket&, auto, const ViewCells::Measures& values) {
                      combine(total, values);
                    });
    for (const Check& check : kChecks) {
      const std::uint64_t outcomes = ended_in(task, check.outcome);
      const std::uint64_t counted = measure(total, check.measure);
      if (counted != outcomes)
        failures_.push_back(
            sums("view " + std::string(view.name) + " of task " + std::to_string(task.partition()),
                 counted, std::string(to_string(check.outcome)) + " in its cells", outcomes,
                 "outcomes are"));
    }
  }
}

Audit AuditBuilder::finish(bool caught_up, std::int64_t behind) && {
  Audit audit{.freshness = freshness_.value_or(Freshness{}),
              .caught_up = caught_up,
              .behind = behind,
              .failures = std::move(failures_)};
  for (auto& [key, row] : rows_) {
    const std::string name = row.topic + "-" + std::to_string(row.partition);
    const std::uint64_t known = row.ended_total() + row.pending;
    if (known > row.received || (caught_up && known != row.received))
      audit.failures.push_back(
          sums(name, row.received, "received", known, "outcomes and pending are"));
    row.under_way = known > row.received ? 0 : row.received - known;
    audit.rows.push_back(std::move(row));
  }
  for (const auto& [key, count] : outcomes_)
    audit.outcomes.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  return audit;
}

std::string to_json(const Audit& audit) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  json.field("holds", audit.holds());
  json.field("caught_up", audit.caught_up);
  json.field("behind", audit.behind);
  write_time(json, "as_of", audit.freshness.as_of);
  write_time(json, "final_until", audit.freshness.final_until);
  json.key("partitions");
  json.begin_array();
  for (const AuditRow& row : audit.rows) {
    json.begin_object();
    json.field("topic", std::string_view(row.topic));
    json.field("partition", std::int64_t{row.partition});
    json.field("received", static_cast<std::int64_t>(row.received));
    for (std::size_t i = 0; i < stream::kOutcomeCount; ++i)
      json.field(to_string(static_cast<Outcome>(i)), static_cast<std::int64_t>(row.ended[i]));
    json.field("pending", static_cast<std::int64_t>(row.pending));
    json.field("under_way", static_cast<std::int64_t>(row.under_way));
    write_time(json, "watermark", row.watermark);
    json.end_object();
  }
  json.end_array();
  json.key("outcomes");
  json.begin_array();
  for (const OutcomeTotal& total : audit.outcomes) {
    json.begin_object();
    json.field("topic", std::string_view(total.topic));
    json.field("outcome", to_string(total.outcome));
    json.field("reason", std::string_view(total.reason));
    json.field("count", static_cast<std::int64_t>(total.count));
    json.end_object();
  }
  json.end_array();
  json.key("failures");
  json.begin_array();
  for (const std::string& failure : audit.failures) json.string(failure);
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
