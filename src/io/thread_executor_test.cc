#include "io/thread_executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>

namespace adbrook::io {
namespace {

constexpr std::chrono::seconds kExecutorTooLong{10};

TEST(ThreadExecutor, every_posted_step_runs_once_and_outside_the_call) {
  ThreadExecutor executor(3);
  std::atomic<int> count{0};
  std::promise<void> all;
  for (int i = 0; i < 10'000; ++i) {
    executor.post([&] {
      if (++count == 10'000) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kExecutorTooLong), std::future_status::ready);
  executor.stop();
  EXPECT_EQ(count, 10'000);
}

TEST(ThreadExecutor, steps_posted_one_from_the_other_need_no_lock) {
  ThreadExecutor executor(4);
  std::promise<void> done;
  int count = 0;  // no atomic: each step happens before the next one of its owner
  std::function<void()> next = [&] {
    if (++count == 5000) return done.set_value();
    executor.post([&] { next(); });
  };
  executor.post([&] { next(); });
  ASSERT_EQ(done.get_future().wait_for(kExecutorTooLong), std::future_status::ready);
  EXPECT_EQ(count, 5000);
}

TEST(ThreadExecutor, delayed_step_does_not_run_early) {
  ThreadExecutor executor(1);
  const auto begin = std::chrono::steady_clock::now();
  std::promise<std::chrono::steady_clock::time_point> ran;
  executor.post_after(Millis(20), [&] { ran.set_value(std::chrono::steady_clock::now()); });
  auto future = ran.get_future();
  ASSERT_EQ(future.wait_for(kExecutorTooLong), std::future_status::ready);
  EXPECT_GE(future.get() - begin, Millis(20));
}

TEST(ThreadExecutor, stop_drops_what_waits_and_returns) {
  auto owned = std::make_shared<int>(1);
  {
    ThreadExecutor executor(2);
    executor.post_after(Millis(3'600'000), [owned] { ADD_FAILURE() << "ran"; });
    executor.stop();
    executor.post([owned] { ADD_FAILURE() << "ran"; });
    executor.stop();
  }
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace adbrook::io
