// Input: one byte that chooses an API and a direction, one that chooses a version, then a body.
// Invariants, for any bytes:
//  1. nothing crashes, and nothing outside of the body is read;
//  2. an accepted body is consumed whole, and what was read, written again, has the size that was
//     computed and reads back equal;
//  3. a refused body has a sentence;
//  4. the same bytes as a whole frame never crash the reader of headers.
#include "base/assert.h"
#include "protocol/codec.h"
#include "protocol/header.h"
#include "protocol/messages.h"

namespace adbrook::protocol {
namespace {

void check_message(const MessageType& type, Style style, ByteView body) {
  const ErasedMessage read = type.make();
  const auto result = decode(*type.shape, style, body, read.get());
  if (!result) {
    ADBROOK_ASSERT(!result.error().message.empty(), "a refusal says why");
    return;
  }
  ADBROOK_ASSERT(!to_text(*type.shape, style, read.get()).empty(), "what was read can be shown");
  Frame frame;
  encode(frame, *type.shape, style, read.get());
  const Buffer written = frame.joined();
  ADBROOK_ASSERT(written.size() == encoded_size(*type.shape, style, read.get()),
                 "the computed size is the written one");
  const ErasedMessage again = type.make();
  ADBROOK_ASSERT(decode(*type.shape, style, written, again.get()),
                 "what was accepted can be written and read");
  ADBROOK_ASSERT(equal(*type.shape, read.get(), again.get()), "both readings are equal");
}

void check_header(ByteView frame) {
  const auto header = read_request_header(frame);
  if (!header) return;
  ADBROOK_ASSERT(header->body.size() <= frame.size(), "a body lies inside its frame");
  if (header->api == nullptr || !header->api->speaks(header->api_version)) return;
  for (const ApiEntry& entry : all_apis())
    if (entry.api == header->api)
      check_message(entry.request, style_of(*entry.api, header->api_version), header->body);
}

}  // namespace
}  // namespace adbrook::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook::protocol;
  check_header({reinterpret_cast<const std::byte*>(bytes), size});
  if (size < 2) return 0;
  const auto apis = all_apis();
  const ApiEntry& entry = apis[bytes[0] / 2 % apis.size()];
  const int versions = entry.api->last - entry.api->first + 1;
  const auto version = static_cast<std::int16_t>(entry.api->first + bytes[1] % versions);
  check_message(bytes[0] % 2 == 0 ? entry.request : entry.response, style_of(*entry.api, version),
                {reinterpret_cast<const std::byte*>(bytes) + 2, size - 2});
  return 0;
}
