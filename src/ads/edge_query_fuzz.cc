// Invariants of the query edge:
//  1. no bytes crash it;
//  2. a readable query's canonical form reads back to the same parameters and the same canonical
//     form, and its signature verifies;
//  3. an accepted target has no control character and starts with http.
#include "ads/edge_query.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::ads;
  const std::string_view source(reinterpret_cast<const char*>(bytes), size);
  EventText text;
  if (check_target(source)) {
    ADBROOK_ASSERT((source[0] | 0x20) == 'h', "a target is http or https");
    for (const char c : source) ADBROOK_ASSERT(c > 0x20 && c < 0x7F, "a target is printable");
  }
  const auto query = Query::parse(source, text);
  if (!query) return 0;
  EventBuilder<Click> builder({}, text);
  const auto click = event_from_query(*query, {{1, 2}, {1'700'000'000'000}}, builder, text);
  ADBROOK_ASSERT(click || !click.error().detail.empty(), "a refusal says why");
  const auto key = as_bytes("key");
  const std::string canonical = canonical_query(*query);
  const std::string signed_link =
      canonical + (canonical.empty() ? "sig=" : "&sig=") + sign_query(*query, key);
  const auto again = Query::parse(signed_link, text);
  // Percent-encoding can make a long query too long; it is refused then, never misread.
  if (!again) return 0;
  ADBROOK_ASSERT(canonical_query(*again) == canonical, "the canonical form is stable");
  ADBROOK_ASSERT(is_signed(*again, key), "what was signed verifies");
  return 0;
}
