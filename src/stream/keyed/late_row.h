// A row that came when its window was closed, as the side outputs of windows and joins give it.
#pragma once

#include <string_view>

#include "base/time.h"

namespace adbrook::stream {

inline constexpr std::string_view kWindowClosed = "window_closed";

template <class V>
struct LateRow {
  V value{};
  std::string_view reason;  // kWindowClosed
  Millis by{0};             // how far time had passed the moment its last window closed
};

}  // namespace adbrook::stream
