#include "protocol/wire_reader.h"

namespace adbrook::protocol {

std::uint32_t WireReader::uvarint() {
  std::uint32_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const ByteView taken = take(1);
    if (taken.empty()) return 0;
    const auto byte = std::to_integer<std::uint32_t>(taken[0]);
    if (shift == 28 && byte > 0x0F) break;
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a varint has more than 32 bits");
  return 0;
}

}  // namespace adbrook::protocol
