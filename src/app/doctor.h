// Looks at the machine before the engine is started on it: each finding comes with its fix.
#pragma once

#include <string>
#include <vector>

#include "app/settings.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "io/thread_executor.h"

namespace adbrook::app {

enum class Health { good, warning, bad };
std::string_view to_string(Health health);

struct Finding {
  std::string what;
  Health health = Health::good;
  std::string seen;
  std::string fix;  // empty when good
};

// Touches nothing but one small file, which it removes, in the data directory (or where it would be
// made).
std::vector<Finding> examine(const Settings& settings, io::FileSystem& files, io::Clock& clock,
                             io::ThreadExecutor& executor);

}  // namespace adbrook::app
