// DescribeGroups: state and members of classic groups.
// A group that nobody knows is "Dead" without an error until 5, and GROUP_ID_NOT_FOUND from 6 on.
#pragma once

#include <limits>

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeGroups{
    .key = 15, .name = "DescribeGroups", .first = 0, .last = 6, .flexible = 5};

struct DescribeGroupsRequest {
  static constexpr const Api& kApi = kDescribeGroups;

  std::vector<std::string_view> groups;
  bool include_authorized_operations = false;

  static constexpr auto fields() {
    using M = DescribeGroupsRequest;
    return std::array{field<&M::groups>(), field<&M::include_authorized_operations>({.since = 3})};
  }
};

struct DescribeGroupsResponse {
  static constexpr const Api& kApi = kDescribeGroups;

  struct Member {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    std::string_view client_id;
    std::string_view client_host;
    ByteView member_metadata;
    ByteView member_assignment;

    static constexpr auto fields() {
      return std::array{
          field<&Member::member_id>(),       field<&Member::group_instance_id>({.since = 4}),
          field<&Member::client_id>(),       field<&Member::client_host>(),
          field<&Member::member_metadata>(), field<&Member::member_assignment>()};
    }
  };

  struct Group {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::string_view group_id;
    std::string_view group_state;
    std::string_view protocol_type;
    std::string_view protocol_data;
    std::vector<Member> members;
    std::int32_t authorized_operations = std::numeric_limits<std::int32_t>::min();

    static constexpr auto fields() {
      return std::array{
          field<&Group::error_code>(),    field<&Group::error_message>({.since = 6}),
          field<&Group::group_id>(),      field<&Group::group_state>(),
          field<&Group::protocol_type>(), field<&Group::protocol_data>(),
          field<&Group::members>(),       field<&Group::authorized_operations>({.since = 3})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;

  static constexpr auto fields() {
    using M = DescribeGroupsResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 1}), field<&M::groups>()};
  }
};

}  // namespace adbrook::protocol
