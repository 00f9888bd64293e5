// Runs a topology over the bus: one task per partition number, each a chain of steps on the
// executor that share nothing but promises about event time. Restarts from checkpoint and
// changelog.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "bus/bus.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/file_system.h"
#include "io/random.h"
#include "stream/stream_options.h"
#include "stream/task_view.h"
#include "stream/topology.h"

namespace adbrook::stream {

// Builds the topology of one task; called once per task, on the thread that calls start().
using TopologyFactory = std::function<void(Topology&)>;
using Question = std::move_only_function<void(const TaskView&)>;

// What has to exist before a topology runs. All need the same number of partitions.
struct TopologyTopics {
  std::vector<std::string> sources;
  std::vector<std::string> internal;
  std::vector<std::string> outputs;
  std::string changelog;
};
TopologyTopics topics_of(const TopologyFactory& factory, std::string_view group);
// Whether the topology is put together as it has to be; invalid with the first thing that is not.
Result<void> check(const TopologyFactory& factory);
// One line per part of the topology, for people.
std::string describe(const TopologyFactory& factory);

// Everything a runner stands on; all of it outlives the runner.
struct TaskRunnerPlaces {
  bus::Bus& bus;
  io::FileSystem& files;
  io::Clock& clock;
  io::Executor& executor;
  io::Random& random;
  Metrics& metrics;
  std::function<void(std::string_view)> note;  // sentences for the log of the process
};

// Where one task stands, for health pages.
struct TaskStatus {
  bool restored = false;
  bool waits_for_memory = false;
  bool stopped = false;
  std::string trouble;  // empty while healthy
};

// Thread-safe but for start() and the destructor. `done` and questions run on executor threads.
class TaskRunner {
 public:
  // `group` names the positions, the changelog "<group>-changelog" and the folder of checkpoints
  // below `directory`.
  TaskRunner(TaskRunnerPlaces places, std::string group, std::string directory,
             TopologyFactory factory, StreamOptions options);
  // After stop() is done, or once the executor runs nothing any more.
  ~TaskRunner();

  // Checks the topics and begins to restore; returns before the tasks are restored. not_found: a
  // topic is missing; invalid: the topology is put together wrong, or topics differ in their
  // partition counts.
  Result<void> start();
  // Commits, writes checkpoints, then calls `done`. Tasks in trouble stop as they are.
  void stop(std::move_only_function<void()> done);

  std::int32_t task_count() const;
  std::vector<TaskStatus> status() const;
  bool restored() const;        // all tasks
  std::string trouble() const;  // of the first task that has any, else empty

  // Runs `question` on the task's thread when nothing is uncommitted (the task commits first).
  // False, and the question is dropped unasked, when the task does not exist, has not been restored
  // yet, is in trouble or was stopped.
  bool ask(std::int32_t partition, Question question);

  // Everything below is processed and committed; by task and then by input as in
  // TaskView::inputs().
  std::vector<std::vector<Offset>> committed_positions() const;

  // Tells when everything that lies in the source topics now, and all that follows from it through
  // internal topics, is committed. Owned by one thread; ask done() again and again.
  class CatchUp {
   public:
    Result<bool> done();

   private:
    friend class TaskRunner;
    explicit CatchUp(TaskRunner& runner) : runner_(runner) {}
    Result<void> look_at_ends();

    TaskRunner& runner_;
    int level_ = 0;
    bool looked_ = false;
    struct Target {
      std::size_t task;
      std::size_t input;
      Offset end;
    };
    std::vector<Target> targets_;
  };
  CatchUp catch_up() { return CatchUp(*this); }

  // True when no task has anything to read, to commit or to answer: only time makes it go on.
  bool quiet() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with steps that wait in the executor
};

}  // namespace adbrook::stream
