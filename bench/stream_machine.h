// A log, a bus over it and an executor: what a stream program outside of the server stands on.
#pragma once

#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "bus/embedded_bus.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/real_file_system.h"
#include "io/thread_executor.h"
#include "log/log.h"
#include "stream/task_runner.h"

namespace adbrook::bench {

// Owned by one thread. The executor stops before the log goes; close() comes first when what was
// written has to be found without a replay.
class StreamMachine {
 public:
  explicit StreamMachine(int thread_count) : executor_(thread_count) {}
  ~StreamMachine() { executor_.stop(); }

  Result<void> open(const std::string& directory, log::LogOptions options = {}) {
    auto opened =
        log::Log::open(files_, clock_, executor_, metrics_, directory, std::move(options));
    if (!opened) return pass(opened.error());
    log_ = std::move(*opened);
    bus_ = std::make_unique<bus::EmbeddedBus>(*log_, executor_);
    return {};
  }
  Result<void> close() { return log_->close(); }

  io::Clock& clock() { return clock_; }
  log::Log& log() { return *log_; }
  bus::Bus& bus() { return *bus_; }
  stream::TaskRunnerPlaces places(bus::Bus& bus) {
    return {.bus = bus,
            .files = files_,
            .clock = clock_,
            .executor = executor_,
            .random = random_,
            .metrics = metrics_,
            .note = [](std::string_view text) {
              std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
            }};
  }

 private:
  io::RealFileSystem files_;
  io::RealClock clock_;
  io::SystemRandom random_;
  Metrics metrics_;
  io::ThreadExecutor executor_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<bus::EmbeddedBus> bus_;
};

// Until everything that lies in the sources, and what follows from it, is committed. closed when a
// task is in trouble, with what it says.
inline Result<void> wait_until_caught_up(stream::TaskRunner& tasks) {
  auto catch_up = tasks.catch_up();
  for (;;) {
    const auto done = catch_up.done();
    if (!done) return pass(done.error());
    if (*done) return {};
    if (const auto trouble = tasks.trouble(); !trouble.empty())
      return fail(ErrorKind::closed, trouble);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Until no task has anything to do: promises between tasks close windows after the last record.
inline void wait_until_quiet(stream::TaskRunner& tasks) {
  for (int looks = 0; looks < 3;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    looks = tasks.quiet() ? looks + 1 : 0;
  }
}

inline void stop_and_wait(stream::TaskRunner& tasks) {
  std::promise<void> stopped;
  tasks.stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
}

}  // namespace adbrook::bench
