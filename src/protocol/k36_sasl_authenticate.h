// SaslAuthenticate: one step of proving who the client is; the tokens are the mechanism's own.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kSaslAuthenticate{
    .key = 36, .name = "SaslAuthenticate", .first = 0, .last = 2, .flexible = 2};

struct SaslAuthenticateRequest {
  static constexpr const Api& kApi = kSaslAuthenticate;

  ByteView auth_bytes;

  static constexpr auto fields() {
    using M = SaslAuthenticateRequest;
    return std::array{field<&M::auth_bytes>()};
  }
};

struct SaslAuthenticateResponse {
  static constexpr const Api& kApi = kSaslAuthenticate;

  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  ByteView auth_bytes;
  // Above 0 the client proves itself again before that time is over.
  std::int64_t session_lifetime_ms = 0;

  static constexpr auto fields() {
    using M = SaslAuthenticateResponse;
    return std::array{field<&M::error_code>(), field<&M::error_message>(), field<&M::auth_bytes>(),
                      field<&M::session_lifetime_ms>({.since = 1})};
  }
};

}  // namespace adbrook::protocol
