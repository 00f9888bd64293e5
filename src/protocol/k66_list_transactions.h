// ListTransactions: all transactional ids; 1 filters by age, 2 by a pattern of the id.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kListTransactions{
    .key = 66, .name = "ListTransactions", .first = 0, .last = 2, .flexible = 0};

struct ListTransactionsRequest {
  static constexpr const Api& kApi = kListTransactions;

  std::vector<std::string_view> state_filters;
  std::vector<std::int64_t> producer_id_filters;
  // Milliseconds that a transaction runs at least; -1 does not filter.
  std::int64_t duration_filter = -1;
  std::optional<std::string_view> transactional_id_pattern;

  static constexpr auto fields() {
    using M = ListTransactionsRequest;
    return std::array{field<&M::state_filters>(), field<&M::producer_id_filters>(),
                      field<&M::duration_filter>({.since = 1}),
                      field<&M::transactional_id_pattern>({.since = 2})};
  }
};

struct ListTransactionsResponse {
  static constexpr const Api& kApi = kListTransactions;

  struct Transaction {
    std::string_view transactional_id;
    std::int64_t producer_id = 0;
    std::string_view transaction_state;

    static constexpr auto fields() {
      return std::array{field<&Transaction::transactional_id>(), field<&Transaction::producer_id>(),
                        field<&Transaction::transaction_state>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<std::string_view> unknown_state_filters;
  std::vector<Transaction> transaction_states;

  static constexpr auto fields() {
    using M = ListTransactionsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>(),
                      field<&M::unknown_state_filters>(), field<&M::transaction_states>()};
  }
};

}  // namespace adbrook::protocol
