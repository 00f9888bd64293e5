#include "stream/task_runner.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "stream/promise_board.h"
#include "stream/task_loop.h"

namespace adbrook::stream {

TopologyTopics topics_of(const TopologyFactory& factory, std::string_view group) {
  Topology topology(0, 1, 0, {});
  factory(topology);
  TopologyTopics topics;
  for (const auto& input : topology.inputs())
    if (!input->internal()) topics.sources.push_back(input->topic());
  topics.internal = topology.internal_topics();
  topics.outputs = topology.output_topics();
  topics.changelog = std::string(group) + "-changelog";
  return topics;
}

Result<void> check(const TopologyFactory& factory) {
  Topology topology(0, 1, 0, {});
  factory(topology);
  return topology.check();
}

std::string describe(const TopologyFactory& factory) {
  Topology topology(0, 1, 0, {});
  factory(topology);
  return topology.description();
}

// Owns the loops; steps in the executor hold the loops, not this.
struct TaskRunner::State {
  TaskRunnerPlaces places;
  std::string group;
  std::string directory;
  TopologyFactory factory;
  StreamOptions options;
  std::unique_ptr<PromiseBoard> board;
  std::vector<std::shared_ptr<TaskLoop>> loops;  // shared with the steps that wait in the executor
};

TaskRunner::TaskRunner(TaskRunnerPlaces places, std::string group, std::string directory,
                       TopologyFactory factory, StreamOptions options)
    : state_(std::make_shared<State>(std::move(places), std::move(group), std::move(directory),
                                     std::move(factory), std::move(options))) {}

TaskRunner::~TaskRunner() = default;

namespace {

// The one partition count of all the topics.
Result<std::int32_t> common_partition_count(bus::Bus& bus, const TopologyTopics& topics) {
  std::vector<std::string> names = topics.sources;
  names.insert(names.end(), topics.internal.begin(), topics.internal.end());
  names.insert(names.end(), topics.outputs.begin(), topics.outputs.end());
  names.push_back(topics.changelog);
  std::int32_t common = 0;
  for (const std::string& name : names) {
    const auto count = bus.partition_count(name);
    if (!count) return pass(count.error(), "topic " + name);
    if (common == 0) common = *count;
    if (*count != common)
      return fail(ErrorKind::invalid,
                  "topic " + name + " has " + std::to_string(*count) + " partitions, but " +
                      names.front() + " has " + std::to_string(common) +
                      "; all topics of a topology need the same number, create it anew");
  }
  return common;
}

}  // namespace

// All topologies are built before the first task runs: the board's size is that of their inputs.
Result<void> TaskRunner::start() {
  State& s = *state_;
  if (auto stands = check(s.factory); !stands) return stands;
  const auto count = common_partition_count(s.places.bus, topics_of(s.factory, s.group));
  if (!count) return std::unexpected(count.error());
  std::vector<std::unique_ptr<Task>> tasks;
  for (std::int32_t partition = 0; partition < *count; ++partition) {
    auto topology = std::make_unique<Topology>(partition, *count, s.places.random.next(),
                                               s.options.watermarks());
    s.factory(*topology);
    tasks.push_back(std::make_unique<Task>(s.places.bus, s.places.files, std::move(topology),
                                           s.group, s.directory, s.options, s.places.note));
    // A restore takes its time; nothing that it may read goes meanwhile.
    tasks.back()->hold_inputs();
  }
  const Task& first = *tasks.front();
  s.board = std::make_unique<PromiseBoard>(tasks.size(), first.input_count(), first.level_count());
  const auto promised = [weak = std::weak_ptr(state_)] {
    const auto state = weak.lock();
    if (!state) return;
    for (const auto& loop : state->loops) loop->look_at_board();
  };
  for (auto& task : tasks)
    s.loops.push_back(
        std::make_shared<TaskLoop>(s.places, std::move(task), *s.board, s.options, promised));
  for (const auto& loop : s.loops) loop->start();
  return {};
}

void TaskRunner::stop(std::move_only_function<void()> done) {
  struct Countdown {
    std::atomic<std::size_t> left;
    std::move_only_function<void()> done;
  };
  if (state_->loops.empty()) return done();
  // Shared by the loops, of which nobody knows which one is last.
  auto countdown = std::make_shared<Countdown>(state_->loops.size(), std::move(done));
  for (const auto& loop : state_->loops)
    loop->stop([countdown] {
      if (countdown->left.fetch_sub(1) == 1) countdown->done();
    });
}

std::int32_t TaskRunner::task_count() const {
  return static_cast<std::int32_t>(state_->loops.size());
}

std::vector<TaskStatus> TaskRunner::status() const {
  std::vector<TaskStatus> all;
  for (const auto& loop : state_->loops) all.push_back(loop->status());
  return all;
}

bool TaskRunner::restored() const {
  return std::ranges::all_of(state_->loops,
                             [](const auto& loop) { return loop->status().restored; });
}

std::string TaskRunner::trouble() const {
  for (const auto& loop : state_->loops) {
    const TaskStatus status = loop->status();
    if (!status.trouble.empty()) return status.trouble;
    if (status.waits_for_memory)
      return state_->group +
             ": a task's state or one of its stores has reached its budget and takes no more "
             "input; raise the store's budget or task.memory.max";
  }
  return {};
}

bool TaskRunner::ask(std::int32_t partition, Question question) {
  if (partition < 0 || partition >= task_count()) return false;
  return state_->loops[static_cast<std::size_t>(partition)]->ask(std::move(question));
}

std::vector<std::vector<Offset>> TaskRunner::committed_positions() const {
  std::vector<std::vector<Offset>> all;
  for (const auto& loop : state_->loops) all.push_back(loop->committed_positions());
  return all;
}

bool TaskRunner::quiet() const {
  return std::ranges::all_of(state_->loops, [](const auto& loop) { return loop->quiet(); });
}

// The ends are taken once per level, so that new traffic does not move the target.
Result<void> TaskRunner::CatchUp::look_at_ends() {
  targets_.clear();
  for (std::size_t t = 0; t < runner_.state_->loops.size(); ++t) {
    const Task& task = runner_.state_->loops[t]->task();
    for (std::size_t i = 0; i < task.input_count(); ++i) {
      if (task.input(i).level() != level_) continue;
      const auto ends = runner_.state_->places.bus.ends(task.reader(i).partition());
      if (!ends) return std::unexpected(ends.error());
      targets_.push_back({t, i, ends->end});
    }
  }
  looked_ = true;
  return {};
}

// Level by level: what an input caused lies in the next level's topics once its commit is durable.
Result<bool> TaskRunner::CatchUp::done() {
  if (const std::string trouble = runner_.trouble(); !trouble.empty())
    return fail(ErrorKind::closed, trouble);
  if (!runner_.restored()) return false;
  for (; level_ < runner_.state_->loops.front()->task().level_count(); ++level_, looked_ = false) {
    if (!looked_)
      if (auto looked = look_at_ends(); !looked) return std::unexpected(looked.error());
    const auto positions = runner_.committed_positions();
    for (const Target& target : targets_)
      if (positions[target.task][target.input] < target.end) return false;
  }
  return true;
}

}  // namespace adbrook::stream
