// AddOffsetsToTxn: says which group's offsets a transaction is about to commit.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kAddOffsetsToTxn{
    .key = 25, .name = "AddOffsetsToTxn", .first = 0, .last = 4, .flexible = 3};

struct AddOffsetsToTxnRequest {
  static constexpr const Api& kApi = kAddOffsetsToTxn;

  std::string_view transactional_id;
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::string_view group_id;

  static constexpr auto fields() {
    using M = AddOffsetsToTxnRequest;
    return std::array{field<&M::transactional_id>(), field<&M::producer_id>(),
                      field<&M::producer_epoch>(), field<&M::group_id>()};
  }
};

struct AddOffsetsToTxnResponse {
  static constexpr const Api& kApi = kAddOffsetsToTxn;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  static constexpr auto fields() {
    using M = AddOffsetsToTxnResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>()};
  }
};

}  // namespace adbrook::protocol
