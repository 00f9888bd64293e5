// InitProducerId: the id and epoch of an idempotent or transactional producer.
// 3 lets a producer ask for a higher epoch of the id it has. 6 (two-phase commit) is not stable in
// Kafka and not spoken here.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kInitProducerId{
    .key = 22, .name = "InitProducerId", .first = 0, .last = 5, .flexible = 2};

struct InitProducerIdRequest {
  static constexpr const Api& kApi = kInitProducerId;

  // Null for a producer that is only idempotent.
  std::optional<std::string_view> transactional_id;
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;

  static constexpr auto fields() {
    using M = InitProducerIdRequest;
    return std::array{field<&M::transactional_id>(), field<&M::transaction_timeout_ms>(),
                      field<&M::producer_id>({.since = 3}),
                      field<&M::producer_epoch>({.since = 3})};
  }
};

struct InitProducerIdResponse {
  static constexpr const Api& kApi = kInitProducerId;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;

  static constexpr auto fields() {
    using M = InitProducerIdResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>(),
                      field<&M::producer_id>(), field<&M::producer_epoch>()};
  }
};

}  // namespace adbrook::protocol
