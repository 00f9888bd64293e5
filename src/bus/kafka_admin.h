// Administration of any Kafka cluster: topics, their settings, the ends of partitions, consumer
// groups and their offsets. Every call asks the brokers and returns with their answer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/bus.h"
#include "bus/kafka_options.h"

namespace adbrook::bus {

class KafkaHandle;

struct KafkaBroker {
  std::int32_t id = 0;
  std::string host;  // as it advertises itself
  int port = 0;
};

struct KafkaPartition {
  std::int32_t number = 0;
  std::int32_t leader = -1;  // -1: nobody leads it now
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync;
};

struct KafkaTopic {
  std::string name;
  std::vector<KafkaPartition> partitions;  // by number
};

struct KafkaCluster {
  std::int32_t answered_by = -1;
  std::vector<KafkaBroker> brokers;
  std::vector<KafkaTopic> topics;  // by name
};

struct KafkaNewTopic {
  std::string name;
  int partitions = -1;  // -1: the cluster's default
  int replicas = -1;
  std::vector<std::pair<std::string, std::string>> settings;
};

struct KafkaSetting {
  std::string name;
  std::optional<std::string> value;  // absent when the broker keeps it secret
  std::string source;                // librdkafka's name of where it comes from
  bool of_topic = false;             // set on the topic itself
  bool read_only = false;
  bool secret = false;
};

struct KafkaGroupName {
  std::string id;
  std::string state;
  bool simple = false;  // offsets without members
};

struct KafkaMember {
  std::string id, client, host, instance;
  std::vector<Partition> assigned;
};

struct KafkaGroup {
  std::string id, state, assignor, coordinator;
  std::vector<KafkaMember> members;
};

// A position of each end; see KafkaAdmin::ends.
struct KafkaEnds {
  Partition partition;
  std::optional<Ends> ends;  // absent when nobody leads the partition
};

// Owned by one thread.
class KafkaAdmin {
 public:
  // invalid: a property that librdkafka refuses. Connects with the first question.
  static Result<KafkaAdmin> open(const KafkaOptions& options);
  KafkaAdmin(KafkaAdmin&&) noexcept;
  KafkaAdmin& operator=(KafkaAdmin&&) noexcept;
  ~KafkaAdmin();

  // Every topic, the internal ones too.
  Result<KafkaCluster> cluster();
  // not_found when there is none; it is never created by asking.
  Result<KafkaTopic> topic(const std::string& name);

  // Returns when the controller says that it exists.
  Result<void> create_topic(const KafkaNewTopic& topic);
  Result<void> delete_topic(const std::string& name);
  Result<void> grow_topic(const std::string& name, int partition_count);

  // In the broker's order.
  Result<std::vector<KafkaSetting>> settings(const std::string& topic);
  // `changed` and `removed` on top of what is set on the topic itself. The protocol's older request
  // replaces all of a topic's settings, so this reads them first; a change by somebody else in
  // between is lost.
  Result<void> alter_settings(const std::string& topic,
                              std::span<const std::pair<std::string, std::string>> changed,
                              std::span<const std::string> removed);

  // First kept offset and high watermark, in the order of `partitions`.
  Result<std::vector<KafkaEnds>> ends(std::span<const Partition> partitions);
  // First offset at or after `time`; absent when every record is older.
  Result<std::vector<std::optional<Offset>>> offsets_at(std::span<const Partition> partitions,
                                                        Timestamp time);

  Result<std::vector<KafkaGroupName>> groups();
  // not_found when the cluster does not know it.
  Result<KafkaGroup> group(const std::string& id);
  // Partitions without a committed offset are left out.
  Result<std::vector<Commit::Position>> committed(const std::string& group);
  // busy while the group has members.
  Result<void> commit(const std::string& group, std::span<const Commit::Position> positions);
  Result<void> delete_group(const std::string& id);

 private:
  explicit KafkaAdmin(std::unique_ptr<KafkaHandle> handle);
  Result<std::vector<Commit::Position>> offsets_for(std::span<const Partition> partitions,
                                                    std::int64_t time, std::string_view what);

  std::unique_ptr<KafkaHandle> handle_;
};

}  // namespace adbrook::bus
