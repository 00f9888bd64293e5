// The executor of property tests: one thread, a virtual clock, and an order drawn from a seed.
#pragma once

#include <map>
#include <vector>

#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"

namespace adbrook::io {

// Owned by one thread. The same seed and the same posts give the same order.
class SimulatedExecutor final : public Executor {
 public:
  // More waiting steps than this mean that the code under test posts without end.
  static constexpr std::size_t kStepCountMax = 1'000'000;

  explicit SimulatedExecutor(std::uint64_t seed, Timestamp start = {1'368'800'000'000})
      : random_(seed), clock_(start) {}

  void post(Step step) override;
  void post_after(Millis delay, Step step) override;

  // Stands still except in the two calls below.
  Clock& clock() { return clock_; }

  // Runs one of the ready steps, drawn at random; false when none is ready.
  bool run_one();
  // Runs until no step is ready; time does not move. Returns how many ran. Ends the process when
  // more than `step_count_max` steps do not come to rest.
  std::size_t run_until_idle(std::size_t step_count_max = kStepCountMax);

  // Moves the clock; delayed steps that are due become ready, none runs.
  void advance(Millis by);
  // Moves the clock to the next delayed step; false when there is none.
  bool advance_to_next();

  // Throws away every step, as a dying process does. Steps are destroyed, not run.
  void drop_all();

 private:
  SeededRandom random_;
  ManualClock clock_;
  std::vector<Step> ready_;
  std::multimap<Nanos, Step> delayed_;  // by the moment on the monotonic clock
};

}  // namespace adbrook::io
