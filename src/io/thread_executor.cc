#include "io/thread_executor.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <vector>

#include "base/assert.h"

namespace adbrook::io {
namespace asio = boost::asio;

struct ThreadExecutor::State {
  explicit State(int thread_count) : context(thread_count), work(context.get_executor()) {}

  asio::io_context context;  // first: timers and sockets in waiting steps need it to the last
  asio::executor_work_guard<asio::io_context::executor_type> work;  // idle threads wait for more
  std::vector<std::jthread> threads;
};

ThreadExecutor::ThreadExecutor(int thread_count) : state_(std::make_unique<State>(thread_count)) {
  ADBROOK_ASSERT(thread_count > 0, "an executor needs a thread");
  for (int i = 0; i < thread_count; ++i) {
    state_->threads.emplace_back([context = &state_->context] { context->run(); });
  }
}

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::post(Step step) { asio::post(state_->context, std::move(step)); }

void ThreadExecutor::post_after(Millis delay, Step step) {
  auto timer = std::make_unique<asio::steady_timer>(state_->context, delay);
  asio::steady_timer& waiting = *timer;
  // The handler owns its timer: the timer lives exactly as long as it is waited for.
  waiting.async_wait([timer = std::move(timer),
                      step = std::move(step)](const boost::system::error_code& error) mutable {
    if (!error) step();
  });
}

void ThreadExecutor::stop() {
  // Threads leave after the step they are in; nothing is interrupted.
  state_->context.stop();
  for (std::jthread& thread : state_->threads) {
    ADBROOK_ASSERT(thread.get_id() != std::this_thread::get_id(), "an executor cannot stop itself");
    thread.join();
  }
  state_->threads.clear();
}

asio::io_context& ThreadExecutor::context() { return state_->context; }

}  // namespace adbrook::io
