// Invariants of the JSON edge:
//  1. no bytes crash it;
//  2. an accepted event can be encoded, and the encoded value is accepted by the decoder;
//  3. a refusal has a sentence, and strict refuses everything that is refused without it.
#include "ads/edge_json.h"
#include "ads/event_codec.h"
#include "base/assert.h"

namespace adbrook::ads {
namespace {

template <class Event>
void check(std::string_view source) {
  EventText text;
  JsonEdge<Event> edge({}, text);
  JsonEdge<Event> strict({.strict = true}, text);
  const auto event = edge.read(source);
  if (!event) {
    ADBROOK_ASSERT(!event.error().detail.empty(), "a refusal says why");
    ADBROOK_ASSERT(!strict.read(source), "strict accepts no more than the default");
    return;
  }
  Buffer value;
  encode(*event, value);
  EventDecoder<Event> decoder;
  Event read;
  ADBROOK_ASSERT(decoder.decode(value, read), "the edge's rules are the decoder's rules");
}

}  // namespace
}  // namespace adbrook::ads

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(bytes), size);
  adbrook::ads::check<adbrook::ads::Impression>(source);
  adbrook::ads::check<adbrook::ads::Click>(source);
  return 0;
}
