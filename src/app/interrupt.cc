#include "app/interrupt.h"

#include <cstdlib>

#include "app/command_tree.h"

namespace adbrook::app {

Interrupt::Interrupt(io::ThreadExecutor& executor)
    : signals_(executor, [this](int) {
        if (requested()) std::_Exit(kExitInterrupted);
        request();
      }) {}

bool Interrupt::requested() const {
  const std::lock_guard lock(mutex_);
  return requested_;
}

void Interrupt::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  changed_.notify_all();
}

bool Interrupt::wait_for(Millis duration) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, duration, [this] { return requested_; });
}

void Interrupt::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return requested_; });
}

}  // namespace adbrook::app
