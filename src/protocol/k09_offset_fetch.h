// OffsetFetch: what OffsetCommit has kept.
// Until 7 a request asks for one group at its top; from 8 on for many, each with its own error.
// Null topics ask for all of a group (from 2). 10 names topics by id.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kOffsetFetch{
    .key = 9, .name = "OffsetFetch", .first = 1, .last = 10, .flexible = 6};

struct OffsetFetchRequest {
  static constexpr const Api& kApi = kOffsetFetch;

  struct Topic {
    std::string_view name;
    Uuid topic_id;
    std::vector<std::int32_t> partition_indexes;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>({.until = 9}), field<&Topic::topic_id>({.since = 10}),
                        field<&Topic::partition_indexes>()};
    }
  };

  struct Group {
    std::string_view group_id;
    std::optional<std::string_view> member_id;
    std::int32_t member_epoch = -1;
    std::optional<std::vector<Topic>> topics{std::in_place};

    static constexpr auto fields() {
      return std::array{field<&Group::group_id>(), field<&Group::member_id>({.since = 9}),
                        field<&Group::member_epoch>({.since = 9}), field<&Group::topics>()};
    }
  };

  std::string_view group_id;
  std::optional<std::vector<Topic>> topics{std::in_place};
  std::vector<Group> groups;
  bool require_stable = false;

  static constexpr auto fields() {
    using M = OffsetFetchRequest;
    return std::array{field<&M::group_id>({.until = 7}),
                      field<&M::topics>({.until = 7, .nullable = 2}),
                      field<&M::groups>({.since = 8}), field<&M::require_stable>({.since = 7})};
  }
};

struct OffsetFetchResponse {
  static constexpr const Api& kApi = kOffsetFetch;

  struct Partition {
    std::int32_t partition_index = 0;
    // -1 and no error when nothing is committed, also in a group that nobody knows: clients take an
    // error here for a broken group.
    std::int64_t committed_offset = -1;
    std::int32_t committed_leader_epoch = -1;
    // Empty, never null.
    std::optional<std::string_view> metadata = "";
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::committed_offset>(),
                        field<&Partition::committed_leader_epoch>({.since = 5}),
                        field<&Partition::metadata>(), field<&Partition::error_code>()};
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

  struct Group {
    std::string_view group_id;
    std::vector<Topic> topics;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Group::group_id>(), field<&Group::topics>(),
                        field<&Group::error_code>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;

  static constexpr auto fields() {
    using M = OffsetFetchResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 3}), field<&M::topics>({.until = 7}),
                      field<&M::error_code>({.since = 2, .until = 7}),
                      field<&M::groups>({.since = 8})};
  }
};

}  // namespace adbrook::protocol
