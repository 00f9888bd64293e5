// Answers questions about the running main job: reports, cells, the audit. Every answer is gathered
// from the tasks by message, each asked right after a commit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ads/audit.h"
#include "ads/report.h"
#include "bus/bus.h"
#include "io/clock.h"
#include "io/executor.h"
#include "stream/task_runner.h"

namespace adbrook::ads {

// One cell of a view as it is kept; key texts in the order of ViewDeclaration::key().
struct CellRow {
  Timestamp bucket;
  Millis bucket_size;
  std::vector<std::string> key;
  MeasureValues values{};
};

struct CellsRequest {
  std::size_t view_index = 0;
  Timestamp from = Timestamp::lowest();
  Timestamp to = Timestamp::highest();
};

template <class T>
using Answer = std::move_only_function<void(Result<T>)>;

// Thread-safe; every answer is given once, on an executor thread, after the call has returned. What
// it is made from outlives it, and it outlives all answers.
class ClickService {
 public:
  // Answers wait at most this long for the commits to reach the log's ends.
  static constexpr Millis kWaitMax = std::chrono::minutes(10);

  // `input_topics`: of one task, in its order (click_input_topics()).
  ClickService(stream::TaskRunner& tasks, bus::Bus& bus, io::Clock& clock, io::Executor& executor,
               std::vector<std::string> input_topics)
      : tasks_(tasks),
        bus_(bus),
        clock_(clock),
        executor_(executor),
        input_topics_(std::move(input_topics)) {}

  // Waits up to `wait` until everything that is in the log now is committed, then answers with the
  // state as it is; Freshness says how old that is. overloaded: the tasks are still restoring;
  // closed: a task has stopped, with its trouble.
  void report(ReportQuery query, Millis wait, Answer<Report> answer);
  void audit(Millis wait, Answer<Audit> answer);
  // Cells of all tasks that overlap the range, merged by key.
  void cells(CellsRequest request, Answer<std::vector<CellRow>> answer);

  // Records that the tasks have not committed yet.
  std::int64_t behind();

 private:
  struct Waiting;
  void wait_for_commits(Millis wait, std::move_only_function<void(bool caught_up)> then);
  static void check_again(std::shared_ptr<Waiting> waiting);
  // Asks task 0, 1, … in turn; `then` gets the first error or nothing.
  void ask_all(std::shared_ptr<std::function<void(const stream::TaskView&)>> each,
               std::move_only_function<void(Result<void>)> then, std::int32_t next = 0);
  Error refusal() const;

  stream::TaskRunner& tasks_;
  bus::Bus& bus_;
  io::Clock& clock_;
  io::Executor& executor_;
  std::vector<std::string> input_topics_;
};

}  // namespace adbrook::ads
