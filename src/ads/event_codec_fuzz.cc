// Invariants of reading event values:
//  1. no bytes crash the decoder or make it read outside of them;
//  2. an accepted Avro value obeys the field rules, and encoding it again gives a value that
//  decodes
//     to the same bytes once more;
//  3. a refused value has a reason with a sentence.
#include "ads/event_codec.h"
#include "base/assert.h"

namespace adbrook::ads {
namespace {

template <class Event>
void check(ByteView value) {
  EventDecoder<Event> decoder;
  Event event;
  if (!decoder.decode(value, event)) {
    ADBROOK_ASSERT(!decoder.refusal().detail.empty(), "a refusal says why");
    return;
  }
  ADBROOK_ASSERT(event.campaign_id >= 0 && event.publisher_id >= 0, "ids are in their range");
  Buffer first, second;
  encode(event, first);
  EventDecoder<Event> again;
  Event read;
  ADBROOK_ASSERT(again.decode(first, read), "what was accepted can be written and read");
  encode(read, second);
  ADBROOK_ASSERT(first == second, "encoding is stable");
}

}  // namespace
}  // namespace adbrook::ads

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const adbrook::ByteView value(reinterpret_cast<const std::byte*>(bytes), size);
  adbrook::ads::check<adbrook::ads::Impression>(value);
  adbrook::ads::check<adbrook::ads::Click>(value);
  return 0;
}
