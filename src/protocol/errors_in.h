// The error codes that stand anywhere in a message, found by its field list.
#pragma once

#include <vector>

#include "protocol/field.h"

namespace adbrook::protocol {

// Every one that is not `none`, in the order of the wire, repeated as often as it stands there.
std::vector<ErrorCode> errors_in(const Shape& shape, const void* object);

template <Described S>
std::vector<ErrorCode> errors_in(const S& object) {
  return errors_in(kShapeOf<S>, &object);
}

}  // namespace adbrook::protocol
