// IncrementalAlterConfigs: changes single settings and leaves the others alone.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kIncrementalAlterConfigs{
    .key = 44, .name = "IncrementalAlterConfigs", .first = 0, .last = 1, .flexible = 1};

struct IncrementalAlterConfigsRequest {
  static constexpr const Api& kApi = kIncrementalAlterConfigs;

  struct Config {
    std::string_view name;
    // 0 set, 1 delete, 2 append to a list, 3 take out of a list.
    std::int8_t config_operation = 0;
    std::optional<std::string_view> value;

    static constexpr auto fields() {
      return std::array{field<&Config::name>(), field<&Config::config_operation>(),
                        field<&Config::value>()};
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
    using M = IncrementalAlterConfigsRequest;
    return std::array{field<&M::resources>(), field<&M::validate_only>()};
  }
};

struct IncrementalAlterConfigsResponse {
  static constexpr const Api& kApi = kIncrementalAlterConfigs;

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
    using M = IncrementalAlterConfigsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::responses>()};
  }
};

}  // namespace adbrook::protocol
