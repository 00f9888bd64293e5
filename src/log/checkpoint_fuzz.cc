// The checkpoint decoder on any bytes. Never crashes; what it accepts encodes to the same bytes,
// but for a durability that is neither 0 nor 1. The checksum is made right first, so that the
// parser is reached.
#include <algorithm>
#include <cstdlib>

#include "base/hash.h"
#include "log/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::log;
  const auto given = std::as_bytes(std::span(bytes, size));
  Buffer file = encode_checkpoint({});
  file.resize(16);
  append(file, given);
  store_le(file.data() + 12, crc32c(ByteView(file).subspan(16)));
  const auto checkpoint = decode_checkpoint(file);
  if (checkpoint && encode_checkpoint(*checkpoint).size() != file.size()) std::abort();
  static_cast<void>(decode_checkpoint(given));
  return 0;
}
