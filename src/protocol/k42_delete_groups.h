// DeleteGroups: forgets groups without members, offsets and all.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDeleteGroups{
    .key = 42, .name = "DeleteGroups", .first = 0, .last = 2, .flexible = 2};

struct DeleteGroupsRequest {
  static constexpr const Api& kApi = kDeleteGroups;

  std::vector<std::string_view> groups_names;

  static constexpr auto fields() {
    using M = DeleteGroupsRequest;
    return std::array{field<&M::groups_names>()};
  }
};

struct DeleteGroupsResponse {
  static constexpr const Api& kApi = kDeleteGroups;

  struct Group {
    std::string_view group_id;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Group::group_id>(), field<&Group::error_code>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> results;

  static constexpr auto fields() {
    using M = DeleteGroupsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::results>()};
  }
};

}  // namespace adbrook::protocol
