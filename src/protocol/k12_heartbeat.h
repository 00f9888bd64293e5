// Heartbeat: a member of a classic group is alive, and learns of a rebalance.
// 3 brings static members.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kHeartbeat{
    .key = 12, .name = "Heartbeat", .first = 0, .last = 4, .flexible = 4};

struct HeartbeatRequest {
  static constexpr const Api& kApi = kHeartbeat;

  std::string_view group_id;
  std::int32_t generation_id = 0;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;

  static constexpr auto fields() {
    using M = HeartbeatRequest;
    return std::array{field<&M::group_id>(), field<&M::generation_id>(), field<&M::member_id>(),
                      field<&M::group_instance_id>({.since = 3})};
  }
};

struct HeartbeatResponse {
  static constexpr const Api& kApi = kHeartbeat;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  static constexpr auto fields() {
    using M = HeartbeatResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 1}), field<&M::error_code>()};
  }
};

}  // namespace adbrook::protocol
