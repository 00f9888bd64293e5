#include "log/answer_queue.h"

#include <iterator>
#include <utility>

namespace adbrook::log {

void AnswerQueue::add(std::vector<FinishedAppend> finished) {
  const std::lock_guard lock(mutex_);
  queue_.insert(queue_.end(), std::make_move_iterator(finished.begin()),
                std::make_move_iterator(finished.end()));
}

void AnswerQueue::give() {
  std::unique_lock lock(mutex_);
  if (std::exchange(giving_, true)) return;
  while (!queue_.empty()) {
    std::deque<FinishedAppend> next;
    next.swap(queue_);
    lock.unlock();
    for (FinishedAppend& finished : next) finished.done(std::move(finished.result));
    lock.lock();
  }
  giving_ = false;
}

}  // namespace adbrook::log
