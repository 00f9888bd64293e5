// Invariants: never crashes; what parses is printed and parsed again to the same parameters; the
// number of parameters keeps its limit; decoding never makes a text longer.
#include <cstdlib>

#include "http/query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using adbrook::http::Query;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto query = Query::parse(text);
  if (!query) return 0;
  if (query->parameters().size() > adbrook::http::kQueryParametersMax) std::abort();
  std::size_t decoded_size = 0;
  for (const auto& parameter : query->parameters())
    decoded_size += parameter.name.size() + parameter.value.size();
  if (decoded_size > size) std::abort();
  const auto again = Query::parse(query->text());
  if (!again || again->parameters() != query->parameters()) std::abort();
  return 0;
}
