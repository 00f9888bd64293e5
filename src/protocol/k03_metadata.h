// Metadata: which brokers and topics there are and who leads each partition.
// In version 0 an empty list asks for all topics; from 1 on null does, and empty asks for none. 10
// brings topic ids, 12 topics that are known by id only.
#pragma once

#include <limits>

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kMetadata{.key = 3, .name = "Metadata", .first = 0, .last = 13, .flexible = 9};

struct MetadataRequest {
  static constexpr const Api& kApi = kMetadata;

  struct Topic {
    Uuid topic_id;
    std::optional<std::string_view> name;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic_id>({.since = 10}),
                        field<&Topic::name>({.nullable = 10})};
    }
  };

  std::optional<std::vector<Topic>> topics{std::in_place};
  // Versions before 4 cannot say it and always allow it.
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  static constexpr auto fields() {
    using M = MetadataRequest;
    return std::array{field<&M::topics>({.nullable = 1}),
                      field<&M::allow_auto_topic_creation>({.since = 4}),
                      field<&M::include_cluster_authorized_operations>({.since = 8, .until = 10}),
                      field<&M::include_topic_authorized_operations>({.since = 8})};
  }
};

struct MetadataResponse {
  static constexpr const Api& kApi = kMetadata;

  struct Broker {
    std::int32_t node_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::optional<std::string_view> rack;

    static constexpr auto fields() {
      return std::array{field<&Broker::node_id>(), field<&Broker::host>(), field<&Broker::port>(),
                        field<&Broker::rack>({.since = 1})};
    }
  };

  struct Partition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes;
    std::vector<std::int32_t> isr_nodes;
    std::vector<std::int32_t> offline_replicas;

    static constexpr auto fields() {
      return std::array{field<&Partition::error_code>(),
                        field<&Partition::partition_index>(),
                        field<&Partition::leader_id>(),
                        field<&Partition::leader_epoch>({.since = 7}),
                        field<&Partition::replica_nodes>(),
                        field<&Partition::isr_nodes>(),
                        field<&Partition::offline_replicas>({.since = 5})};
    }
  };

  struct Topic {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> name;
    Uuid topic_id;
    bool is_internal = false;
    std::vector<Partition> partitions;
    std::int32_t topic_authorized_operations = std::numeric_limits<std::int32_t>::min();

    static constexpr auto fields() {
      return std::array{field<&Topic::error_code>(),
                        field<&Topic::name>({.nullable = 12}),
                        field<&Topic::topic_id>({.since = 10}),
                        field<&Topic::is_internal>({.since = 1}),
                        field<&Topic::partitions>(),
                        field<&Topic::topic_authorized_operations>({.since = 8})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<std::string_view> cluster_id;
  // Must be one of the brokers listed, else admin clients find no controller.
  std::int32_t controller_id = -1;
  std::vector<Topic> topics;
  std::int32_t cluster_authorized_operations = std::numeric_limits<std::int32_t>::min();
  ErrorCode error_code = ErrorCode::none;

  static constexpr auto fields() {
    using M = MetadataResponse;
    return std::array{field<&M::throttle_time_ms>({.since = 3}),
                      field<&M::brokers>(),
                      field<&M::cluster_id>({.since = 2}),
                      field<&M::controller_id>({.since = 1}),
                      field<&M::topics>(),
                      field<&M::cluster_authorized_operations>({.since = 8, .until = 10}),
                      field<&M::error_code>({.since = 13})};
  }
};

}  // namespace adbrook::protocol
