// DescribeProducers: who has written to a partition and what is open; tools look for hanging
// transactions with it.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeProducers{
    .key = 61, .name = "DescribeProducers", .first = 0, .last = 0, .flexible = 0};

struct DescribeProducersRequest {
  static constexpr const Api& kApi = kDescribeProducers;

  struct Topic {
    std::string_view name;
    std::vector<std::int32_t> partition_indexes;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partition_indexes>()};
    }
  };

  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = DescribeProducersRequest;
    return std::array{field<&M::topics>()};
  }
};

struct DescribeProducersResponse {
  static constexpr const Api& kApi = kDescribeProducers;

  struct Producer {
    std::int64_t producer_id = 0;
    std::int32_t producer_epoch = 0;
    std::int32_t last_sequence = -1;
    std::int64_t last_timestamp = -1;
    std::int32_t coordinator_epoch = 0;
    // -1 when no transaction is open.
    std::int64_t current_txn_start_offset = -1;

    static constexpr auto fields() {
      return std::array{
          field<&Producer::producer_id>(),       field<&Producer::producer_epoch>(),
          field<&Producer::last_sequence>(),     field<&Producer::last_timestamp>(),
          field<&Producer::coordinator_epoch>(), field<&Producer::current_txn_start_offset>()};
    }
  };

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::vector<Producer> active_producers;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::error_code>(),
                        field<&Partition::error_message>(), field<&Partition::active_producers>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = DescribeProducersResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
