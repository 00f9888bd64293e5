// ApiVersions: what this broker speaks; the first request of most clients.
// A version that is not known is answered in version 0. Answers always have the short header, also
// where the body is flexible. The tagged features switch on protocols of whole clusters.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kApiVersions{
    .key = 18, .name = "ApiVersions", .first = 0, .last = 4, .flexible = 3};

struct ApiVersionsRequest {
  static constexpr const Api& kApi = kApiVersions;

  std::string_view client_software_name;
  std::string_view client_software_version;

  static constexpr auto fields() {
    using M = ApiVersionsRequest;
    return std::array{field<&M::client_software_name>({.since = 3}),
                      field<&M::client_software_version>({.since = 3})};
  }
};

struct ApiVersionsResponse {
  static constexpr const Api& kApi = kApiVersions;

  struct ApiKey {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    static constexpr auto fields() {
      return std::array{field<&ApiKey::api_key>(), field<&ApiKey::min_version>(),
                        field<&ApiKey::max_version>()};
    }
  };

  struct SupportedFeature {
    std::string_view name;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    static constexpr auto fields() {
      return std::array{field<&SupportedFeature::name>(), field<&SupportedFeature::min_version>(),
                        field<&SupportedFeature::max_version>()};
    }
  };

  struct FinalizedFeature {
    std::string_view name;
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;

    static constexpr auto fields() {
      return std::array{field<&FinalizedFeature::name>(),
                        field<&FinalizedFeature::max_version_level>(),
                        field<&FinalizedFeature::min_version_level>()};
    }
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<ApiKey> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  // Below 0 clients ignore the finalized features.
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeature> finalized_features;
  bool zk_migration_ready = false;

  static constexpr auto fields() {
    using M = ApiVersionsResponse;
    return std::array{field<&M::error_code>(),
                      field<&M::api_keys>(),
                      field<&M::throttle_time_ms>({.since = 1}),
                      field<&M::supported_features>({.since = 3, .tag = 0}),
                      field<&M::finalized_features_epoch>({.since = 3, .tag = 1}),
                      field<&M::finalized_features>({.since = 3, .tag = 2}),
                      field<&M::zk_migration_ready>({.since = 3, .tag = 3})};
  }
};

}  // namespace adbrook::protocol
