// The executor of production: a few threads over one event loop that sockets and timers share.
#pragma once

#include <memory>

#include "io/executor.h"

namespace boost::asio {
class io_context;
}

namespace adbrook::io {

// Thread-safe, except stop(). Its queue has no limit of its own: every owner posts a bounded number
// of steps (its next one, or one per request that it admitted).
class ThreadExecutor final : public Executor {
 public:
  // Starts the threads at once; at least one.
  explicit ThreadExecutor(int thread_count);
  // Stops when nobody did.
  ~ThreadExecutor() override;

  void post(Step step) override;
  void post_after(Millis delay, Step step) override;

  // Returns when no step runs any more; those that wait never will, and are destroyed together with
  // this object. Not from inside a step.
  void stop();

  // For the sockets and signals of `io/` only: nobody else includes Asio.
  boost::asio::io_context& context();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adbrook::io
