// Ctrl-C for commands: once asks for a clean stop, twice ends the process at once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/time.h"
#include "io/signals.h"

namespace adbrook::app {

// Thread-safe. The executor must outlive it.
class Interrupt {
 public:
  explicit Interrupt(io::ThreadExecutor& executor);

  bool requested() const;
  // As if somebody had pressed Ctrl-C once.
  void request();
  // Waits this long, or until somebody asks for a stop: then it returns true.
  bool wait_for(Millis duration);
  void wait();

 private:
  mutable std::mutex mutex_;  // the signal comes on an executor thread
  std::condition_variable changed_;
  bool requested_ = false;
  io::StopSignals signals_;  // last: it may call in as soon as it is there
};

}  // namespace adbrook::app
