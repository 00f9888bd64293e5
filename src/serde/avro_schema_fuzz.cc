// Invariants, for any text:
// - nothing crashes;
// - an accepted schema's canonical form is accepted, and is its own canonical form, unless names
//   with and without a namespace are mixed: the canonical form has no way to say "no namespace";
// - an accepted schema resolves against itself.
#include <cstdlib>

#include "serde/avro_codec.h"
#include "serde/avro_schema.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adbrook::serde;
  const auto schema = AvroSchema::parse({reinterpret_cast<const char*>(data), size});
  if (!schema) return 0;
  require(AvroDecoder::create(*schema).has_value());
  bool with_namespace = false;
  bool without_namespace = false;
  for (AvroNodeIndex i = 0; i < (*schema)->node_count(); ++i) {
    const std::string& name = (*schema)->node(i).name;
    with_namespace |= name.find('.') != name.npos;
    without_namespace |= !name.empty() && name.find('.') == name.npos;
  }
  if (with_namespace && without_namespace) return 0;
  const std::string canonical = (*schema)->canonical_form();
  const auto again = AvroSchema::parse(canonical);
  require(again.has_value());
  require((*again)->canonical_form() == canonical);
  require((*again)->fingerprint() == (*schema)->fingerprint());
  return 0;
}
