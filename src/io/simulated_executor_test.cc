#include "io/simulated_executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace adbrook::io {
namespace {

std::string order_of(std::uint64_t seed) {
  SimulatedExecutor executor(seed);
  std::string order;
  for (char name = 'a'; name < 'k'; ++name) {
    executor.post([&order, name, &executor] {
      order += name;
      executor.post([&order, name] { order += static_cast<char>(name - 'a' + 'A'); });
    });
  }
  EXPECT_EQ(executor.run_until_idle(), 20u);
  return order;
}

TEST(SimulatedExecutor, same_seed_gives_the_same_order_and_others_differ) {
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
  std::string sorted = order_of(3);
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, "ABCDEFGHIJabcdefghij");
}

TEST(SimulatedExecutor, delayed_steps_run_when_the_clock_reaches_them) {
  SimulatedExecutor executor(1, Timestamp{1000});
  std::string ran;
  executor.post_after(Millis(20), [&] { ran += "20"; });
  executor.post_after(Millis(10), [&] { ran += "10 "; });
  EXPECT_FALSE(executor.run_one());
  executor.advance(Millis(9));
  EXPECT_FALSE(executor.run_one());
  EXPECT_TRUE(executor.advance_to_next());
  EXPECT_EQ(executor.clock().now(), Timestamp{1010});
  executor.run_until_idle();
  EXPECT_TRUE(executor.advance_to_next());
  executor.run_until_idle();
  EXPECT_EQ(ran, "10 20");
  EXPECT_EQ(executor.clock().now(), Timestamp{1020});
  EXPECT_FALSE(executor.advance_to_next());
}

TEST(SimulatedExecutor, dropped_steps_are_destroyed_and_never_run) {
  struct PostsOnItsWayOut {
    explicit PostsOnItsWayOut(SimulatedExecutor& of) : executor(of) {}
    ~PostsOnItsWayOut() {
      executor.post([] { ADD_FAILURE() << "ran"; });
    }
    SimulatedExecutor& executor;
  };
  SimulatedExecutor executor(1);
  executor.post([owned = std::make_unique<PostsOnItsWayOut>(executor)] { ADD_FAILURE() << "ran"; });
  executor.post_after(Millis(1), [] { ADD_FAILURE() << "ran"; });
  executor.drop_all();
  EXPECT_FALSE(executor.advance_to_next());
  EXPECT_EQ(executor.run_until_idle(), 0u);
}

}  // namespace
}  // namespace adbrook::io
