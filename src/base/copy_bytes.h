// Copying bytes. std::ranges::copy between spans and vectors of std::byte becomes a loop over
// single bytes in gcc's library, several times slower than this.
#pragma once

#include <cstring>

#include "base/bytes.h"

namespace adbrook {

// `to` has room for them; the two do not overlap.
inline void copy_bytes(ByteView from, std::byte* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace adbrook
