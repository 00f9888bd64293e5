// EndTxn: commits or aborts a transaction.
// From 5 on the answer carries the producer's next epoch (KIP-890), and every transaction has its
// own.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kEndTxn{.key = 26, .name = "EndTxn", .first = 0, .last = 5, .flexible = 3};

struct EndTxnRequest {
  static constexpr const Api& kApi = kEndTxn;

  std::string_view transactional_id;
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  bool committed = false;

  static constexpr auto fields() {
    using M = EndTxnRequest;
    return std::array{field<&M::transactional_id>(), field<&M::producer_id>(),
                      field<&M::producer_epoch>(), field<&M::committed>()};
  }
};

struct EndTxnResponse {
  static constexpr const Api& kApi = kEndTxn;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;

  static constexpr auto fields() {
    using M = EndTxnResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>(),
                      field<&M::producer_id>({.since = 5}),
                      field<&M::producer_epoch>({.since = 5})};
  }
};

}  // namespace adbrook::protocol
