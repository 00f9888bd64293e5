// CreateAcls: adds access rules. Without an authorizer the answer is SECURITY_DISABLED.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kCreateAcls{
    .key = 30, .name = "CreateAcls", .first = 1, .last = 3, .flexible = 2};

struct CreateAclsRequest {
  static constexpr const Api& kApi = kCreateAcls;

  struct Creation {
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::int8_t resource_pattern_type = 3;
    std::string_view principal;
    std::string_view host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;

    static constexpr auto fields() {
      return std::array{field<&Creation::resource_type>(),
                        field<&Creation::resource_name>(),
                        field<&Creation::resource_pattern_type>(),
                        field<&Creation::principal>(),
                        field<&Creation::host>(),
                        field<&Creation::operation>(),
                        field<&Creation::permission_type>()};
    }
  };

  std::vector<Creation> creations;

  static constexpr auto fields() {
    using M = CreateAclsRequest;
    return std::array{field<&M::creations>()};
  }
};

struct CreateAclsResponse {
  static constexpr const Api& kApi = kCreateAcls;

  struct Result {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;

    static constexpr auto fields() {
      return std::array{field<&Result::error_code>(), field<&Result::error_message>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  static constexpr auto fields() {
    using M = CreateAclsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::results>()};
  }
};

}  // namespace adbrook::protocol
