// DeleteAcls: removes access rules. Without an authorizer the answer is SECURITY_DISABLED.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDeleteAcls{
    .key = 31, .name = "DeleteAcls", .first = 1, .last = 3, .flexible = 2};

struct DeleteAclsRequest {
  static constexpr const Api& kApi = kDeleteAcls;

  struct Filter {
    std::int8_t resource_type_filter = 0;
    std::optional<std::string_view> resource_name_filter;
    std::int8_t pattern_type_filter = 3;
    std::optional<std::string_view> principal_filter;
    std::optional<std::string_view> host_filter;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;

    static constexpr auto fields() {
      return std::array{
          field<&Filter::resource_type_filter>(), field<&Filter::resource_name_filter>(),
          field<&Filter::pattern_type_filter>(),  field<&Filter::principal_filter>(),
          field<&Filter::host_filter>(),          field<&Filter::operation>(),
          field<&Filter::permission_type>()};
    }
  };

  std::vector<Filter> filters;

  static constexpr auto fields() {
    using M = DeleteAclsRequest;
    return std::array{field<&M::filters>()};
  }
};

struct DeleteAclsResponse {
  static constexpr const Api& kApi = kDeleteAcls;

  struct MatchingAcl {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::int8_t pattern_type = 3;
    std::string_view principal;
    std::string_view host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;

    static constexpr auto fields() {
      return std::array{field<&MatchingAcl::error_code>(),     field<&MatchingAcl::error_message>(),
                        field<&MatchingAcl::resource_type>(),  field<&MatchingAcl::resource_name>(),
                        field<&MatchingAcl::pattern_type>(),   field<&MatchingAcl::principal>(),
                        field<&MatchingAcl::host>(),           field<&MatchingAcl::operation>(),
                        field<&MatchingAcl::permission_type>()};
    }
  };

  struct FilterResult {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::vector<MatchingAcl> matching_acls;

    static constexpr auto fields() {
      return std::array{field<&FilterResult::error_code>(), field<&FilterResult::error_message>(),
                        field<&FilterResult::matching_acls>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<FilterResult> filter_results;

  static constexpr auto fields() {
    using M = DeleteAclsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::filter_results>()};
  }
};

}  // namespace adbrook::protocol
