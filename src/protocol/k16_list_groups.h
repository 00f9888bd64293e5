// ListGroups: all groups here; 4 filters by state, 5 by type.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kListGroups{
    .key = 16, .name = "ListGroups", .first = 0, .last = 5, .flexible = 3};

struct ListGroupsRequest {
  static constexpr const Api& kApi = kListGroups;

  std::vector<std::string_view> states_filter;
  std::vector<std::string_view> types_filter;

  static constexpr auto fields() {
    using M = ListGroupsRequest;
    return std::array{field<&M::states_filter>({.since = 4}),
                      field<&M::types_filter>({.since = 5})};
  }
};

struct ListGroupsResponse {
  static constexpr const Api& kApi = kListGroups;

  struct Group {
    std::string_view group_id;
    std::string_view protocol_type;
    std::string_view group_state;
    std::string_view group_type;

    static constexpr auto fields() {
      return std::array{field<&Group::group_id>(), field<&Group::protocol_type>(),
                        field<&Group::group_state>({.since = 4}),
                        field<&Group::group_type>({.since = 5})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;

  static constexpr auto fields() {
    using M = ListGroupsResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 1}), field<&M::error_code>(),
                      field<&M::groups>()};
  }
};

}  // namespace adbrook::protocol
