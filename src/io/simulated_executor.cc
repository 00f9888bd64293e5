#include "io/simulated_executor.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace adbrook::io {

void SimulatedExecutor::post(Step step) {
  ADBROOK_ASSERT(ready_.size() < kStepCountMax, "more ready steps than the simulation allows");
  ready_.push_back(std::move(step));
}

void SimulatedExecutor::post_after(Millis delay, Step step) {
  if (delay <= Millis(0)) return post(std::move(step));
  ADBROOK_ASSERT(delayed_.size() < kStepCountMax, "more delayed steps than the simulation allows");
  delayed_.emplace(clock_.monotonic() + delay, std::move(step));
}

bool SimulatedExecutor::run_one() {
  if (ready_.empty()) return false;
  std::swap(ready_[random_.below(ready_.size())], ready_.back());
  // Taken out first: the step may post, and so move the queue.
  Step step = std::move(ready_.back());
  ready_.pop_back();
  step();
  return true;
}

std::size_t SimulatedExecutor::run_until_idle(std::size_t step_count_max) {
  std::size_t count = 0;
  while (run_one()) {
    ++count;
    ADBROOK_ASSERT(count <= step_count_max, "the simulated steps do not come to rest");
  }
  return count;
}

void SimulatedExecutor::advance(Millis by) {
  clock_.advance(std::max(by, Millis(0)));
  while (!delayed_.empty() && delayed_.begin()->first <= clock_.monotonic()) {
    post(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
}

bool SimulatedExecutor::advance_to_next() {
  if (delayed_.empty()) return false;
  advance(std::chrono::ceil<Millis>(delayed_.begin()->first - clock_.monotonic()));
  return true;
}

void SimulatedExecutor::drop_all() {
  // A destroyed step may own something that posts on its way out; that is dropped as well.
  while (!ready_.empty() || !delayed_.empty()) {
    const auto ready = std::exchange(ready_, {});
    const auto delayed = std::exchange(delayed_, {});
  }
}

}  // namespace adbrook::io
