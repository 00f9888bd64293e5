// The runner on real threads, a real disk and a real clock: what it counts does not depend on them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "io/real_file_system.h"
#include "io/thread_executor.h"
#include "stream/order_example_test.h"

namespace adbrook::stream {
namespace threads_test {

using namespace std::chrono_literals;
using namespace example;

// A directory of its own that is removed with the object.
struct TemporaryDirectory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("adbrook-stream-" + std::to_string(getpid()));
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
};

void wait_for(const std::function<bool()>& reached) {
  while (!reached()) std::this_thread::yield();
}

TEST(Threads, tasks_on_several_threads_count_every_event_once_over_restarts) {
  constexpr std::int32_t kPartitions = 4;
  constexpr std::uint64_t kOrders = 20'000;
  const TemporaryDirectory directory;
  io::RealFileSystem files;
  io::RealClock clock;
  io::SystemRandom random;
  StreamOptions options;
  options.commit_interval = 2ms;
  options.checkpoint_events = 1'000;

  io::ThreadExecutor bus_executor(1);
  MemoryBus bus(bus_executor, clock);
  const TopologyTopics topics = topics_of(define_telling, "test");
  for (const auto* names : {&topics.sources, &topics.internal, &topics.outputs})
    for (const std::string& name : *names) bus.create_topic(name, kPartitions);
  bus.create_topic(topics.changelog, kPartitions);

  const Timestamp begin = clock.now() - 1h;
  std::uint64_t written = 0;
  for (int life = 0; life < 3; ++life) {
    Metrics metrics;
    io::ThreadExecutor executor(3);
    TaskRunner runner({bus, files, clock, executor, random, metrics, [](auto) {}}, "test",
                      directory.path.string(), define_telling, options);
    ASSERT_TRUE(runner.start().has_value());
    for (; written < kOrders * static_cast<std::uint64_t>(life + 1) / 3; ++written) {
      const auto append = [&](const char* topic, const TestRecord& record, std::int32_t partition) {
        record::BatchBuilder builder;
        builder.add(begin, as_bytes(*record.key), as_bytes(*record.value));
        bus.append({topic, partition}, builder.finish());
      };
      const auto partition = static_cast<std::int32_t>(written % kPartitions);
      append("orders", order_record(written + 1, begin), partition);
      append("payments", payment_record(written + 1, begin + 1s, written + 1), partition);
    }
    auto catch_up = runner.catch_up();
    wait_for([&] { return catch_up.done().value_or(true); });
    ASSERT_EQ(runner.trouble(), "");

    std::atomic<std::uint64_t> joined = 0;
    std::atomic<int> answers = 0;
    for (std::int32_t p = 0; p < kPartitions; ++p)
      ASSERT_TRUE(runner.ask(p, [&](const TaskView& task) {
        task.counts().for_each([&](Arrival, Outcome outcome, std::string_view, std::uint64_t n) {
          if (outcome == Outcome::joined) joined += n;
        });
        ++answers;
      }));
    wait_for([&] { return answers == kPartitions; });
    EXPECT_EQ(joined, written);

    std::atomic<bool> stopped = false;
    runner.stop([&] { stopped = true; });
    wait_for([&] { return stopped.load(); });
    executor.stop();
    bus.forget_readers();
  }
}

}  // namespace threads_test
}  // namespace adbrook::stream
