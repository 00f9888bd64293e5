// ConsumerGroupHeartbeat: the one request of a member in the newer group protocol (KIP-848).
// From 1 on the client makes up its member id. What did not change since the last one is null.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kConsumerGroupHeartbeat{
    .key = 68, .name = "ConsumerGroupHeartbeat", .first = 0, .last = 1, .flexible = 0};

struct ConsumerGroupHeartbeatRequest {
  static constexpr const Api& kApi = kConsumerGroupHeartbeat;

  struct TopicPartitions {
    Uuid topic_id;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&TopicPartitions::topic_id>(), field<&TopicPartitions::partitions>()};
    }
  };

  std::string_view group_id;
  std::string_view member_id;
  // 0 joins, -1 leaves, -2 leaves as a static member.
  std::int32_t member_epoch = 0;
  std::optional<std::string_view> instance_id;
  std::optional<std::string_view> rack_id;
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::vector<std::string_view>> subscribed_topic_names;
  std::optional<std::string_view> subscribed_topic_regex;
  std::optional<std::string_view> server_assignor;
  std::optional<std::vector<TopicPartitions>> topic_partitions;

  static constexpr auto fields() {
    using M = ConsumerGroupHeartbeatRequest;
    return std::array{field<&M::group_id>(),
                      field<&M::member_id>(),
                      field<&M::member_epoch>(),
                      field<&M::instance_id>(),
                      field<&M::rack_id>(),
                      field<&M::rebalance_timeout_ms>(),
                      field<&M::subscribed_topic_names>(),
                      field<&M::subscribed_topic_regex>({.since = 1}),
                      field<&M::server_assignor>(),
                      field<&M::topic_partitions>()};
  }
};

struct ConsumerGroupHeartbeatResponse {
  static constexpr const Api& kApi = kConsumerGroupHeartbeat;

  struct TopicPartitions {
    Uuid topic_id;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&TopicPartitions::topic_id>(), field<&TopicPartitions::partitions>()};
    }
  };

  struct Assignment {
    std::vector<TopicPartitions> topic_partitions;

    static constexpr auto fields() { return std::array{field<&Assignment::topic_partitions>()}; }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::optional<std::string_view> member_id;
  std::int32_t member_epoch = 0;
  std::int32_t heartbeat_interval_ms = 0;
  std::optional<Assignment> assignment;

  static constexpr auto fields() {
    using M = ConsumerGroupHeartbeatResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>(),
                      field<&M::error_message>(),    field<&M::member_id>(),
                      field<&M::member_epoch>(),     field<&M::heartbeat_interval_ms>(),
                      field<&M::assignment>()};
  }
};

}  // namespace adbrook::protocol
