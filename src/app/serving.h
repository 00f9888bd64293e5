// What `serve`, `demo` and `cars serve` have in common: an engine with its routes that starts, says
// where it listens, works until somebody stops it, and stops in order.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "app/console.h"
#include "app/engine.h"
#include "app/interrupt.h"
#include "app/settings.h"

namespace adbrook::app {

// A running engine with everything it answers. Owned by one thread.
class Served {
 public:
  virtual ~Served() = default;
  virtual Engine& engine() = 0;
};

using StartServed = std::function<Result<std::unique_ptr<Served>>(
    const Settings& settings, std::function<void(std::string_view)> note)>;
// What to do while it runs; returns when it ends.
using ServedWork = std::function<int(Engine&, Interrupt&)>;

// Starts it, prints one line when it is ready, lets `work` run, and stops. The exit code.
int serve(const LoadedSettings& loaded, Console& console, const StartServed& start,
          const ServedWork& work);
// Runs until interrupted, or until the log is down: after a failed write or sync only a new start
// can tell what is on the disk.
int serve_until_interrupted(Engine& engine, Interrupt& interrupt, Console& console);

}  // namespace adbrook::app
