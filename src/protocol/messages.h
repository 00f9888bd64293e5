// All APIs that can be read and written, for code that takes the key from the wire: the header, the
// log of requests, tests and fuzzers.
#pragma once

#include <memory>
#include <span>

#include "protocol/field.h"

namespace adbrook::protocol {

// An object of a message that is known by its shape.
using ErasedMessage = std::unique_ptr<void, void (*)(void*)>;

struct MessageType {
  const Shape* shape;
  ErasedMessage (*make)();  // with every field at its default
};

struct ApiEntry {
  const Api* api;
  MessageType request;
  MessageType response;
};

// Ascending by key.
std::span<const ApiEntry> all_apis();

// Null when the key is not known here.
const Api* find_api(std::int16_t key);

}  // namespace adbrook::protocol
