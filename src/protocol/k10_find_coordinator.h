// FindCoordinator: which broker looks after a group or a transactional id.
// Until 3 one key a request, from 4 on many.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kFindCoordinator{
    .key = 10, .name = "FindCoordinator", .first = 0, .last = 6, .flexible = 3};

struct FindCoordinatorRequest {
  static constexpr const Api& kApi = kFindCoordinator;

  std::string_view key;
  // 0 a group, 1 a transactional id.
  std::int8_t key_type = 0;
  std::vector<std::string_view> coordinator_keys;

  static constexpr auto fields() {
    using M = FindCoordinatorRequest;
    return std::array{field<&M::key>({.until = 3}), field<&M::key_type>({.since = 1}),
                      field<&M::coordinator_keys>({.since = 4})};
  }
};

struct FindCoordinatorResponse {
  static constexpr const Api& kApi = kFindCoordinator;

  struct Coordinator {
    std::string_view key;
    std::int32_t node_id = -1;
    std::string_view host;
    std::int32_t port = -1;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;

    static constexpr auto fields() {
      return std::array{field<&Coordinator::key>(),        field<&Coordinator::node_id>(),
                        field<&Coordinator::host>(),       field<&Coordinator::port>(),
                        field<&Coordinator::error_code>(), field<&Coordinator::error_message>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  // -1, an empty host and -1 mean no broker.
  std::int32_t node_id = -1;
  std::string_view host;
  std::int32_t port = -1;
  std::vector<Coordinator> coordinators;

  static constexpr auto fields() {
    using M = FindCoordinatorResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 1}),
                      field<&M::error_code>({.until = 3}),
                      field<&M::error_message>({.since = 1, .until = 3}),
                      field<&M::node_id>({.until = 3}),
                      field<&M::host>({.until = 3}),
                      field<&M::port>({.until = 3}),
                      field<&M::coordinators>({.since = 4})};
  }
};

}  // namespace adbrook::protocol
