// Answers on their way to those who appended: in the order of the log, whoever brings them.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "log/append.h"

namespace adbrook::log {

struct FinishedAppend {
  AppendDone done;
  AppendResult result;
};

// Thread-safe.
class AnswerQueue {
 public:
  // In the order in which they are to be given. Called under the lock that orders the log.
  void add(std::vector<FinishedAppend> finished);
  // Gives all that were added. When another thread does that already, it gives these as well, and
  // this one returns at once.
  void give();

 private:
  std::mutex mutex_;  // not held while an answer is given
  std::deque<FinishedAppend> queue_;
  bool giving_ = false;
};

}  // namespace adbrook::log
