// DescribeCluster: the brokers, without the topics. Without it the Java admin client asks Metadata.
#pragma once

#include <limits>

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeCluster{
    .key = 60, .name = "DescribeCluster", .first = 0, .last = 2, .flexible = 0};

struct DescribeClusterRequest {
  static constexpr const Api& kApi = kDescribeCluster;

  bool include_cluster_authorized_operations = false;
  // 1 brokers, 2 controllers.
  std::int8_t endpoint_type = 1;
  bool include_fenced_brokers = false;

  static constexpr auto fields() {
    using M = DescribeClusterRequest;
    return std::array{field<&M::include_cluster_authorized_operations>(),
                      field<&M::endpoint_type>({.since = 1}),
                      field<&M::include_fenced_brokers>({.since = 2})};
  }
};

struct DescribeClusterResponse {
  static constexpr const Api& kApi = kDescribeCluster;

  struct Broker {
    std::int32_t broker_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::optional<std::string_view> rack;
    bool is_fenced = false;

    static constexpr auto fields() {
      return std::array{field<&Broker::broker_id>(), field<&Broker::host>(), field<&Broker::port>(),
                        field<&Broker::rack>(), field<&Broker::is_fenced>({.since = 2})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::int8_t endpoint_type = 1;
  std::string_view cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers;
  std::int32_t cluster_authorized_operations = std::numeric_limits<std::int32_t>::min();

  static constexpr auto fields() {
    using M = DescribeClusterResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>(),
                      field<&M::error_message>(),    field<&M::endpoint_type>({.since = 1}),
                      field<&M::cluster_id>(),       field<&M::controller_id>(),
                      field<&M::brokers>(),          field<&M::cluster_authorized_operations>()};
  }
};

}  // namespace adbrook::protocol
