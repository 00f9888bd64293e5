// Produce: record batches into partitions, the reason why all this is here.
// Before 3 batches have an older format and are not spoken; 0 is advertised all the same, because
// librdkafka up to 2.11 compresses only when it sees 1 and 2 in the range. 8 adds errors of single
// records, 12 adds partitions to a transaction by itself, 13 names topics by id.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kProduce{
    .key = 0, .name = "Produce", .first = 3, .last = 13, .flexible = 9, .advertised_first = 0};

struct ProduceRequest {
  static constexpr const Api& kApi = kProduce;

  struct Partition {
    std::int32_t index = 0;
    Records records;

    static constexpr auto fields() {
      return std::array{field<&Partition::index>(), field<&Partition::records>()};
    }
  };

  struct Topic {
    std::string_view name;
    Uuid topic_id;
    std::vector<Partition> partition_data;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>({.until = 12}), field<&Topic::topic_id>({.since = 13}),
                        field<&Topic::partition_data>()};
    }
  };

  std::optional<std::string_view> transactional_id;
  // -1 all, 1 the leader, 0 no answer at all, also not for an error.
  std::int16_t acks = 0;
  // For replication; one node has nothing to wait for.
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topic_data;

  static constexpr auto fields() {
    using M = ProduceRequest;
    return std::array{field<&M::transactional_id>(), field<&M::acks>(), field<&M::timeout_ms>(),
                      field<&M::topic_data>()};
  }
};

struct ProduceResponse {
  static constexpr const Api& kApi = kProduce;

  struct RecordError {
    std::int32_t batch_index = 0;
    std::optional<std::string_view> batch_index_error_message;

    static constexpr auto fields() {
      return std::array{field<&RecordError::batch_index>(),
                        field<&RecordError::batch_index_error_message>()};
    }
  };

  struct CurrentLeader {
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;

    static constexpr auto fields() {
      return std::array{field<&CurrentLeader::leader_id>(), field<&CurrentLeader::leader_epoch>()};
    }
  };

  struct Partition {
    std::int32_t index = 0;
    ErrorCode error_code = ErrorCode::none;
    // -1 beside an error.
    std::int64_t base_offset = -1;
    // -1 unless the topic's timestamps are the broker's.
    std::int64_t log_append_time_ms = -1;
    std::int64_t log_start_offset = -1;
    std::vector<RecordError> record_errors;
    std::optional<std::string_view> error_message;
    CurrentLeader current_leader;

    static constexpr auto fields() {
      return std::array{field<&Partition::index>(),
                        field<&Partition::error_code>(),
                        field<&Partition::base_offset>(),
                        field<&Partition::log_append_time_ms>(),
                        field<&Partition::log_start_offset>({.since = 5}),
                        field<&Partition::record_errors>({.since = 8}),
                        field<&Partition::error_message>({.since = 8}),
                        field<&Partition::current_leader>({.since = 10, .tag = 0})};
    }
  };

  struct Topic {
    std::string_view name;
    Uuid topic_id;
    std::vector<Partition> partition_responses;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>({.until = 12}), field<&Topic::topic_id>({.since = 13}),
                        field<&Topic::partition_responses>()};
    }
  };

  struct NodeEndpoint {
    std::int32_t node_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::optional<std::string_view> rack;

    static constexpr auto fields() {
      return std::array{field<&NodeEndpoint::node_id>(), field<&NodeEndpoint::host>(),
                        field<&NodeEndpoint::port>(), field<&NodeEndpoint::rack>()};
    }
  };

  std::vector<Topic> responses;
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;

  static constexpr auto fields() {
    using M = ProduceResponse;
    return std::array{field<&M::responses>(), field<&M::throttle_time_ms>(),
                      field<&M::node_endpoints>({.since = 10, .tag = 0})};
  }
};

}  // namespace adbrook::protocol
