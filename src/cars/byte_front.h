// Takes numbers off the front of stored bytes, little-endian.
#pragma once

#include "base/bytes.h"

namespace adbrook::cars {

// False, and nothing is taken, when too few bytes are left.
template <class T>
bool take(ByteView& from, T& to) {
  if (from.size() < sizeof to) return false;
  to = load_le<T>(from.data());
  from = from.subspan(sizeof to);
  return true;
}

}  // namespace adbrook::cars
