#include "log/compaction_plan.h"

#include <algorithm>

namespace adbrook::log {
namespace {

// How many of the segments may be compacted: full ones that nobody holds and no open transaction
// reaches, in order. Of what was never compacted nothing younger than the least lag.
std::size_t allowed_count(const Partition::Readers& readers, const CleanupPolicy& cleanup,
                          Timestamp now) {
  const Offset limit = std::min(readers.ends.stable, readers.hold_floor());
  const auto& segments = readers.segments;
  std::size_t count = 0;
  for (; count + 1 < segments.size(); ++count) {
    const Offset end = segments[count + 1]->base();
    const bool young = end > readers.compacted_to && cleanup.lag_min > Millis(0) &&
                       segments[count]->extent().last_append_time >= now - cleanup.lag_min;
    if (end > limit || young) break;
  }
  return count;
}

// Whether the first record that was never compacted waits for longer than it may.
bool is_overdue(const CompactionPlan& plan, Timestamp now) {
  const Millis lag = plan.cleanup.lag_max;
  if (lag <= Millis(0)) return false;
  for (std::size_t i = 0; i < plan.segments.size(); ++i)
    if (plan.segment_ends[i] > plan.dirty_begin)
      return plan.segments[i]->extent().first_append_time < now - lag;
  return false;
}

}  // namespace

std::optional<CompactionPlan> plan_compaction(const std::shared_ptr<Partition>& partition,
                                              Timestamp now) {
  const Partition::Readers& readers = partition->readers;
  CompactionPlan plan{.partition = partition,
                      .segment_bytes = partition->config()->segment_bytes,
                      .cleanup = partition->cleanup()};
  if (!plan.cleanup.by_key || readers.deleted) return std::nullopt;
  plan.dirty_begin = std::max(readers.compacted_to, readers.ends.start);
  double clean = 0, dirty = 0;
  const std::size_t count = allowed_count(readers, plan.cleanup, now);
  for (std::size_t i = 0; i < count; ++i) {
    plan.segments.push_back(readers.segments[i]);
    plan.segment_ends.push_back(readers.segments[i + 1]->base());
    const double size = readers.segments[i]->extent().log_size;
    (plan.segment_ends.back() > plan.dirty_begin ? dirty : clean) += size;
  }
  if (count == 0 || plan.end() <= plan.dirty_begin) return std::nullopt;
  plan.dirty_ratio = dirty / (clean + dirty);
  if (plan.dirty_ratio <= plan.cleanup.dirty_ratio_min && !is_overdue(plan, now))
    return std::nullopt;
  plan.aborted = readers.aborted.describe();
  return plan;
}

}  // namespace adbrook::log
