#include "io/signals.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <future>

#include "io/thread_executor.h"

namespace adbrook::io {
namespace {

TEST(StopSignals, each_signal_runs_the_callback_and_the_process_lives) {
  ThreadExecutor executor(2);
  std::promise<int> first, second;
  int count = 0;
  StopSignals signals(executor,
                      [&](int number) { (count++ == 0 ? first : second).set_value(number); });
  ASSERT_EQ(::raise(SIGTERM), 0);
  auto got = first.get_future();
  ASSERT_EQ(got.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(got.get(), SIGTERM);
  ASSERT_EQ(::raise(SIGINT), 0);
  got = second.get_future();
  ASSERT_EQ(got.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(got.get(), SIGINT);
  executor.stop();
}

}  // namespace
}  // namespace adbrook::io
