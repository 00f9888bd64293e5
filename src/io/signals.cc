#include "io/signals.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <csignal>
#include <utility>

#include "io/thread_executor.h"

namespace adbrook::io {
namespace asio = boost::asio;

struct StopSignals::State : std::enable_shared_from_this<StopSignals::State> {
  State(asio::io_context& context, std::move_only_function<void(int)> callback)
      : signals(asio::make_strand(context)), on_signal(std::move(callback)) {
    boost::system::error_code ignored;  // these two numbers can always be caught
    signals.add(SIGINT, ignored);
    signals.add(SIGTERM, ignored);
  }

  void wait() {
    signals.async_wait(
        [self = shared_from_this()](const boost::system::error_code& error, int number) {
          if (error) return;
          self->wait();
          self->on_signal(number);
        });
  }

  asio::basic_signal_set<asio::strand<asio::io_context::executor_type>> signals;
  std::move_only_function<void(int)> on_signal;
};

StopSignals::StopSignals(ThreadExecutor& executor, std::move_only_function<void(int)> on_signal)
    : state_(std::make_shared<State>(executor.context(), std::move(on_signal))) {
  asio::dispatch(state_->signals.get_executor(), [state = state_] { state->wait(); });
}

StopSignals::~StopSignals() {
  asio::dispatch(state_->signals.get_executor(), [state = state_] {
    boost::system::error_code ignored;
    state->signals.clear(ignored);
    state->signals.cancel(ignored);
  });
}

}  // namespace adbrook::io
