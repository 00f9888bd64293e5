// Named moments at which the process can be made to die as in a crash, for tests of what a restart
// finds. The environment variable ADBROOK_FAILPOINT=NAME:COUNT arms one: the process ends by
// SIGKILL when it reaches that moment for the COUNT-th time. Without it a moment costs one test of
// a constant.
#pragma once

#include <string_view>

namespace adbrook::io {

// Whether the environment arms any; fixed before main().
extern const bool failpoint_armed;
// Counts this moment if it is the armed one, and dies there. Thread-safe.
void reach_failpoint(std::string_view name);

// Thread-safe.
inline void failpoint(std::string_view name) {
  if (failpoint_armed) [[unlikely]]
    reach_failpoint(name);
}

}  // namespace adbrook::io
