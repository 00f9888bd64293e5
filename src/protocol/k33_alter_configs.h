// AlterConfigs: replaces all settings of a resource by those named; what is not named falls back.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kAlterConfigs{
    .key = 33, .name = "AlterConfigs", .first = 0, .last = 2, .flexible = 2};

struct AlterConfigsRequest {
  static constexpr const Api& kApi = kAlterConfigs;

  struct Config {
    std::string_view name;
    std::optional<std::string_view> value;

    static constexpr auto fields() {
      return std::array{field<&Config::name>(), field<&Config::value>()};
    }
  };

  struct Resource {
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::vector<Config> configs;

    static constexpr auto fields() {
      return std::array{field<&Resource::resource_type>(), field<&Resource::resource_name>(),
                        field<&Resource::configs>()};
    }
  };

  std::vector<Resource> resources;
  bool validate_only = false;

  static constexpr auto fields() {
    using M = AlterConfigsRequest;
    return std::array{field<&M::resources>(), field<&M::validate_only>()};
  }
};

struct AlterConfigsResponse {
  static constexpr const Api& kApi = kAlterConfigs;

  struct Resource {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::int8_t resource_type = 0;
    std::string_view resource_name;

    static constexpr auto fields() {
      return std::array{field<&Resource::error_code>(), field<&Resource::error_message>(),
                        field<&Resource::resource_type>(), field<&Resource::resource_name>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> responses;

  static constexpr auto fields() {
    using M = AlterConfigsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::responses>()};
  }
};

}  // namespace adbrook::protocol
