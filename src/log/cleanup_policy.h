// What may go of a topic: cleanup.policy and the settings that belong to it, read from what an
// administrator gave.
#pragma once

#include "log/log_options.h"

namespace adbrook::log {

struct CleanupPolicy {
  bool by_retention = true;             // delete: whole segments by age and size
  bool by_key = false;                  // compact: all but the last record of each key
  Millis delete_retention{86'400'000};  // delete.retention.ms
  double dirty_ratio_min = 0.5;         // min.cleanable.dirty.ratio
  Millis lag_min{0};                    // min.compaction.lag.ms, from a segment's last append
  Millis lag_max{-1};                   // max.compaction.lag.ms; -1: only the ratio counts
};

// Of `config.given`. What is not there or makes no sense is as in CleanupPolicy: whoever lets
// settings in has checked them.
CleanupPolicy cleanup_policy(const TopicConfig& config);

}  // namespace adbrook::log
