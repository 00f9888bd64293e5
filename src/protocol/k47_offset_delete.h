// OffsetDelete: forgets committed offsets of topics that the group does not read any more.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kOffsetDelete{.key = 47, .name = "OffsetDelete", .first = 0, .last = 0};

struct OffsetDeleteRequest {
  static constexpr const Api& kApi = kOffsetDelete;

  struct Partition {
    std::int32_t partition_index = 0;

    static constexpr auto fields() { return std::array{field<&Partition::partition_index>()}; }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::string_view group_id;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = OffsetDeleteRequest;
    return std::array{field<&M::group_id>(), field<&M::topics>()};
  }
};

struct OffsetDeleteResponse {
  static constexpr const Api& kApi = kOffsetDelete;

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::error_code>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  ErrorCode error_code = ErrorCode::none;
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = OffsetDeleteResponse;
    return std::array{field<&M::error_code>(), field<&M::throttle_time_ms>(), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
