// DescribeAcls: lists access rules. Without an authorizer the answer is SECURITY_DISABLED.
// kafka-python 2.0 reads version 2 in the list as "a broker of 2.5 or newer".
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeAcls{
    .key = 29, .name = "DescribeAcls", .first = 1, .last = 3, .flexible = 2};

struct DescribeAclsRequest {
  static constexpr const Api& kApi = kDescribeAcls;

  std::int8_t resource_type_filter = 0;
  std::optional<std::string_view> resource_name_filter;
  std::int8_t pattern_type_filter = 3;
  std::optional<std::string_view> principal_filter;
  std::optional<std::string_view> host_filter;
  std::int8_t operation = 0;
  std::int8_t permission_type = 0;

  static constexpr auto fields() {
    using M = DescribeAclsRequest;
    return std::array{field<&M::resource_type_filter>(), field<&M::resource_name_filter>(),
                      field<&M::pattern_type_filter>(),  field<&M::principal_filter>(),
                      field<&M::host_filter>(),          field<&M::operation>(),
                      field<&M::permission_type>()};
  }
};

struct DescribeAclsResponse {
  static constexpr const Api& kApi = kDescribeAcls;

  struct Acl {
    std::string_view principal;
    std::string_view host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;

    static constexpr auto fields() {
      return std::array{field<&Acl::principal>(), field<&Acl::host>(), field<&Acl::operation>(),
                        field<&Acl::permission_type>()};
    }
  };

  struct Resource {
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::int8_t pattern_type = 3;
    std::vector<Acl> acls;

    static constexpr auto fields() {
      return std::array{field<&Resource::resource_type>(), field<&Resource::resource_name>(),
                        field<&Resource::pattern_type>(), field<&Resource::acls>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::vector<Resource> resources;

  static constexpr auto fields() {
    using M = DescribeAclsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>(),
                      field<&M::error_message>(), field<&M::resources>()};
  }
};

}  // namespace adbrook::protocol
