#include "bus/kafka_admin.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "bus/kafka_admin_call.h"

namespace adbrook::bus {
namespace {

using Metadata =
    std::unique_ptr<const struct rd_kafka_metadata, KafkaFree<rd_kafka_metadata_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaFree<rd_kafka_NewTopic_destroy>>;
using DeleteTopic =
    std::unique_ptr<rd_kafka_DeleteTopic_t, KafkaFree<rd_kafka_DeleteTopic_destroy>>;
using NewPartitions =
    std::unique_ptr<rd_kafka_NewPartitions_t, KafkaFree<rd_kafka_NewPartitions_destroy>>;
using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, KafkaFree<rd_kafka_ConfigResource_destroy>>;

KafkaTopic topic_of(const rd_kafka_metadata_topic& from) {
  KafkaTopic topic{from.topic, {}};
  for (const auto& p : std::span(from.partitions, static_cast<std::size_t>(from.partition_cnt)))
    topic.partitions.push_back(
        {p.id, p.leader, {p.replicas, p.replicas + p.replica_cnt}, {p.isrs, p.isrs + p.isr_cnt}});
  std::sort(topic.partitions.begin(), topic.partitions.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  return topic;
}

// The error of the one topic that was asked about.
Result<void> check_topics(const KafkaHandle& handle, std::string_view what,
                          const rd_kafka_topic_result_t* const* results, std::size_t count) {
  for (const auto* result : std::span(results, count))
    if (const auto code = rd_kafka_topic_result_error(result); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return pass(handle.error(what, code, rd_kafka_topic_result_error_string(result)));
  return {};
}

Result<void> check_resources(const KafkaHandle& handle, std::string_view what,
                             const rd_kafka_ConfigResource_t* const* resources, std::size_t count) {
  for (const auto* resource : std::span(resources, count))
    if (const auto code = rd_kafka_ConfigResource_error(resource);
        code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return pass(handle.error(what, code, rd_kafka_ConfigResource_error_string(resource)));
  return {};
}

KafkaSetting setting_of(const rd_kafka_ConfigEntry_t* entry) {
  const char* value = rd_kafka_ConfigEntry_value(entry);
  const auto source = rd_kafka_ConfigEntry_source(entry);
  return {rd_kafka_ConfigEntry_name(entry),
          value == nullptr ? std::nullopt : std::optional<std::string>(value),
          rd_kafka_ConfigSource_name(source),
          source == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG,
          rd_kafka_ConfigEntry_is_read_only(entry) == 1,
          rd_kafka_ConfigEntry_is_sensitive(entry) == 1};
}

}  // namespace

KafkaAdmin::KafkaAdmin(std::unique_ptr<KafkaHandle> handle) : handle_(std::move(handle)) {}
KafkaAdmin::KafkaAdmin(KafkaAdmin&&) noexcept = default;
KafkaAdmin& KafkaAdmin::operator=(KafkaAdmin&&) noexcept = default;
KafkaAdmin::~KafkaAdmin() = default;

Result<KafkaAdmin> KafkaAdmin::open(const KafkaOptions& options) {
  // A consumer's handle never creates a topic by asking for it. Ends are high watermarks, as
  // Kafka's own tools show them.
  const std::array<KafkaProperty, 1> defaults = {{{"isolation.level", "read_uncommitted"}}};
  auto handle = KafkaHandle::open(RD_KAFKA_CONSUMER, options, defaults);
  if (!handle) return pass(std::move(handle.error()));
  return KafkaAdmin(std::make_unique<KafkaHandle>(std::move(*handle)));
}

Result<KafkaCluster> KafkaAdmin::cluster() {
  const struct rd_kafka_metadata* answer = nullptr;
  const auto code = rd_kafka_metadata(handle_->get(), 1, nullptr, &answer, handle_->patience_ms());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return pass(handle_->error("ask for metadata", code));
  const Metadata metadata(answer);
  KafkaCluster cluster;
  cluster.answered_by = metadata->orig_broker_id;
  for (const auto& broker :
       std::span(metadata->brokers, static_cast<std::size_t>(metadata->broker_cnt)))
    cluster.brokers.push_back({broker.id, broker.host, broker.port});
  for (const auto& topic :
       std::span(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt)))
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) cluster.topics.push_back(topic_of(topic));
  std::sort(cluster.topics.begin(), cluster.topics.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return cluster;
}

Result<KafkaTopic> KafkaAdmin::topic(const std::string& name) {
  auto all = cluster();
  if (!all) return pass(std::move(all.error()));
  std::vector<std::string_view> names;
  for (auto& topic : all->topics) {
    if (topic.name == name) return std::move(topic);
    names.push_back(topic.name);
  }
  return fail(ErrorKind::not_found, "there is no topic '" + printable(name) + "'" +
                                        did_you_mean(name, names) + "; see `adbrook topics list`");
}

Result<void> KafkaAdmin::create_topic(const KafkaNewTopic& topic) {
  const std::string what = named("create topic", topic.name);
  std::array<char, 256> words{};
  const NewTopic made(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replicas,
                                            words.data(), words.size()));
  if (made == nullptr)
    return fail(ErrorKind::invalid, what + ": " + words.data() + "; correct the flags");
  for (const auto& [name, value] : topic.settings)
    if (const auto code = rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
        code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return pass(handle_->error(what, code));
  auto* pointer = made.get();
  const auto event = ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_CREATETOPICS, what,
                               [&](const auto* options, auto* queue) {
                                 rd_kafka_CreateTopics(handle_->get(), &pointer, 1, options, queue);
                               });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  return check_topics(*handle_, what, results, count);
}

Result<void> KafkaAdmin::delete_topic(const std::string& name) {
  const std::string what = named("delete topic", name);
  const DeleteTopic gone(rd_kafka_DeleteTopic_new(name.c_str()));
  auto* pointer = gone.get();
  const auto event = ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_DELETETOPICS, what,
                               [&](const auto* options, auto* queue) {
                                 rd_kafka_DeleteTopics(handle_->get(), &pointer, 1, options, queue);
                               });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event->get()), &count);
  return check_topics(*handle_, what, results, count);
}

Result<void> KafkaAdmin::grow_topic(const std::string& name, int partition_count) {
  const std::string what = named("add partitions to topic", name);
  std::array<char, 256> words{};
  const NewPartitions grown(rd_kafka_NewPartitions_new(
      name.c_str(), static_cast<std::size_t>(partition_count), words.data(), words.size()));
  if (grown == nullptr)
    return fail(ErrorKind::invalid, what + ": " + words.data() + "; correct --partitions");
  auto* pointer = grown.get();
  const auto event = ask_kafka(
      *handle_, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, what, [&](const auto* options, auto* queue) {
        rd_kafka_CreatePartitions(handle_->get(), &pointer, 1, options, queue);
      });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event->get()), &count);
  return check_topics(*handle_, what, results, count);
}

Result<std::vector<KafkaSetting>> KafkaAdmin::settings(const std::string& topic) {
  const std::string what = named("read the settings of topic", topic);
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  auto* pointer = resource.get();
  const auto event = ask_kafka(
      *handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, what, [&](const auto* options, auto* queue) {
        rd_kafka_DescribeConfigs(handle_->get(), &pointer, 1, options, queue);
      });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  if (auto checked = check_resources(*handle_, what, resources, count); !checked)
    return pass(std::move(checked.error()));
  std::vector<KafkaSetting> settings;
  for (const auto* answered : std::span(resources, count)) {
    std::size_t entry_count = 0;
    const auto* entries = rd_kafka_ConfigResource_configs(answered, &entry_count);
    for (const auto* entry : std::span(entries, entry_count)) settings.push_back(setting_of(entry));
  }
  return settings;
}

Result<void> KafkaAdmin::alter_settings(
    const std::string& topic, std::span<const std::pair<std::string, std::string>> changed,
    std::span<const std::string> removed) {
  const auto before = settings(topic);
  if (!before) return pass(before.error());
  std::map<std::string, std::string> wanted;
  for (const auto& setting : *before)
    if (setting.of_topic && setting.value) wanted[setting.name] = *setting.value;
  for (const auto& [name, value] : changed) wanted[name] = value;
  for (const auto& name : removed) wanted.erase(name);
  const std::string what = named("change the settings of topic", topic);
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  for (const auto& [name, value] : wanted)
    if (const auto code =
            rd_kafka_ConfigResource_set_config(resource.get(), name.c_str(), value.c_str());
        code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return pass(handle_->error(what, code));
  auto* pointer = resource.get();
  const auto event = ask_kafka(*handle_, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, what,
                               [&](const auto* options, auto* queue) {
                                 rd_kafka_AlterConfigs(handle_->get(), &pointer, 1, options, queue);
                               });
  if (!event) return pass(event.error());
  std::size_t count = 0;
  const auto* resources = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event->get()), &count);
  return check_resources(*handle_, what, resources, count);
}

// The offset of each partition at a time or special time; -1 where there is none.
Result<std::vector<Commit::Position>> KafkaAdmin::offsets_for(std::span<const Partition> partitions,
                                                              std::int64_t time,
                                                              std::string_view what) {
  std::vector<Commit::Position> asked;
  for (const auto& partition : partitions) asked.push_back({partition, Offset{time}});
  if (asked.empty()) return asked;
  const auto list = kafka_list(asked);
  const auto code = rd_kafka_offsets_for_times(handle_->get(), list.get(), handle_->patience_ms());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    return pass(handle_->error(what, code));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& answer = list->elems[i];
    asked[i].offset = Offset{answer.err == RD_KAFKA_RESP_ERR_NO_ERROR ? answer.offset : -1};
  }
  return asked;
}

Result<std::vector<KafkaEnds>> KafkaAdmin::ends(std::span<const Partition> partitions) {
  const auto first = offsets_for(partitions, kEarliest, "ask for the first offsets");
  if (!first) return pass(first.error());
  const auto end = offsets_for(partitions, kLatest, "ask for the last offsets");
  if (!end) return pass(end.error());
  std::vector<KafkaEnds> ends;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const Ends found{(*first)[i].offset, (*end)[i].offset};
    const bool known = found.start.value >= 0 && found.end.value >= 0;
    ends.push_back({partitions[i], known ? std::optional(found) : std::nullopt});
  }
  return ends;
}

Result<std::vector<std::optional<Offset>>> KafkaAdmin::offsets_at(
    std::span<const Partition> partitions, Timestamp time) {
  const auto found = offsets_for(partitions, std::max<std::int64_t>(time.ms, 0),
                                 "ask for the offsets at " + format_time(time));
  if (!found) return pass(found.error());
  std::vector<std::optional<Offset>> offsets;
  for (const auto& position : *found)
    offsets.push_back(position.offset.value < 0 ? std::nullopt : std::optional(position.offset));
  return offsets;
}

}  // namespace adbrook::bus
