// Dispatch, versions, metadata and topics, asked by whole frames.
#include "broker/broker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/broker_test_bed.h"
#include "protocol/k03_metadata.h"
#include "protocol/k12_heartbeat.h"
#include "protocol/k18_api_versions.h"
#include "protocol/k19_create_topics.h"
#include "protocol/k20_delete_topics.h"
#include "protocol/k32_describe_configs.h"
#include "protocol/k35_describe_log_dirs.h"
#include "protocol/k37_create_partitions.h"
#include "protocol/k44_incremental_alter_configs.h"
#include "protocol/k60_describe_cluster.h"

namespace adbrook::broker {
namespace broker_test {

using namespace protocol;  // NOLINT: tests name many messages

class BrokerTest : public testing::Test {
 protected:
  ErrorCode create(std::string_view name, std::int32_t partitions = 1,
                   std::vector<CreateTopicsRequest::Config> configs = {},
                   std::int16_t replicas = 1) {
    CreateTopicsRequest request;
    request.topics.push_back({.name = name,
                              .num_partitions = partitions,
                              .replication_factor = replicas,
                              .configs = std::move(configs)});
    return bed.ask<CreateTopicsResponse>(request).message.topics.at(0).error_code;
  }
  Answered<MetadataResponse> metadata(std::string_view name, bool make = false,
                                      std::int16_t version = kMetadata.last) {
    MetadataRequest request;
    request.topics->push_back({.name = name});
    request.allow_auto_topic_creation = make;
    return bed.ask<MetadataResponse>(request, version);
  }
  std::string config_of(std::string_view topic, std::string_view name) {
    DescribeConfigsRequest request;
    request.resources.push_back({.resource_type = 2, .resource_name = topic});
    request.resources[0].configuration_keys.reset();
    const auto answer = bed.ask<DescribeConfigsResponse>(request);
    for (const auto& config : answer->results.at(0).configs)
      if (config.name == name) return std::string(config.value.value_or("(null)"));
    return "(missing)";
  }

  BrokerBed bed;
};

TEST_F(BrokerTest, api_versions_is_what_dispatch_answers) {
  const auto answer = bed.ask<ApiVersionsResponse>(
      ApiVersionsRequest{.client_software_name = "t", .client_software_version = "1"});
  EXPECT_EQ(answer->error_code, ErrorCode::none);
  ASSERT_EQ(answer->api_keys.size(), bed.broker->apis().entries().size());
  for (const auto& listed : answer->api_keys) {
    const auto* entry = bed.broker->apis().find(listed.api_key);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(listed.max_version, entry->api.last);
    EXPECT_EQ(listed.min_version, entry->api.advertised_first);
  }
}

TEST_F(BrokerTest, minimums_that_old_clients_need_stay_at_zero) {
  const auto answer = bed.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 0);
  for (const std::int16_t key : {0, 11, 17}) {
    const auto found =
        std::ranges::find(answer->api_keys, key, &ApiVersionsResponse::ApiKey::api_key);
    ASSERT_NE(found, answer->api_keys.end());
    EXPECT_EQ(found->min_version, 0) << key;
  }
}

TEST_F(BrokerTest, features_are_told_to_those_who_know_them) {
  ApiVersionsRequest request{.client_software_name = "t", .client_software_version = "1"};
  const auto newest = bed.ask<ApiVersionsResponse>(request, 4);
  EXPECT_EQ(newest->finalized_features_epoch, 0);
  const auto& finalized = newest->finalized_features;
  const auto found = std::ranges::find(finalized, "transaction.version",
                                       &ApiVersionsResponse::FinalizedFeature::name);
  ASSERT_NE(found, finalized.end());
  EXPECT_EQ(found->max_version_level, 2);
  EXPECT_EQ(newest->supported_features.size(), finalized.size());
  const auto older = bed.ask<ApiVersionsResponse>(request, 3);
  EXPECT_EQ(older->finalized_features.size(), finalized.size());
  EXPECT_TRUE(older->supported_features.empty()) << "their ranges begin with 0";
}

TEST_F(BrokerTest, api_versions_of_an_unknown_version_is_answered_in_version_0) {
  Buffer frame(8);
  store_be(frame.data(), std::int16_t{18});
  store_be(frame.data() + 2, std::int16_t{99});
  store_be(frame.data() + 4, std::int32_t{1});
  for (const int byte : {0, 1, 0x78, 0, 0xFF, 0xFF}) frame.push_back(static_cast<std::byte>(byte));
  const auto answer = bed.send_frame<ApiVersionsResponse>(std::move(frame), 0);
  ASSERT_EQ(answer->kind, Reply::Kind::answer) << answer->why;
  EXPECT_EQ(answer->message.error_code, ErrorCode::unsupported_version);
  ASSERT_EQ(answer->message.api_keys.size(), 1u);
  EXPECT_EQ(answer->message.api_keys[0].api_key, 18);
  EXPECT_EQ(answer->message.api_keys[0].max_version, kApiVersions.last);
}

TEST_F(BrokerTest, a_client_without_a_proper_name_is_told_so) {
  const auto answer = bed.ask<ApiVersionsResponse>(
      ApiVersionsRequest{.client_software_name = "-bad", .client_software_version = "1"});
  EXPECT_EQ(answer->error_code, ErrorCode::invalid_request);
}

TEST_F(BrokerTest, what_is_not_offered_or_does_not_parse_hangs_up) {
  Buffer unknown(10);
  store_be(unknown.data(), std::int16_t{999});
  EXPECT_EQ(bed.send_frame<HeartbeatResponse>(unknown, 0)->kind, Reply::Kind::hang_up);
  EXPECT_EQ(bed.send_frame<HeartbeatResponse>(Buffer(3), 0)->kind, Reply::Kind::hang_up);
  Buffer frame = request_frame(HeartbeatRequest{.group_id = "g"}, 4, 1, "c").joined();
  frame.erase(frame.begin(), frame.begin() + kSizePrefix);
  frame.pop_back();
  EXPECT_EQ(bed.send_frame<HeartbeatResponse>(frame, 4)->kind, Reply::Kind::hang_up);
  store_be(frame.data() + 2, std::int16_t{5});
  EXPECT_EQ(bed.send_frame<HeartbeatResponse>(frame, 4)->kind, Reply::Kind::hang_up);
}

// Librdkafka 2.0.2 ends ListGroups 4 and OffsetFetch 7 so.
TEST_F(BrokerTest, a_byte_behind_the_end_of_a_request_is_ignored) {
  Buffer frame = request_frame(HeartbeatRequest{.group_id = "g"}, 4, 1, "c").joined();
  frame.erase(frame.begin(), frame.begin() + kSizePrefix);
  frame.push_back(std::byte{0});
  const auto answer = bed.send_frame<HeartbeatResponse>(frame, 4);
  ASSERT_EQ(answer->kind, Reply::Kind::answer);
  EXPECT_EQ(answer->message.error_code, ErrorCode::unknown_member_id);
}

TEST_F(BrokerTest, metadata_tells_each_client_the_address_it_can_reach) {
  const auto answer = bed.ask<MetadataResponse>(MetadataRequest{});
  ASSERT_EQ(answer->brokers.size(), 1u);
  EXPECT_EQ(answer->brokers[0].host, "broker.example");
  EXPECT_EQ(answer->brokers[0].port, 9092);
  EXPECT_EQ(answer->controller_id, answer->brokers[0].node_id);
  EXPECT_EQ(answer->cluster_id->size(), 22u);
  EXPECT_TRUE(answer->topics.empty());
}

TEST_F(BrokerTest, an_empty_list_asks_for_all_topics_only_in_version_0) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  EXPECT_EQ(bed.ask<MetadataResponse>(MetadataRequest{}, 0)->topics.size(), 3u);
  EXPECT_EQ(bed.ask<MetadataResponse>(MetadataRequest{}, 1)->topics.size(), 0u);
  MetadataRequest all;
  all.topics.reset();
  EXPECT_EQ(bed.ask<MetadataResponse>(all, 1)->topics.size(), 3u);
}

TEST_F(BrokerTest, a_topic_is_made_when_its_metadata_is_asked_for) {
  EXPECT_EQ(metadata("t")->topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
  const auto made = metadata("t", true);
  EXPECT_EQ(made->topics.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(made->topics.at(0).partitions.size(), 1u);
  EXPECT_EQ(metadata("a b", true)->topics.at(0).error_code, ErrorCode::invalid_topic_exception);
  // Versions that cannot say it always allow it.
  EXPECT_EQ(metadata("u", false, 3)->topics.at(0).error_code, ErrorCode::none);
}

TEST_F(BrokerTest, ids_and_the_cluster_survive_a_restart_and_change_with_the_topic) {
  create("t");
  const auto before = metadata("t");
  const Uuid id = before->topics.at(0).topic_id;
  const std::string cluster(*before->cluster_id);
  bed.crash();
  EXPECT_EQ(metadata("t")->topics.at(0).topic_id, id);
  EXPECT_EQ(*metadata("t")->cluster_id, cluster);
  MetadataRequest by_id;
  by_id.topics->push_back({.topic_id = id});
  EXPECT_EQ(bed.ask<MetadataResponse>(by_id)->topics.at(0).name, "t");
  by_id.topics->at(0).name = "";
  EXPECT_EQ(bed.ask<MetadataResponse>(by_id)->topics.at(0).name, "t") << "as Java's client asks";
  DeleteTopicsRequest gone;
  gone.topics.push_back({.name = "t"});
  EXPECT_EQ(bed.ask<DeleteTopicsResponse>(gone)->responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(bed.ask<MetadataResponse>(by_id)->topics.at(0).error_code, ErrorCode::unknown_topic_id);
  create("t");
  EXPECT_NE(metadata("t")->topics.at(0).topic_id, id);
}

TEST_F(BrokerTest, each_topic_is_refused_with_its_own_code) {
  EXPECT_EQ(create("t"), ErrorCode::none);
  EXPECT_EQ(create("t"), ErrorCode::topic_already_exists);
  EXPECT_EQ(create(""), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(create(std::string(250, 'x')), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(create("a.b"), ErrorCode::none);
  EXPECT_EQ(create("a_b"), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(create("u", 0), ErrorCode::invalid_partitions);
  EXPECT_EQ(create("u", 1, {}, 3), ErrorCode::invalid_replication_factor);
  EXPECT_EQ(create("u", 1, {{"no.such.thing", "1"}}), ErrorCode::invalid_config);
  EXPECT_EQ(create("u", 1, {{"retention.ms", "soon"}}), ErrorCode::invalid_config);
  EXPECT_EQ(create("u", -1, {}, -1), ErrorCode::none);
}

TEST_F(BrokerTest, what_was_made_is_told_without_nulls) {
  CreateTopicsRequest request;
  request.topics.push_back({.name = "t", .num_partitions = 3, .replication_factor = -1});
  const auto answer = bed.ask<CreateTopicsResponse>(request);
  const auto& topic = answer->topics.at(0);
  EXPECT_EQ(topic.num_partitions, 3);
  EXPECT_EQ(topic.replication_factor, 1);
  ASSERT_TRUE(topic.configs && !topic.configs->empty());
  for (const auto& config : *topic.configs) EXPECT_GE(config.config_source, 1);
}

TEST_F(BrokerTest, the_engines_topics_stay) {
  ASSERT_TRUE(bed.log.log->create_topic("impressions", 1, {}));
  DeleteTopicsRequest request;
  request.topics.push_back({.name = "impressions"});
  request.topics.push_back({.name = "__consumer_offsets"});
  request.topics.push_back({.name = "absent"});
  const auto answer = bed.ask<DeleteTopicsResponse>(request);
  EXPECT_EQ(answer->responses.at(0).error_code, ErrorCode::topic_authorization_failed);
  EXPECT_EQ(answer->responses.at(1).error_code, ErrorCode::topic_authorization_failed);
  EXPECT_EQ(answer->responses.at(2).error_code, ErrorCode::unknown_topic_or_partition);
  CreatePartitionsRequest more;
  more.topics.push_back({.name = "impressions", .count = 5, .assignments = std::nullopt});
  EXPECT_EQ(bed.ask<CreatePartitionsResponse>(more)->results.at(0).error_code,
            ErrorCode::topic_authorization_failed);
}

TEST_F(BrokerTest, settings_are_changed_one_by_one_and_the_others_stay) {
  create("t", 1, {{"retention.ms", "1000"}, {"cleanup.policy", "compact"}});
  IncrementalAlterConfigsRequest request;
  request.resources.push_back({.resource_type = 2, .resource_name = "t"});
  request.resources[0].configs = {{"max.message.bytes", 0, "5000"},
                                  {"retention.ms", 1, std::nullopt},
                                  {"cleanup.policy", 2, "delete"}};
  EXPECT_EQ(bed.ask<IncrementalAlterConfigsResponse>(request)->responses.at(0).error_code,
            ErrorCode::none);
  bed.crash();
  EXPECT_EQ(config_of("t", "max.message.bytes"), "5000");
  EXPECT_EQ(config_of("t", "retention.ms"), "604800000");
  EXPECT_EQ(config_of("t", "cleanup.policy"), "compact,delete");
  EXPECT_EQ(bed.log.log->topic("t")->config.message_bytes_max.count, 5000);
}

TEST_F(BrokerTest, every_setting_that_clients_look_for_is_described) {
  create("t");
  for (const std::string_view name : {"cleanup.policy",
                                      "compression.type",
                                      "delete.retention.ms",
                                      "file.delete.delay.ms",
                                      "flush.messages",
                                      "flush.ms",
                                      "index.interval.bytes",
                                      "max.message.bytes",
                                      "max.compaction.lag.ms",
                                      "message.timestamp.type",
                                      "message.timestamp.before.max.ms",
                                      "message.timestamp.after.max.ms",
                                      "min.cleanable.dirty.ratio",
                                      "min.compaction.lag.ms",
                                      "min.insync.replicas",
                                      "preallocate",
                                      "retention.bytes",
                                      "retention.ms",
                                      "segment.bytes",
                                      "segment.index.bytes",
                                      "segment.jitter.ms",
                                      "segment.ms",
                                      "unclean.leader.election.enable"})
    EXPECT_NE(config_of("t", name), "(missing)") << name;
}

TEST_F(BrokerTest, the_brokers_own_settings_are_told_as_numbers) {
  DescribeConfigsRequest request;
  request.resources.push_back({.resource_type = 4, .resource_name = "1"});
  request.resources[0].configuration_keys.reset();
  const auto answer = bed.ask<DescribeConfigsResponse>(request);
  std::map<std::string, std::string> told;
  for (const auto& config : answer->results.at(0).configs)
    told.emplace(config.name, config.value.value_or("(null)"));
  EXPECT_EQ(told["advertised.listeners"], "PLAINTEXT://broker.example:9092");
  EXPECT_EQ(told["offsets.retention.minutes"], "10080");
  EXPECT_EQ(told["log.retention.ms"], "604800000");
  EXPECT_EQ(told["message.max.bytes"], "1048588");
  EXPECT_EQ(told["auto.create.topics.enable"], "true");
  EXPECT_EQ(told["num.partitions"], "1");
  request.resources[0].resource_name = "7";
  EXPECT_EQ(bed.ask<DescribeConfigsResponse>(request)->results.at(0).error_code,
            ErrorCode::invalid_request);
}

TEST_F(BrokerTest, partitions_grow_and_show_up_in_the_directory) {
  create("t", 2);
  CreatePartitionsRequest request;
  request.topics.push_back({.name = "t", .count = 2, .assignments = std::nullopt});
  EXPECT_EQ(bed.ask<CreatePartitionsResponse>(request)->results.at(0).error_code,
            ErrorCode::invalid_partitions);
  request.topics[0].count = 5;
  EXPECT_EQ(bed.ask<CreatePartitionsResponse>(request)->results.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(metadata("t")->topics.at(0).partitions.size(), 5u);
  DescribeLogDirsRequest dirs;
  dirs.topics->push_back({.topic = "t"});
  const auto answer = bed.ask<DescribeLogDirsResponse>(dirs);
  EXPECT_EQ(answer->results.at(0).topics.at(0).partitions.size(), 5u);
}

TEST_F(BrokerTest, the_cluster_is_described) {
  const auto answer = bed.ask<DescribeClusterResponse>(DescribeClusterRequest{});
  EXPECT_EQ(answer->brokers.at(0).host, "broker.example");
  EXPECT_EQ(answer->controller_id, answer->brokers.at(0).broker_id);
}

}  // namespace broker_test
}  // namespace adbrook::broker
