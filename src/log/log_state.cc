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
    offsets_[offset.group][offset.partition] = offset.offset;
  next_topic_id_ = std::max(next_topic_id_, checkpoint.next_topic_id);
}

void LogState::add_locked(const CheckpointedTopic& topic) {
  Topic added{.id = topic.id, .config = topic.config};
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const PartitionKey key{.topic = topic.id, .number = static_cast<std::int32_t>(i)};
    const PartitionId id{static_cast<std::uint32_t>(partitions_.size())};
    partitions_.push_back(std::make_shared<Partition>(
        files_, key, topics_directory_ + "/" + partition_directory_name(topic.name, key.number),
        topic.config, topic.partitions[i]));
    ids_[key] = id;
    added.partitions.push_back(id);
  }
  topics_[topic.name] = std::move(added);
  next_topic_id_ = std::max(next_topic_id_, topic.id + 1);
}

void LogState::add_topic(const CheckpointedTopic& topic) {
  const std::lock_guard lock(mutex_);
  add_locked(topic);
}

// --- looking ---

std::vector<TopicDescription> LogState::topics() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicDescription> all;
  for (const auto& [name, topic] : topics_)
    if (!topic.deleting)
      all.push_back({name, static_cast<std::int32_t>(topic.partitions.size()), topic.config});
  return all;
}

Result<TopicDescription> LogState::topic(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end() || found->second.deleting) return no_such_topic(name);
  const Topic& topic = found->second;
  return TopicDescription{found->first, static_cast<std::int32_t>(topic.partitions.size()),
                          topic.config};
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

Result<std::shared_ptr<Segment>> LogState::segment_at(PartitionId id, Offset from) const {
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
  if (from == ends.visible) return nullptr;
  const auto& segments = partition->readers.segments;
  const auto above = std::ranges::upper_bound(
      segments, from, {}, [](const std::shared_ptr<Segment>& segment) { return segment->base(); });
  ADBROOK_ASSERT(above != segments.begin(), "every kept offset is in a segment");
  return *(above - 1);
}

std::vector<std::shared_ptr<Segment>> LogState::segments(PartitionId id) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  if (partition == nullptr) return {};
  return partition->readers.segments;
}

Offset LogState::committed(std::string_view group, PartitionId id) const {
  const std::lock_guard lock(mutex_);
  const Partition* const partition = find_locked(id);
  const auto found = offsets_.find(group);
  if (partition == nullptr || found == offsets_.end()) return {-1};
  const auto offset = found->second.find(partition->key());
  return offset == found->second.end() ? Offset{-1} : offset->second;
}

io::Step LogState::wait(PartitionId id, Offset offset, io::Step step) {
  const std::lock_guard lock(mutex_);
  Partition* const partition = find_locked(id);
  // A step that is woken for nothing costs one read; one that sleeps for ever costs its task.
  // Nothing will ever come to a deleted partition; the next read says so.
  if (partition == nullptr || partition->readers.ends.visible > offset) return step;
  partition->readers.waiting.emplace(offset, std::move(step));
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
  for (OffsetChange& change : offsets)
    offsets_[std::move(change.group)][change.partition] = change.offset;
}

Checkpoint LogState::describe() const {
  const std::lock_guard lock(mutex_);
  Checkpoint checkpoint{.next_topic_id = next_topic_id_};
  for (const auto& [name, topic] : topics_) {
    if (topic.deleting) continue;
    CheckpointedTopic& kept = checkpoint.topics.emplace_back();
    kept = {.id = topic.id, .name = name, .config = topic.config};
    for (const PartitionId id : topic.partitions)
      kept.partitions.push_back(partitions_[id.value]->describe());
  }
  for (const auto& [group, offsets] : offsets_) {
    for (const auto& [key, offset] : offsets) {
      const auto id = ids_.find(key);
      // A topic that is being deleted takes its positions with it.
      if (id == ids_.end() || find_locked(id->second) == nullptr) continue;
      checkpoint.offsets.push_back({.partition = key, .offset = offset, .group = group});
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
    partition.reset();
  }
  if (deleted) topics_.erase(found);
}

std::size_t LogState::expired_count(const Partition& partition, Timestamp now) {
  const auto& segments = partition.readers.segments;
  const TopicConfig& config = partition.config();
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
    auto& segments = partition->readers.segments;
    const auto end = segments.begin() + static_cast<std::ptrdiff_t>(expired_count(*partition, now));
    dropped.insert(dropped.end(), segments.begin(), end);
    segments.erase(segments.begin(), end);
    if (!segments.empty()) partition->readers.ends.start = segments.front()->base();
  }
  return dropped;
}

}  // namespace adbrook::log
