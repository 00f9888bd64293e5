// DescribeLogDirs: how much disk each partition takes.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeLogDirs{
    .key = 35, .name = "DescribeLogDirs", .first = 1, .last = 4, .flexible = 2};

struct DescribeLogDirsRequest {
  static constexpr const Api& kApi = kDescribeLogDirs;

  struct Topic {
    std::string_view topic;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic>(), field<&Topic::partitions>()};
    }
  };

  // Null asks for all.
  std::optional<std::vector<Topic>> topics{std::in_place};

  static constexpr auto fields() {
    using M = DescribeLogDirsRequest;
    return std::array{field<&M::topics>()};
  }
};

struct DescribeLogDirsResponse {
  static constexpr const Api& kApi = kDescribeLogDirs;

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t partition_size = 0;
    std::int64_t offset_lag = 0;
    bool is_future_key = false;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::partition_size>(),
                        field<&Partition::offset_lag>(), field<&Partition::is_future_key>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  struct LogDir {
    ErrorCode error_code = ErrorCode::none;
    std::string_view log_dir;
    std::vector<Topic> topics;
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;

    static constexpr auto fields() {
      return std::array{field<&LogDir::error_code>(), field<&LogDir::log_dir>(),
                        field<&LogDir::topics>(), field<&LogDir::total_bytes>({.since = 4}),
                        field<&LogDir::usable_bytes>({.since = 4})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<LogDir> results;

  static constexpr auto fields() {
    using M = DescribeLogDirsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>({.since = 3}),
                      field<&M::results>()};
  }
};

}  // namespace adbrook::protocol
