// Bytes as hex digits, two for each, and back: how people see and correct what is no text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace adbrook {

// In small letters, without spaces.
std::string hex(ByteView bytes);
// Digits of either case; spaces, tabs and line ends between bytes are skipped. Nothing when another
// character, or half a byte, is there.
std::optional<Buffer> hex_decode(std::string_view text);

}  // namespace adbrook
