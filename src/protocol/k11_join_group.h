// JoinGroup: enters a group, or stays in it for its next generation.
// 4 makes a new member come twice (MEMBER_ID_REQUIRED), 5 brings static members, 9 lets a returning
// leader skip the assignment.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kJoinGroup{
    .key = 11, .name = "JoinGroup", .first = 0, .last = 9, .flexible = 6};

struct JoinGroupRequest {
  static constexpr const Api& kApi = kJoinGroup;

  struct Protocol {
    std::string_view name;
    ByteView metadata;

    static constexpr auto fields() {
      return std::array{field<&Protocol::name>(), field<&Protocol::metadata>()};
    }
  };

  std::string_view group_id;
  std::int32_t session_timeout_ms = 0;
  // -1 in version 0, which has none: the session timeout stands in.
  std::int32_t rebalance_timeout_ms = -1;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::string_view protocol_type;
  // In the member's order of liking.
  std::vector<Protocol> protocols;
  std::optional<std::string_view> reason;

  static constexpr auto fields() {
    using M = JoinGroupRequest;
    return std::array{field<&M::group_id>(),
                      field<&M::session_timeout_ms>(),
                      field<&M::rebalance_timeout_ms>({.since = 1}),
                      field<&M::member_id>(),
                      field<&M::group_instance_id>({.since = 5}),
                      field<&M::protocol_type>(),
                      field<&M::protocols>(),
                      field<&M::reason>({.since = 8})};
  }
};

struct JoinGroupResponse {
  static constexpr const Api& kApi = kJoinGroup;

  struct Member {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    ByteView metadata;

    static constexpr auto fields() {
      return std::array{field<&Member::member_id>(),
                        field<&Member::group_instance_id>({.since = 5}),
                        field<&Member::metadata>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t generation_id = -1;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  std::string_view leader;
  bool skip_assignment = false;
  std::string_view member_id;
  // For the leader only.
  std::vector<Member> members;

  static constexpr auto fields() {
    using M = JoinGroupResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 2}),
                      field<&M::error_code>(),
                      field<&M::generation_id>(),
                      field<&M::protocol_type>({.since = 7}),
                      field<&M::protocol_name>({.nullable = 7}),
                      field<&M::leader>(),
                      field<&M::skip_assignment>({.since = 9}),
                      field<&M::member_id>(),
                      field<&M::members>()};
  }
};

}  // namespace adbrook::protocol
