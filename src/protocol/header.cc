#include "protocol/header.h"

#include <limits>

#include "base/assert.h"
#include "protocol/k18_api_versions.h"
#include "protocol/messages.h"
#include "protocol/wire_reader.h"

namespace adbrook::protocol {
namespace {

void skip_tags(WireReader& in) {
  for (std::uint32_t count = in.uvarint(); count > 0 && !in.failed(); --count) {
    in.uvarint();
    in.take(in.uvarint());
  }
}

// A client that cannot read flexible messages yet must be able to read this one answer.
bool has_flexible_response_header(const Api& api, std::int16_t version) {
  return api.key != kApiVersions.key && style_of(api, version).flexible;
}

template <class T>
void append_be(Buffer& to, T value) {
  const std::size_t position = to.size();
  to.resize(position + sizeof value);
  store_be(to.data() + position, value);
}

}  // namespace

Result<RequestHeader> read_request_header(ByteView frame) {
  WireReader in(frame);
  RequestHeader header;
  header.api_key = in.integer<std::int16_t>();
  header.api_version = in.integer<std::int16_t>();
  header.correlation_id = in.integer<std::int32_t>();
  // This length has 16 bits in every version of the header.
  const auto size = in.integer<std::int16_t>();
  if (size < -1) in.fail("the client id has a negative length");
  if (size >= 0) header.client_id = as_text(in.take(static_cast<std::size_t>(size)));
  if (!in.failed()) header.api = find_api(header.api_key);
  if (header.api != nullptr && style_of(*header.api, header.api_version).flexible) skip_tags(in);
  if (in.failed())
    return fail(ErrorKind::invalid, std::string("request header, byte ") +
                                        std::to_string(in.failed_at()) + ": " + in.why() +
                                        "; the sender does not speak Kafka's protocol");
  header.body = in.rest();
  return header;
}

Result<ResponseHeader> read_response_header(ByteView frame, const Api& api, std::int16_t version) {
  WireReader in(frame);
  ResponseHeader header{.correlation_id = in.integer<std::int32_t>()};
  if (has_flexible_response_header(api, version)) skip_tags(in);
  if (in.failed())
    return fail(ErrorKind::invalid, std::string(api.name) + " response header: " + in.why() +
                                        "; the other side does not speak Kafka's protocol");
  header.body = in.rest();
  return header;
}

Frame begin_request(const Api& api, std::int16_t version, std::int32_t correlation_id,
                    std::optional<std::string_view> client_id) {
  Frame frame;
  frame.own().resize(kSizePrefix);
  append_be(frame.own(), api.key);
  append_be(frame.own(), version);
  append_be(frame.own(), correlation_id);
  if (client_id) client_id = client_id->substr(0, std::numeric_limits<std::int16_t>::max());
  append_be(frame.own(), static_cast<std::int16_t>(client_id ? client_id->size() : -1));
  if (client_id) append(frame.own(), as_bytes(*client_id));
  if (style_of(api, version).flexible) frame.own().push_back(std::byte{0});
  return frame;
}

Frame begin_response(const Api& api, std::int16_t version, std::int32_t correlation_id) {
  Frame frame;
  frame.own().resize(kSizePrefix);
  append_be(frame.own(), correlation_id);
  if (has_flexible_response_header(api, version)) frame.own().push_back(std::byte{0});
  return frame;
}

void finish_frame(Frame& frame) {
  const std::size_t size = frame.size() - kSizePrefix;
  ADBROOK_ASSERT(size <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()),
                 "a frame's size fits its prefix");
  store_be(frame.own().data(), static_cast<std::int32_t>(size));
}

}  // namespace adbrook::protocol
