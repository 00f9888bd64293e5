// CreateTopics: makes topics, each with an error of its own.
// From 4 on -1 partitions or replicas are the broker's default; 5 tells what was made, 7 its id.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kCreateTopics{
    .key = 19, .name = "CreateTopics", .first = 2, .last = 7, .flexible = 5};

struct CreateTopicsRequest {
  static constexpr const Api& kApi = kCreateTopics;

  struct Assignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids;

    static constexpr auto fields() {
      return std::array{field<&Assignment::partition_index>(), field<&Assignment::broker_ids>()};
    }
  };

  struct Config {
    std::string_view name;
    std::optional<std::string_view> value;

    static constexpr auto fields() {
      return std::array{field<&Config::name>(), field<&Config::value>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::int32_t num_partitions = 0;
    std::int16_t replication_factor = 0;
    std::vector<Assignment> assignments;
    std::vector<Config> configs;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::num_partitions>(),
                        field<&Topic::replication_factor>(), field<&Topic::assignments>(),
                        field<&Topic::configs>()};
    }
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;

  static constexpr auto fields() {
    using M = CreateTopicsRequest;
    return std::array{field<&M::topics>(), field<&M::timeout_ms>(), field<&M::validate_only>()};
  }
};

struct CreateTopicsResponse {
  static constexpr const Api& kApi = kCreateTopics;

  struct Config {
    std::string_view name;
    std::optional<std::string_view> value;
    bool read_only = false;
    // 5 is a default; the Java client throws at the -1 that the schema proposes.
    std::int8_t config_source = 5;
    bool is_sensitive = false;

    static constexpr auto fields() {
      return std::array{field<&Config::name>(), field<&Config::value>(),
                        field<&Config::read_only>(), field<&Config::config_source>(),
                        field<&Config::is_sensitive>()};
    }
  };

  struct Topic {
    std::string_view name;
    Uuid topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    ErrorCode topic_config_error_code = ErrorCode::none;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    // Empty rather than null, for the same client.
    std::optional<std::vector<Config>> configs{std::in_place};

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(),
                        field<&Topic::topic_id>({.since = 7}),
                        field<&Topic::error_code>(),
                        field<&Topic::error_message>(),
                        field<&Topic::num_partitions>({.since = 5}),
                        field<&Topic::replication_factor>({.since = 5}),
                        field<&Topic::configs>({.since = 5}),
                        field<&Topic::topic_config_error_code>({.since = 5, .tag = 0})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = CreateTopicsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
