// The checkpoint decoder on any bytes, of either version by the first one. Never crashes; what it
// accepts of the newer version encodes to as many bytes. The checksum is made right first, so that
// the parser is reached.
#include <algorithm>
#include <cstdlib>

#include "base/hash.h"
#include "log/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::log;
  const auto given = std::as_bytes(std::span(bytes, size));
  if (given.empty()) return 0;
  const bool older = (given[0] & std::byte{1}) != std::byte{0};
  Buffer file = encode_checkpoint({});
  file.resize(16);
  if (older) store_le(file.data() + 8, std::uint32_t{1});
  append(file, given.subspan(1));
  store_le(file.data() + 12, crc32c(ByteView(file).subspan(16)));
  const auto checkpoint = decode_checkpoint(file);
  if (checkpoint && !older && encode_checkpoint(*checkpoint).size() != file.size()) std::abort();
  static_cast<void>(decode_checkpoint(given));
  return 0;
}
