// OffsetCommit: where a group goes on after a restart.
// Until 4 a client may name a retention time; 6 adds leader epochs, 7 static members, 10 topic ids.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kOffsetCommit{
    .key = 8, .name = "OffsetCommit", .first = 2, .last = 10, .flexible = 8};

struct OffsetCommitRequest {
  static constexpr const Api& kApi = kOffsetCommit;

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string_view> committed_metadata;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::committed_offset>(),
                        field<&Partition::committed_leader_epoch>({.since = 6}),
                        field<&Partition::committed_metadata>()};
    }
  };

  struct Topic {
    std::string_view name;
    Uuid topic_id;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>({.until = 9}), field<&Topic::topic_id>({.since = 10}),
                        field<&Topic::partitions>()};
    }
  };

  std::string_view group_id;
  // -1 with an empty member: a commit from outside of the group.
  std::int32_t generation_id_or_member_epoch = -1;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::int64_t retention_time_ms = -1;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = OffsetCommitRequest;
    return std::array{field<&M::group_id>(),
                      field<&M::generation_id_or_member_epoch>(),
                      field<&M::member_id>(),
                      field<&M::group_instance_id>({.since = 7}),
                      field<&M::retention_time_ms>({.until = 4}),
                      field<&M::topics>()};
  }
};

struct OffsetCommitResponse {
  static constexpr const Api& kApi = kOffsetCommit;

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::error_code>()};
    }
  };

  struct Topic {
    std::string_view name;
    Uuid topic_id;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>({.until = 9}), field<&Topic::topic_id>({.since = 10}),
                        field<&Topic::partitions>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = OffsetCommitResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 3}), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
