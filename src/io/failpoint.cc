#include "io/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace adbrook::io {
namespace {

constexpr const char* kVariable = "ADBROOK_FAILPOINT";

struct Armed {
  std::string name;
  std::atomic<long> left;  // reaches until the end
};

// What is no NAME:COUNT arms nothing: a typing error must not stop a server.
Armed& armed() {
  static Armed it = [] {
    const char* given = std::getenv(kVariable);
    const std::string text = given == nullptr ? "" : given;
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) return Armed{"", 0};
    return Armed{text.substr(0, colon), std::atol(text.c_str() + colon + 1)};
  }();
  return it;
}

}  // namespace

const bool failpoint_armed = armed().left > 0;

void reach_failpoint(std::string_view name) {
  if (name != armed().name || --armed().left > 0) return;
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();  // the signal may take another thread first
}

}  // namespace adbrook::io
