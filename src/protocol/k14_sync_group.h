// SyncGroup: the leader of a group hands out its assignment, every member fetches its own.
// 3 brings static members, 5 names the protocol so that a mixed-up member is noticed.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kSyncGroup{
    .key = 14, .name = "SyncGroup", .first = 0, .last = 5, .flexible = 4};

struct SyncGroupRequest {
  static constexpr const Api& kApi = kSyncGroup;

  struct Assignment {
    std::string_view member_id;
    ByteView assignment;

    static constexpr auto fields() {
      return std::array{field<&Assignment::member_id>(), field<&Assignment::assignment>()};
    }
  };

  std::string_view group_id;
  std::int32_t generation_id = 0;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  std::vector<Assignment> assignments;

  static constexpr auto fields() {
    using M = SyncGroupRequest;
    return std::array{field<&M::group_id>(),
                      field<&M::generation_id>(),
                      field<&M::member_id>(),
                      field<&M::group_instance_id>({.since = 3}),
                      field<&M::protocol_type>({.since = 5}),
                      field<&M::protocol_name>({.since = 5}),
                      field<&M::assignments>()};
  }
};

struct SyncGroupResponse {
  static constexpr const Api& kApi = kSyncGroup;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  ByteView assignment;

  static constexpr auto fields() {
    using M = SyncGroupResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 1}), field<&M::error_code>(),
                      field<&M::protocol_type>({.since = 5}),
                      field<&M::protocol_name>({.since = 5}), field<&M::assignment>()};
  }
};

}  // namespace adbrook::protocol
