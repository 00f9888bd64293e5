#include "stream/task_meters.h"

#include <utility>

namespace adbrook::stream {

TaskMeters::TaskMeters(Metrics& metrics, const Task& task)
    : metrics_(metrics),
      labels_{{"group", task.group()}, {"partition", std::to_string(task.topology().partition())}},
      events_(metrics.counter("adbrook_stream_events_total",
                              "Records that a task has taken from its inputs.", labels_)),
      commits_(metrics.counter("adbrook_stream_commits_total", "Commits of a task.", labels_)),
      commit_seconds_(metrics.histogram("adbrook_stream_commit_seconds",
                                        "From handing a commit to the log until it is durable.",
                                        Histogram::duration_bounds(), labels_)),
      memory_(metrics.gauge("adbrook_stream_state_bytes", "Memory of a task's state.", labels_)),
      watermark_(metrics.gauge("adbrook_stream_watermark_seconds",
                               "Event time below which a task expects nothing more.", labels_)),
      pending_(metrics.gauge("adbrook_stream_pending_events",
                             "Events that wait for the event they refer to.", labels_)) {}

void TaskMeters::committed(Nanos took) {
  commits_.add();
  commit_seconds_.observe(std::chrono::duration<double>(took).count());
}

void TaskMeters::show(const Task& task) {
  events_.add(task.event_count() - std::exchange(counted_events_, task.event_count()));
  memory_.set(static_cast<double>(task.memory()));
  watermark_.set(static_cast<double>(task.topology().context().watermark.ms) / 1000);
  pending_.set(static_cast<double>(task.topology().context().counts.pending_total()));
  show_outcomes(task);
}

// Sums over what this task decided, by the topic that first received the events.
void TaskMeters::show_outcomes(const Task& task) {
  const OutcomeCounts& counts = task.topology().context().counts;
  std::map<std::pair<std::string, Outcome>, std::uint64_t> sums;
  for (std::size_t i = 0; i < task.input_count(); ++i)
    for (std::int32_t p = 0; p < task.topology().partition_count(); ++p)
      for (std::size_t o = 0; o < kOutcomeCount; ++o) {
        const auto outcome = static_cast<Outcome>(o);
        const auto n = counts.count({static_cast<std::uint16_t>(i), p}, outcome);
        if (n != 0) sums[{task.input(i).origin_topic(), outcome}] += n;
      }
  for (const auto& [key, sum] : sums) {
    Gauge*& gauge = outcomes_[key];
    if (gauge == nullptr) {
      MetricLabels labels = labels_;
      labels.emplace_back("topic", key.first);
      labels.emplace_back("outcome", to_string(key.second));
      gauge = &metrics_.gauge("adbrook_stream_outcome_events",
                              "Events that a task has ended, by outcome.", std::move(labels));
    }
    gauge->set(static_cast<double>(sum));
  }
}

}  // namespace adbrook::stream
