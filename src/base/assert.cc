#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace adbrook {

void assertion_failed(const char* condition, const char* file, int line, const char* why) noexcept {
  std::fprintf(stderr, "adbrook: assertion failed: %s (%s) at %s:%d\n", why, condition, file, line);
  std::abort();
}

}  // namespace adbrook
