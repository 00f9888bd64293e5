// Runs any topology with no log, no thread and a clock that the test owns; can be crashed and
// started again on the same bus and the same simulated disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "io/simulated_executor.h"
#include "io/simulated_file_system.h"
#include "stream/memory_bus.h"
#include "stream/task_runner.h"

namespace adbrook::stream {

struct TestDriverOptions {
  std::int32_t partition_count = 1;
  std::uint64_t seed = 1;  // order of steps and what a crash leaves
  Timestamp start{1'368'800'000'000};
  StreamOptions stream;
};

struct TestRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::optional<Timestamp> time;  // the clock's when absent
};

// Owned by one thread. Creates the topics that the topology needs.
class TestDriver {
 public:
  explicit TestDriver(TopologyFactory factory, TestDriverOptions options = {});
  ~TestDriver();

  Timestamp now();
  // Appends one batch to a partition; by its key when there is no partition.
  void pipe(std::string_view topic, std::int32_t partition, const std::vector<TestRecord>& records);
  void pipe(std::string_view topic, TestRecord record);

  // Runs until only time makes it go on; lets as many commit intervals pass as that takes.
  void run();
  // Lets time pass, commit interval by commit interval.
  void advance(Millis by);

  // What the topic holds now: all partitions in order, or one.
  std::vector<MemoryRecord> records(std::string_view topic);
  std::vector<MemoryRecord> records(std::string_view topic, std::int32_t partition);

  // Asks a task that works, and waits for the answer.
  void ask(std::int32_t partition, Question question);

  // The process dies at this moment; restart() starts a new one on what is left. The disk may lose
  // what was not synced.
  void crash();
  void restart();
  void stop();  // cleanly

  TaskRunner& runner() { return *runner_; }
  MemoryBus& bus() { return *bus_; }
  io::SimulatedFileSystem& files() { return files_; }
  io::SimulatedExecutor& executor() { return executor_; }
  Metrics& metrics() { return *metrics_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void start();

  TopologyFactory factory_;
  TestDriverOptions options_;
  io::SimulatedExecutor executor_;
  io::SimulatedFileSystem files_;
  io::SeededRandom random_;
  std::unique_ptr<MemoryBus> bus_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<TaskRunner> runner_;
  std::vector<std::string> notes_;
};

}  // namespace adbrook::stream
