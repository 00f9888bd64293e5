// Where work runs. Tasks, the write-ahead writer and connections are run-to-completion steps; the
// real executor runs them on a few threads, the simulated one in an order drawn from a seed.
#pragma once

#include <functional>

#include "base/time.h"

namespace adbrook::io {

using Step = std::move_only_function<void()>;

// Thread-safe. Steps posted by one owner one at a time never overlap: an owner that posts its next
// step only from its current one is "owned by one thread" without a lock.
class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `step` soon, on some thread, never inside this call.
  virtual void post(Step step) = 0;
  // Runs `step` no earlier than `delay` from now on the monotonic clock.
  virtual void post_after(Millis delay, Step step) = 0;
};

}  // namespace adbrook::io
