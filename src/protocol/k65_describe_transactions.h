// DescribeTransactions: state, age and partitions of transactional ids.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDescribeTransactions{
    .key = 65, .name = "DescribeTransactions", .first = 0, .last = 0, .flexible = 0};

struct DescribeTransactionsRequest {
  static constexpr const Api& kApi = kDescribeTransactions;

  std::vector<std::string_view> transactional_ids;

  static constexpr auto fields() {
    using M = DescribeTransactionsRequest;
    return std::array{field<&M::transactional_ids>()};
  }
};

struct DescribeTransactionsResponse {
  static constexpr const Api& kApi = kDescribeTransactions;

  struct Topic {
    std::string_view topic;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic>(), field<&Topic::partitions>()};
    }
  };

  struct Transaction {
    ErrorCode error_code = ErrorCode::none;
    std::string_view transactional_id;
    std::string_view transaction_state;
    std::int32_t transaction_timeout_ms = 0;
    // -1 when none is under way.
    std::int64_t transaction_start_time_ms = -1;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    std::vector<Topic> topics;

    static constexpr auto fields() {
      return std::array{field<&Transaction::error_code>(),
                        field<&Transaction::transactional_id>(),
                        field<&Transaction::transaction_state>(),
                        field<&Transaction::transaction_timeout_ms>(),
                        field<&Transaction::transaction_start_time_ms>(),
                        field<&Transaction::producer_id>(),
                        field<&Transaction::producer_epoch>(),
                        field<&Transaction::topics>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Transaction> transaction_states;

  static constexpr auto fields() {
    using M = DescribeTransactionsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::transaction_states>()};
  }
};

}  // namespace adbrook::protocol
