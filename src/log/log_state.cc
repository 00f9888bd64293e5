#include "log/log_state.h"

#include <algorithm>
#include <ranges>

#include "base/assert.h"
#include "base/text.h"

namespace adbrook::log {
namespace {

std::unexpected<Error> no_such_topic(std::string_view topic) {
  return fail(ErrorKind::not_found,
              "there is no topic '" + printable(topic) + "'; make it first or check the name");
}

std::unexpected<Error> no_such_partition() {
  return fail(ErrorKind::not_found, "there is no such partition; its topic may have been deleted");
}

}  // namespace

std::string partition_directory_name(std::string_view topic, std::int32_t number) {
  return std::string(topic) + "-" + std::to_string(number);
}

// Positions of deleted topics are not written down, so all of these have their partition.
void LogState::restore(const Checkpoint& checkpoint) {
  const std::lock_guard lock(mutex_);
  for (const CheckpointedTopic& topic : checkpoint.topics) add_locked(topic);
  for (const CheckpointedOffset& offset : checkpoint.offsets)
    offsets_[offset.group][offset.partition] = offset.committed;
  next_topic_id_ = std::max(next_topic_id_, checkpoint.next_topic_id);
}

void LogState::add_partition_locked(std::string_view name, Topic& topic,
                                    const CheckpointedPartition& kept) {
  const PartitionKey key{.topic = topic.id,
                         .number = static_cast<std::int32_t>(topic.partitions.size())};
  const PartitionId id{static_cast<std::uint32_t>(partitions_.size())};
  partitions_.push_back(std::make_shared<Partition>(
      files_, key, topics_directory_ + "/" + partition_directory_name(name, key.number),
      topic.config, kept));
  ids_[key] = id;
  topic.partitions.push_back(id);
}

void LogState::add_locked(const CheckpointedTopic& topic) {
  Topic added{.id = topic.id,
              .uuid = topic.uuid,
              .config = std::make_shared<const TopicConfig>(topic.config)};
  for (const CheckpointedPartition& kept : topic.partitions)
    add_partition_locked(topic.name, added, kept);
  topics_[topic.name] = std::move(added);
  next_topic_id_ = std::max(next_topic_id_, topic.id + 1);
}

void LogState::add_topic(const CheckpointedTopic& topic) {
  const std::lock_guard lock(mutex_);
  add_locked(topic);
}

void LogState::add_partitions(std::string_view name, std::int32_t count) {
  const std::lock_guard lock(mutex_);
  const auto topic = topics_.find(name);
  while (std::ssize(topic->second.partitions) < count)
    add_partition_locked(name, topic->second, {});
}

void LogState::set_config(std::string_view name, const TopicConfig& config) {
  const std::lock_guard lock(mutex_);
  Topic& topic = topics_.find(name)->second;
  topic.config = std::make_shared<const TopicConfig>(config);
  for (const PartitionId id : topic.partitions) partitions_[id.value]->set_config(topic.config);
}

// --- looking ---

TopicDescription LogState::describe_topic(const std::string& name, const Topic& topic) {
  return {.name = name,
          .partition_count = static_cast<std::int32_t>(topic.partitions.size()),
          .config = *topic.config,
          .id = topic.uuid};
}

std::vector<TopicDescription> LogState::topics() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicDescription> all;
  for (const auto& [name, topic] : topics_)
    if (!topic.deleting) all.push_back(describe_topic(name, topic));
  return all;
}

Result<TopicDescription> LogState::topic(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end() || found->second.deleting) return no_such_topic(name);
  return describe_topic(found->first, found->second);
}

Result<TopicDescription> LogState::topic(Uuid id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, topic] : topics_)
    if (topic.uuid == id && !topic.deleting) return describe_topic(name, topic);
  return no_such_topic(id.to_string());
}

Result<PartitionId> LogState::find(std::string_view topic, std::int32_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end() || found->second.deleting) return no_such_topic(topic);
  const auto& partitions = found->second.partitions;
  if (number < 0 || static_cast<std::size_t>(number) >= partitions.size())
    return fail(ErrorKind::not_found, "topic '" + printable(topic) + "' has no partition " +
                                          std::to_string(number) + "; it has " +
                                          std::to_string(partitions.size()));
  return partitions[static_cast<std::size_t>(number)];
}

const Partition* LogState::find_locked(PartitionId id) const {
  if (id.value >= partitions_.size()) return nullptr;
  const Partition* const partition = partitions_[id.value].get();
  return partition != nullptr && !partition->readers.deleted ? partition : nullptr;
}

Partition* LogState::find_locked(PartitionId id) {
  return const_cast<Partition*>(std::as_const(*this).find_locked(id));
}

LogState::PartitionPtr LogState::partition(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  return find_locked(id) == nullptr ? nullptr : partitions_[id.value];
}

LogState::PartitionPtr LogState::partition(PartitionKey key) const {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(key);
  return found == ids_.end() ? nullptr : partitions_[found->second.value];
}

std::optional<LogState::Destination> LogState::destination(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  if (find_locked(id) == nullptr) return std::nullopt;
  const PartitionPtr& partition = partitions_[id.value];
  return Destination{.partition = partition, .config = partition->config()};
}

std::vector<LogState::PartitionPtr> LogState::partitions() const {
  const std::lock_guard lock(mutex_);
  std::vector<PartitionPtr> all;
  for (const PartitionPtr& partition : partitions_)
    if (partition != nullptr && !partition->readers.deleted) all.push_back(partition);
  return all;
}

Ends LogState::ends(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  return partition == nullptr ? Ends{} : partition->readers.ends;
}

std::vector<Ends> LogState::ends(const std::vector<PartitionId>& ids) const {
  const std::lock_guard lock(mutex_);
  std::vector<Ends> all;
  all.reserve(ids.size());
  for (const PartitionId id : ids) {
    const Partition* const partition = find_locked(id);
    all.push_back(partition == nullptr ? Ends{} : partition->readers.ends);
  }
  return all;
}

Result<LogState::ReadPlace> LogState::place(PartitionId id, Offset from,
                                            Isolation isolation) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  if (partition == nullptr) return no_such_partition();
  const Ends& ends = partition->readers.ends;
  if (from < ends.start || from > ends.visible)
    return fail(ErrorKind::out_of_range,
                "offset " + std::to_string(from.value) + " is outside what is kept of '" +
                    partition->directory() + "': from " + std::to_string(ends.start.value) +
                    " to " + std::to_string(ends.visible.value) +
                    "; start again at one of these ends");
  ReadPlace place{.end = isolation == Isolation::committed ? ends.stable : ends.visible};
  if (from >= place.end) return place;
  const auto& segments = partition->readers.segments;
  auto above = std::ranges::upper_bound(
      segments, from, {}, [](const std::shared_ptr<Segment>& segment) { return segment->base(); });
  // In front of the first one only when compaction left nothing there.
  if (above == segments.begin()) ++above;
  place.segment = *(above - 1);
  place.segment_end = above == segments.end() ? ends.visible : (*above)->base();
  place.end = std::min(place.end, place.segment_end);
  // Together with the segment: what is aborted in these bytes stays so, whatever is removed later.
  if (isolation == Isolation::committed)
    place.aborted = partition->readers.aborted.look(from, place.end);
  return place;
}

std::vector<std::shared_ptr<Segment>> LogState::segments(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  if (partition == nullptr) return {};
  return partition->readers.segments;
}

bool LogState::has_segment(PartitionId id, const Segment& segment) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  return partition != nullptr &&
         std::ranges::any_of(partition->readers.segments,
                             [&](const auto& one) { return one.get() == &segment; });
}

std::uint64_t LogState::size_on_disk(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  return partition == nullptr ? 0 : partition->readers.size_on_disk();
}

Timestamp LogState::max_timestamp(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  Timestamp most = Timestamp::lowest();
  const Partition* const partition = find_locked(id);
  if (partition == nullptr || partition->readers.ends.start == partition->readers.ends.visible)
    return most;
  for (const auto& segment : partition->readers.segments)
    most = std::max(most, segment->extent().max_timestamp);
  return most;
}

std::optional<CommittedOffset> LogState::committed(std::string_view group, PartitionId id) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  const auto found = offsets_.find(group);
  if (partition == nullptr || found == offsets_.end()) return std::nullopt;
  const auto committed = found->second.find(partition->key());
  if (committed == found->second.end()) return std::nullopt;
  return committed->second;
}

std::vector<GroupOffset> LogState::group_offsets(std::string_view group) const {
  const std::lock_guard lock(mutex_);
  std::vector<GroupOffset> all;
  const auto found = offsets_.find(group);
  if (found == offsets_.end()) return all;
  for (const auto& [name, topic] : topics_) {
    for (std::size_t i = 0; i < topic.partitions.size() && !topic.deleting; ++i) {
      const auto number = static_cast<std::int32_t>(i);
      const auto committed = found->second.find({.topic = topic.id, .number = number});
      if (committed != found->second.end()) all.push_back({name, number, committed->second});
    }
  }
  return all;
}

std::vector<std::string> LogState::groups_with_offsets() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [group, offsets] : offsets_) all.push_back(group);
  return all;
}

io::Step LogState::wait(PartitionId id, Offset offset, Isolation isolation, io::Step step) {
  const std::lock_guard lock(mutex_);
  Partition* const partition = find_locked(id);
  // A step that is woken for nothing costs one read; one that sleeps for ever costs its task.
  // Nothing will ever come to a deleted partition; the next read says so.
  if (partition == nullptr) return step;
  auto& readers = partition->readers;
  const bool committed = isolation == Isolation::committed;
  if ((committed ? readers.ends.stable : readers.ends.visible) > offset) return step;
  (committed ? readers.waiting_stable : readers.waiting).emplace(offset, std::move(step));
  return {};
}

void LogState::hold(std::string_view holder, PartitionId id, Offset offset) {
  const std::lock_guard lock(mutex_);
  Partition* const partition = find_locked(id);
  if (partition != nullptr) partition->readers.holds[std::string(holder)] = offset;
}

// --- changing ---

void LogState::publish(const std::vector<PartitionPtr>& written, std::vector<OffsetChange> offsets,
                       std::vector<io::Step>& woken) {
  const std::lock_guard lock(mutex_);
  // Under one lock for all partitions: this is the moment at which the whole group becomes visible.
  for (const PartitionPtr& partition : written) partition->publish(woken);
  for (OffsetChange& change : offsets) {
    if (change.committed)
      offsets_[std::move(change.group)][change.partition] = std::move(*change.committed);
    else
      forget_offset_locked(change.group, change.partition);
  }
}

void LogState::forget_offset_locked(std::string_view group, PartitionKey key) {
  const auto found = offsets_.find(group);
  if (found == offsets_.end()) return;
  found->second.erase(key);
  if (found->second.empty()) offsets_.erase(found);
}

Checkpoint LogState::describe() const {
  const std::lock_guard lock(mutex_);
  Checkpoint checkpoint{.next_topic_id = next_topic_id_};
  for (const auto& [name, topic] : topics_) {
    if (topic.deleting) continue;
    CheckpointedTopic& kept = checkpoint.topics.emplace_back();
    kept = {.id = topic.id, .uuid = topic.uuid, .name = name, .config = *topic.config};
    for (const PartitionId id : topic.partitions)
      kept.partitions.push_back(partitions_[id.value]->describe());
  }
  for (const auto& [group, offsets] : offsets_) {
    for (const auto& [key, committed] : offsets) {
      const auto id = ids_.find(key);
      // A topic that is being deleted takes its positions with it.
      if (id == ids_.end() || find_locked(id->second) == nullptr) continue;
      checkpoint.offsets.push_back({.partition = key, .group = group, .committed = committed});
    }
  }
  return checkpoint;
}

Result<void> LogState::begin_deleting(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end() || found->second.deleting) return no_such_topic(name);
  found->second.deleting = true;
  for (const PartitionId id : found->second.partitions)
    partitions_[id.value]->readers.deleted = true;
  return {};
}

void LogState::end_deleting(std::string_view name, bool deleted) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  found->second.deleting = false;
  for (const PartitionId id : found->second.partitions) {
    PartitionPtr& partition = partitions_[id.value];
    partition->readers.deleted = deleted;
    if (!deleted) continue;
    // The number in partitions_ is never used again: an old PartitionId must not reach a new topic.
    ids_.erase(partition->key());
    for (auto& [group, offsets] : offsets_) offsets.erase(partition->key());
    std::erase_if(offsets_, [](const auto& group) { return group.second.empty(); });
    partition.reset();
  }
  if (deleted) topics_.erase(found);
}

std::size_t LogState::expired_count(const Partition& partition, Timestamp now) {
  const auto& segments = partition.readers.segments;
  const TopicConfig& config = *partition.config();
  if (!partition.cleanup().by_retention) return 0;
  const Offset floor = partition.readers.hold_floor();
  std::int64_t size = 0;
  for (const auto& segment : segments) size += segment->extent().log_size;
  std::size_t count = 0;
  for (; count + 1 < segments.size(); ++count) {
    const SegmentExtent extent = segments[count]->extent();
    const bool old =
        config.retention >= Millis(0) && extent.last_append_time + config.retention < now;
    // As in Kafka: what is left still has at least this many bytes.
    const bool over = config.retention_bytes >= Bytes{0} &&
                      size - extent.log_size >= config.retention_bytes.count;
    // In order, and never beyond what a task still needs: what is kept has no hole.
    if ((!old && !over) || segments[count + 1]->base() > floor) break;
    size -= extent.log_size;
  }
  return count;
}

bool LogState::anything_expired(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(partitions_, [&](const PartitionPtr& partition) {
    return partition != nullptr && !partition->readers.deleted &&
           expired_count(*partition, now) > 0;
  });
}

std::vector<std::shared_ptr<Segment>> LogState::drop_expired(Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Segment>> dropped;
  for (const PartitionPtr& partition : partitions_) {
    if (partition == nullptr || partition->readers.deleted) continue;
    const std::size_t count = expired_count(*partition, now);
    if (count == 0) continue;
    const Offset start = partition->readers.segments[count]->base();
    partition->readers.advance_start(start, dropped);
  }
  return dropped;
}

std::optional<CompactionPlan> LogState::plan_compaction(
    Timestamp now, const std::set<PartitionKey>& skipped) const {
  const std::lock_guard lock(mutex_);
  std::optional<CompactionPlan> dirtiest;
  for (const PartitionPtr& partition : partitions_) {
    if (partition == nullptr || skipped.contains(partition->key())) continue;
    auto plan = log::plan_compaction(partition, now);
    if (plan && (!dirtiest || plan->dirty_ratio > dirtiest->dirty_ratio))
      dirtiest = std::move(plan);
  }
  return dirtiest;
}

bool LogState::replace(const CompactedRun& run) {
  const std::lock_guard lock(mutex_);
  const auto id = ids_.find(run.partition);
  Partition* const partition = id == ids_.end() ? nullptr : find_locked(id->second);
  if (partition == nullptr) return false;
  auto& readers = partition->readers;
  // Retention or a deletion may have taken some of them meanwhile.
  const auto found = std::ranges::search(readers.segments, run.sources);
  if (found.empty()) return false;
  const auto place = readers.segments.erase(found.begin(), found.end());
  if (run.compacted != nullptr) readers.segments.insert(place, run.compacted);
  // With the markers that are not there any more, so that no reader waits for one.
  readers.aborted.remove_ended_at(run.removed_ends);
  if (run.compacted_to) readers.compacted_to = *run.compacted_to;
  return true;
}

Result<void> LogState::check_deletion(PartitionId id, Offset before) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  if (partition == nullptr) return no_such_partition();
  const Ends& ends = partition->readers.ends;
  if (before < Offset{0} || before > ends.visible)
    return fail(ErrorKind::out_of_range,
                "offset " + std::to_string(before.value) + " is no place in '" +
                    partition->directory() + "', which ends at " +
                    std::to_string(ends.visible.value) + "; delete up to there at most");
  if (before <= partition->readers.hold_floor()) return {};
  return fail(ErrorKind::busy, "records below " + std::to_string(before.value) + " of '" +
                                   partition->directory() + "' are still read, from " +
                                   std::to_string(partition->readers.hold_floor().value) +
                                   " on; delete up to there or wait");
}

Offset LogState::advance_start(PartitionId id, Offset before,
                               std::vector<std::shared_ptr<Segment>>& dropped) {
  const std::lock_guard lock(mutex_);
  Partition* const partition = find_locked(id);
  if (partition == nullptr) return before;
  partition->readers.advance_start(before, dropped);
  return partition->readers.ends.start;
}

}  // namespace adbrook::log
