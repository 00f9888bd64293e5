// DescribeConfigs: settings of topics and brokers, all of them with where they come from.
// An answer with gaps makes clients that read, change and write back wipe what was missing.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeConfigs{
    .key = 32, .name = "DescribeConfigs", .first = 1, .last = 4, .flexible = 4};

struct DescribeConfigsRequest {
  static constexpr const Api& kApi = kDescribeConfigs;

  struct Resource {
    // 2 a topic, 4 a broker.
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    // Null asks for all.
    std::optional<std::vector<std::string_view>> configuration_keys{std::in_place};

    static constexpr auto fields() {
      return std::array{field<&Resource::resource_type>(), field<&Resource::resource_name>(),
                        field<&Resource::configuration_keys>()};
    }
  };

  std::vector<Resource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;

  static constexpr auto fields() {
    using M = DescribeConfigsRequest;
    return std::array{field<&M::resources>(), field<&M::include_synonyms>(),
                      field<&M::include_documentation>({.since = 3})};
  }
};

struct DescribeConfigsResponse {
  static constexpr const Api& kApi = kDescribeConfigs;

  struct Synonym {
    std::string_view name;
    std::optional<std::string_view> value;
    std::int8_t source = 0;

    static constexpr auto fields() {
      return std::array{field<&Synonym::name>(), field<&Synonym::value>(),
                        field<&Synonym::source>()};
    }
  };

  struct Config {
    std::string_view name;
    std::optional<std::string_view> value;
    bool read_only = false;
    // 1 the topic's own, 4 the settings file, 5 a default. The Java client throws at -1.
    std::int8_t config_source = 5;
    bool is_sensitive = false;
    std::vector<Synonym> synonyms;
    std::int8_t config_type = 0;
    std::optional<std::string_view> documentation;

    static constexpr auto fields() {
      return std::array{field<&Config::name>(),
                        field<&Config::value>(),
                        field<&Config::read_only>(),
                        field<&Config::config_source>(),
                        field<&Config::is_sensitive>(),
                        field<&Config::synonyms>(),
                        field<&Config::config_type>({.since = 3}),
                        field<&Config::documentation>({.since = 3})};
    }
  };

  struct Resource {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::vector<Config> configs;

    static constexpr auto fields() {
      return std::array{field<&Resource::error_code>(), field<&Resource::error_message>(),
                        field<&Resource::resource_type>(), field<&Resource::resource_name>(),
                        field<&Resource::configs>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> results;

  static constexpr auto fields() {
    using M = DescribeConfigsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::results>()};
  }
};

}  // namespace adbrook::protocol
