// SaslHandshake: chooses how a client proves who it is.
// After version 0 the tokens follow without any header, after 1 they come inside SaslAuthenticate.
// 0 must stay in the list, or librdkafka refuses to log in at all.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kSaslHandshake{.key = 17, .name = "SaslHandshake", .first = 0, .last = 1};

struct SaslHandshakeRequest {
  static constexpr const Api& kApi = kSaslHandshake;

  std::string_view mechanism;

  static constexpr auto fields() {
    using M = SaslHandshakeRequest;
    return std::array{field<&M::mechanism>()};
  }
};

struct SaslHandshakeResponse {
  static constexpr const Api& kApi = kSaslHandshake;

  ErrorCode error_code = ErrorCode::none;
  std::vector<std::string_view> mechanisms;

  static constexpr auto fields() {
    using M = SaslHandshakeResponse;
    return std::array{field<&M::error_code>(), field<&M::mechanisms>()};
  }
};

}  // namespace adbrook::protocol
