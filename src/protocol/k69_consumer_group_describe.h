// ConsumerGroupDescribe: groups of the newer protocol. Admin clients ask this first and take
// DescribeGroups for those that are not.
#pragma once

#include <limits>

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kConsumerGroupDescribe{
    .key = 69, .name = "ConsumerGroupDescribe", .first = 0, .last = 1, .flexible = 0};

struct ConsumerGroupDescribeRequest {
  static constexpr const Api& kApi = kConsumerGroupDescribe;

  std::vector<std::string_view> group_ids;
  bool include_authorized_operations = false;

  static constexpr auto fields() {
    using M = ConsumerGroupDescribeRequest;
    return std::array{field<&M::group_ids>(), field<&M::include_authorized_operations>()};
  }
};

struct ConsumerGroupDescribeResponse {
  static constexpr const Api& kApi = kConsumerGroupDescribe;

  struct TopicPartitions {
    Uuid topic_id;
    std::string_view topic_name;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&TopicPartitions::topic_id>(), field<&TopicPartitions::topic_name>(),
                        field<&TopicPartitions::partitions>()};
    }
  };

  struct Assignment {
    std::vector<TopicPartitions> topic_partitions;

    static constexpr auto fields() { return std::array{field<&Assignment::topic_partitions>()}; }
  };

  struct Member {
    std::string_view member_id;
    std::optional<std::string_view> instance_id;
    std::optional<std::string_view> rack_id;
    std::int32_t member_epoch = 0;
    std::string_view client_id;
    std::string_view client_host;
    std::vector<std::string_view> subscribed_topic_names;
    std::optional<std::string_view> subscribed_topic_regex;
    Assignment assignment;
    Assignment target_assignment;
    std::int8_t member_type = -1;

    static constexpr auto fields() {
      return std::array{field<&Member::member_id>(),
                        field<&Member::instance_id>(),
                        field<&Member::rack_id>(),
                        field<&Member::member_epoch>(),
                        field<&Member::client_id>(),
                        field<&Member::client_host>(),
                        field<&Member::subscribed_topic_names>(),
                        field<&Member::subscribed_topic_regex>(),
                        field<&Member::assignment>(),
                        field<&Member::target_assignment>(),
                        field<&Member::member_type>({.since = 1})};
    }
  };

  struct Group {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::string_view group_id;
    std::string_view group_state;
    std::int32_t group_epoch = 0;
    std::int32_t assignment_epoch = 0;
    std::string_view assignor_name;
    std::vector<Member> members;
    std::int32_t authorized_operations = std::numeric_limits<std::int32_t>::min();

    static constexpr auto fields() {
      return std::array{field<&Group::error_code>(),
                        field<&Group::error_message>(),
                        field<&Group::group_id>(),
                        field<&Group::group_state>(),
                        field<&Group::group_epoch>(),
                        field<&Group::assignment_epoch>(),
                        field<&Group::assignor_name>(),
                        field<&Group::members>(),
                        field<&Group::authorized_operations>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;

  static constexpr auto fields() {
    using M = ConsumerGroupDescribeResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::groups>()};
  }
};

}  // namespace adbrook::protocol
