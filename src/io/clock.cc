#include "io/clock.h"

namespace adbrook::io {

Timestamp RealClock::now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::floor<Millis>(since_1970).count()};
}

Nanos RealClock::monotonic() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace adbrook::io
