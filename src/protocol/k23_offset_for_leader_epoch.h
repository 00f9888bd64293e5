// OffsetForLeaderEpoch: where an epoch of a partition ended, so that a consumer notices a lost
// tail.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kOffsetForLeaderEpoch{
    .key = 23, .name = "OffsetForLeaderEpoch", .first = 2, .last = 4, .flexible = 4};

struct OffsetForLeaderEpochRequest {
  static constexpr const Api& kApi = kOffsetForLeaderEpoch;

  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition>(), field<&Partition::current_leader_epoch>(),
                        field<&Partition::leader_epoch>()};
    }
  };

  struct Topic {
    std::string_view topic;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic>(), field<&Topic::partitions>()};
    }
  };

  // -1 a consumer, -2 an unknown one.
  std::int32_t replica_id = -2;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = OffsetForLeaderEpochRequest;
    return std::array{field<&M::replica_id>({.since = 3}), field<&M::topics>()};
  }
};

struct OffsetForLeaderEpochResponse {
  static constexpr const Api& kApi = kOffsetForLeaderEpoch;

  struct Partition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    // -1 when the epoch is not known, without an error.
    std::int64_t end_offset = -1;

    static constexpr auto fields() {
      return std::array{field<&Partition::error_code>(), field<&Partition::partition>(),
                        field<&Partition::leader_epoch>(), field<&Partition::end_offset>()};
    }
  };

  struct Topic {
    std::string_view topic;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic>(), field<&Topic::partitions>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = OffsetForLeaderEpochResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
