// Ctrl-C and `kill` as steps on the executor, so that a stop is as orderly as any other request.
#pragma once

#include <functional>
#include <memory>

namespace adbrook::io {

class ThreadExecutor;

// While it lives, SIGINT and SIGTERM do not end the process but run `on_signal` with the signal's
// number, each time, one at a time. Owned by one thread; the executor must outlive it.
class StopSignals {
 public:
  StopSignals(ThreadExecutor& executor, std::move_only_function<void(int)> on_signal);
  // `on_signal` may still run until the executor stops.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the wait under way
};

}  // namespace adbrook::io
