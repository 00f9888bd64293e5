// LeaveGroup: one member leaves (until 2) or several are removed (from 3), each with its own error.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kLeaveGroup{
    .key = 13, .name = "LeaveGroup", .first = 0, .last = 5, .flexible = 4};

struct LeaveGroupRequest {
  static constexpr const Api& kApi = kLeaveGroup;

  struct Member {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    std::optional<std::string_view> reason;

    static constexpr auto fields() {
      return std::array{field<&Member::member_id>(), field<&Member::group_instance_id>(),
                        field<&Member::reason>({.since = 5})};
    }
  };

  std::string_view group_id;
  std::string_view member_id;
  std::vector<Member> members;

  static constexpr auto fields() {
    using M = LeaveGroupRequest;
    return std::array{field<&M::group_id>(), field<&M::member_id>({.until = 2}),
                      field<&M::members>({.since = 3})};
  }
};

struct LeaveGroupResponse {
  static constexpr const Api& kApi = kLeaveGroup;

  struct Member {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Member::member_id>(), field<&Member::group_instance_id>(),
                        field<&Member::error_code>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Member> members;

  static constexpr auto fields() {
    using M = LeaveGroupResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 1}), field<&M::error_code>(),
                      field<&M::members>({.since = 3})};
  }
};

}  // namespace adbrook::protocol
