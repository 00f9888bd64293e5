// The administrator's side of DurableLog: topics come, change and go with a checkpoint.
#include <string>
#include <utility>

#include "base/text.h"
#include "io/random.h"
#include "log/durable_log.h"

namespace adbrook::log {
namespace {

constexpr std::size_t kTopicNameSizeMax = 249;  // as in Kafka
constexpr std::int32_t kPartitionCountMax = 10'000;
constexpr std::size_t kGivenCountMax = 1'000;
constexpr std::size_t kGivenSizeMax = 32'767;

std::unexpected<Error> invalid(const std::string& what) { return fail(ErrorKind::invalid, what); }

Result<void> check_topic_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  bool fine = !name.empty() && name.size() <= kTopicNameSizeMax && name != "." && name != "..";
  for (const char c : name) fine = fine && allowed(c);
  if (fine) return {};
  return invalid("topic name '" + printable(name) +
                 "': use 1 to 249 letters, digits, '.', '_' and '-', as in Kafka");
}

Result<void> check_partition_count(std::string_view topic, std::int32_t count) {
  if (count >= 1 && count <= kPartitionCountMax) return {};
  return invalid("topic '" + printable(topic) + "': " + std::to_string(count) +
                 " partitions; use 1 to " + std::to_string(kPartitionCountMax));
}

Result<void> check_config(std::string_view topic, const TopicConfig& config) {
  bool fits = config.given.size() <= kGivenCountMax;
  for (const auto& [name, value] : config.given)
    fits = fits && name.size() <= kGivenSizeMax && value.size() <= kGivenSizeMax;
  if (fits) return {};
  return invalid("topic '" + printable(topic) + "': its config has more than " +
                 std::to_string(kGivenCountMax) + " settings or one of more than " +
                 std::to_string(kGivenSizeMax) + " bytes; set less");
}

// Never zero or one, which Kafka keeps for itself, and its base64 never begins with '-', which
// command lines take for an option.
Uuid new_topic_uuid() {
  io::SystemRandom random;
  for (;;) {
    const Uuid uuid{random.next(), random.next()};
    if (uuid.high != 0 && uuid.high >> 58 != 62) return uuid;
  }
}

CheckpointedTopic* find(Checkpoint& checkpoint, std::string_view name) {
  for (CheckpointedTopic& topic : checkpoint.topics)
    if (topic.name == name) return &topic;
  return nullptr;
}

void advance_start(Checkpoint& checkpoint, PartitionKey key, Offset start) {
  for (CheckpointedTopic& topic : checkpoint.topics) {
    if (topic.id != key.topic) continue;
    CheckpointedPartition& partition = topic.partitions[static_cast<std::size_t>(key.number)];
    partition.start = std::max(partition.start, start);
    auto& segments = partition.segments;
    while (segments.size() > 1 && segments[1].base <= partition.start)
      segments.erase(segments.begin());
  }
}

}  // namespace

// Topics of a directory that an earlier version wrote have none.
void DurableLog::give_uuids(Checkpoint& checkpoint) {
  for (CheckpointedTopic& topic : checkpoint.topics)
    if (topic.uuid == Uuid{}) topic.uuid = new_topic_uuid();
}

Result<void> DurableLog::make_directories(std::string_view topic, std::int32_t begin,
                                          std::int32_t end) {
  for (std::int32_t i = begin; i < end; ++i) {
    const auto path = directory_.topics() + "/" + partition_directory_name(topic, i);
    if (auto done = files_.make_directories(path); !done) return done;
  }
  return files_.sync_directory(directory_.topics());
}

Result<void> DurableLog::create_topic(std::string_view name, std::int32_t partition_count,
                                      TopicConfig config) {
  if (auto done = check_topic_name(name); !done) return done;
  if (auto done = check_partition_count(name, partition_count); !done) return done;
  if (auto done = check_config(name, config); !done) return done;
  // The directories first, then the checkpoint that names them, then everybody may append: a crash
  // in between leaves empty directories that the next start removes.
  const std::lock_guard lock(topics_mutex_);
  if (const auto existing = state_.topic(name)) {
    if (existing->partition_count == partition_count) return {};
    return fail(ErrorKind::already_exists,
                "topic '" + printable(name) + "' exists with " +
                    std::to_string(existing->partition_count) + " partitions, not " +
                    std::to_string(partition_count) + "; use that number or another name");
  }
  CheckpointedTopic topic{
      .uuid = new_topic_uuid(), .name = std::string(name), .config = std::move(config)};
  topic.partitions.resize(static_cast<std::size_t>(partition_count));
  if (auto done = make_directories(name, 0, partition_count); !done) return done;
  return checkpointer_.run({.edit =
                                [&](Checkpoint& content) {
                                  topic.id = content.next_topic_id++;
                                  content.topics.push_back(topic);
                                },
                            .done = [&] { state_.add_topic(topic); }});
}

Result<void> DurableLog::delete_topic(std::string_view name) {
  const std::lock_guard lock(topics_mutex_);
  const auto topic = state_.topic(name);
  if (!topic) return pass(topic.error());
  // From here on nobody can append; the checkpoint waits for the group that is under way.
  if (auto done = state_.begin_deleting(name); !done) return done;
  const auto done = checkpointer_.run({});
  state_.end_deleting(name, done.has_value());
  if (!done) return done;
  for (std::int32_t i = 0; i < topic->partition_count; ++i) {
    const auto path = directory_.topics() + "/" + partition_directory_name(name, i);
    // Best effort: what stays is removed by the next start.
    const auto names = files_.list(path);
    for (const std::string& file : names.value_or(std::vector<std::string>{}))
      static_cast<void>(files_.remove(path + "/" + file));
    static_cast<void>(files_.remove_directory(path));
  }
  return {};
}

Result<void> DurableLog::create_partitions(std::string_view name, std::int32_t count) {
  if (auto done = check_partition_count(name, count); !done) return done;
  const std::lock_guard lock(topics_mutex_);
  const auto topic = state_.topic(name);
  if (!topic) return pass(topic.error());
  if (count == topic->partition_count) return {};
  if (count < topic->partition_count)
    return invalid("topic '" + printable(name) + "' has " + std::to_string(topic->partition_count) +
                   " partitions and cannot have " + std::to_string(count) + "; a topic only grows");
  if (auto done = make_directories(name, topic->partition_count, count); !done) return done;
  return checkpointer_.run(
      {.edit =
           [&](Checkpoint& content) {
             find(content, name)->partitions.resize(static_cast<std::size_t>(count));
           },
       .done = [&] { state_.add_partitions(name, count); }});
}

Result<void> DurableLog::alter_config(std::string_view name, TopicConfig config) {
  if (auto done = check_config(name, config); !done) return done;
  const std::lock_guard lock(topics_mutex_);
  if (const auto topic = state_.topic(name); !topic) return pass(topic.error());
  return checkpointer_.run(
      {.edit = [&](Checkpoint& content) { find(content, name)->config = config; },
       .done = [&] { state_.set_config(name, config); }});
}

Result<Offset> DurableLog::delete_records(PartitionId id, Offset before) {
  if (auto fine = state_.check_deletion(id, before); !fine) return pass(fine.error());
  const auto partition = state_.partition(id);
  if (partition == nullptr) return before;
  const PartitionKey key = partition->key();
  Offset start = before;
  std::vector<std::shared_ptr<Segment>> dropped;
  // Readers learn of it when it is durable, so that a start which they saw never goes back.
  const auto done =
      checkpointer_.run({.edit = [&](Checkpoint& content) { advance_start(content, key, before); },
                         .done = [&] { start = state_.advance_start(id, before, dropped); }});
  if (!done) return pass(done.error());
  // What stays is removed by the next start.
  for (const auto& segment : dropped)
    for (const std::string& path : segment->paths()) static_cast<void>(files_.remove(path));
  return start;
}

}  // namespace adbrook::log
