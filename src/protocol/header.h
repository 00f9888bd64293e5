// What stands before every message: a size, then which API in which version and for which of the
// connection's requests. Whole frames are built here, and headers of arriving ones are read.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/codec.h"

namespace adbrook::protocol {

// In front of every frame, not counted in itself.
inline constexpr std::size_t kSizePrefix = 4;

struct RequestHeader {
  std::int16_t api_key = 0;
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;
  // Of that key; null when nobody knows it, and then `body` is not to be trusted.
  const Api* api = nullptr;
  ByteView body;
};

// `frame` is what follows the size prefix; the header's views lie in it. An API or version that is
// not spoken is no error here: the caller answers ApiVersions in version 0 and closes otherwise.
Result<RequestHeader> read_request_header(ByteView frame);

struct ResponseHeader {
  std::int32_t correlation_id = 0;
  ByteView body;
};

// The caller knows from the correlation which request this answers.
Result<ResponseHeader> read_response_header(ByteView frame, const Api& api, std::int16_t version);

// The parts before a body, with an empty size prefix; finish_frame() fills that in.
Frame begin_request(const Api& api, std::int16_t version, std::int32_t correlation_id,
                    std::optional<std::string_view> client_id);
Frame begin_response(const Api& api, std::int16_t version, std::int32_t correlation_id);
void finish_frame(Frame& frame);

// A whole request, as a client sends it. It borrows what the message's records borrow.
template <Message M>
Frame request_frame(const M& message, std::int16_t version, std::int32_t correlation_id,
                    std::optional<std::string_view> client_id) {
  Frame frame = begin_request(M::kApi, version, correlation_id, client_id);
  encode(frame, message, version);
  finish_frame(frame);
  return frame;
}

// A whole answer to the request with that version and correlation.
template <Message M>
Frame response_frame(const M& message, std::int16_t version, std::int32_t correlation_id) {
  Frame frame = begin_response(M::kApi, version, correlation_id);
  encode(frame, message, version);
  finish_frame(frame);
  return frame;
}

}  // namespace adbrook::protocol
