// AddPartitionsToTxn: says which partitions a transaction is about to write.
// 4 and 5 are the form that brokers use among themselves; they stay away from the list, because
// some clients would choose them.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kAddPartitionsToTxn{
    .key = 24, .name = "AddPartitionsToTxn", .first = 0, .last = 3, .flexible = 3};

struct AddPartitionsToTxnRequest {
  static constexpr const Api& kApi = kAddPartitionsToTxn;

  struct Topic {
    std::string_view name;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::string_view v3_and_below_transactional_id;
  std::int64_t v3_and_below_producer_id = 0;
  std::int16_t v3_and_below_producer_epoch = 0;
  std::vector<Topic> v3_and_below_topics;

  static constexpr auto fields() {
    using M = AddPartitionsToTxnRequest;
    return std::array{field<&M::v3_and_below_transactional_id>(),
                      field<&M::v3_and_below_producer_id>(),
                      field<&M::v3_and_below_producer_epoch>(), field<&M::v3_and_below_topics>()};
  }
};

struct AddPartitionsToTxnResponse {
  static constexpr const Api& kApi = kAddPartitionsToTxn;

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode partition_error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(),
                        field<&Partition::partition_error_code>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> results_by_partition;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::results_by_partition>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results_by_topic_v3_and_below;

  static constexpr auto fields() {
    using M = AddPartitionsToTxnResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::results_by_topic_v3_and_below>()};
  }
};

}  // namespace adbrook::protocol
