// What the outside sees of a task: its metrics, among them the outcome counts that must add up.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "base/metrics.h"
#include "base/time.h"
#include "stream/outcomes.h"
#include "stream/task.h"

namespace adbrook::stream {

// Owned by one thread (the task's); the metrics themselves are thread-safe.
class TaskMeters {
 public:
  TaskMeters(Metrics& metrics, const Task& task);

  void committed(Nanos took);
  // Sets everything to what the task's state says now.
  void show(const Task& task);

 private:
  void show_outcomes(const Task& task);

  Metrics& metrics_;
  MetricLabels labels_;
  Counter& events_;
  Counter& commits_;
  Histogram& commit_seconds_;
  Gauge& memory_;
  Gauge& watermark_;
  Gauge& pending_;
  std::map<std::pair<std::string, Outcome>, Gauge*> outcomes_;  // by origin topic; bounded
  std::uint64_t counted_events_ = 0;
};

}  // namespace adbrook::stream
