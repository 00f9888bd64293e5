// Invariants: never crashes; what is read and written again reads the same.
#include <cstdint>
#include <cstdlib>

#include "broker/state_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::broker;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  (void)decode_key(bytes);
  (void)decode_producer_ids(bytes);
  (void)subscribed_topics(bytes);
  if (const auto group = decode_group(bytes)) {
    const Buffer again = encode_group(*group);
    const auto twice = decode_group(again);
    if (!twice || encode_group(*twice) != again) std::abort();
  }
  if (const auto group = decode_consumer_group(bytes)) {
    const Buffer again = encode_consumer_group(*group);
    const auto twice = decode_consumer_group(again);
    if (!twice || encode_consumer_group(*twice) != again) std::abort();
  }
  if (const auto member = decode_consumer_member(bytes)) {
    const Buffer again = encode_consumer_member(*member);
    const auto twice = decode_consumer_member(again);
    if (!twice || encode_consumer_member(*twice) != again) std::abort();
  }
  if (const auto transaction = decode_transaction(bytes)) {
    const Buffer again = encode_transaction(*transaction);
    const auto twice = decode_transaction(again);
    if (!twice || encode_transaction(*twice) != again) std::abort();
  }
  return 0;
}
