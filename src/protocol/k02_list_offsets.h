// ListOffsets: the offset that belongs to a time or to an end of a partition.
// Special times: -1 the end, -2 the start, -3 the highest timestamp (from 7), -4 the local start
// (from 8), -5 the end of the tiered part (from 9), -6 the pending tiered part (from 11).
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kListOffsets{
    .key = 2, .name = "ListOffsets", .first = 1, .last = 11, .flexible = 6};

struct ListOffsetsRequest {
  static constexpr const Api& kApi = kListOffsets;

  struct Partition {
    std::int32_t partition_index = 0;
    // -1: do not check.
    std::int32_t current_leader_epoch = -1;
    std::int64_t timestamp = 0;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(),
                        field<&Partition::current_leader_epoch>({.since = 4}),
                        field<&Partition::timestamp>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::int32_t replica_id = 0;
  std::int8_t isolation_level = 0;
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;

  static constexpr auto fields() {
    using M = ListOffsetsRequest;
    return std::array{field<&M::replica_id>(), field<&M::isolation_level>({.since = 2}),
                      field<&M::topics>(), field<&M::timeout_ms>({.since = 10})};
  }
};

struct ListOffsetsResponse {
  static constexpr const Api& kApi = kListOffsets;

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    // The epoch of that offset, not today's: consumers commit it.
    std::int32_t leader_epoch = -1;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::error_code>(),
                        field<&Partition::timestamp>(), field<&Partition::offset>(),
                        field<&Partition::leader_epoch>({.since = 4})};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = ListOffsetsResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 2}), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
