// The log on real files and real threads: many appenders, readers and retention at once. Meant for
// the thread sanitizer as well.
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <thread>

#include "io/process.h"
#include "io/real_file_system.h"
#include "io/thread_executor.h"
#include "log/log_test_bed.h"

namespace adbrook::log {
namespace log_threads_test {

class LogThreads : public testing::Test {
 protected:
  LogThreads() {
    path = std::filesystem::temp_directory_path() /
           ("adbrook-log-threads-" + std::to_string(io::process_id()));
    std::filesystem::remove_all(path);
  }
  ~LogThreads() override { std::filesystem::remove_all(path); }
  std::unique_ptr<Log> open(io::Executor& executor) {
    const LogOptions options{.wal_file_bytes = {256 << 10}, .append_queue_bytes = 1_MiB};
    return Log::open(files, clock, executor, metrics, path.string(), options).value();
  }

  std::filesystem::path path;
  io::RealFileSystem files;
  io::RealClock clock;
  Metrics metrics;
};

// Appends one after the other, each when the one before was answered.
void append_in_turn(Log& log, PartitionId partition, int writer, int count) {
  std::mutex mutex;
  std::condition_variable answered;
  for (int i = 0; i < count; ++i) {
    bool done = false;
    Append what;
    what.batches.push_back({partition, test_batch(std::to_string(writer) + "/" + std::to_string(i) +
                                                  std::string(1'000, 'x'))});
    what.offsets.push_back({"writer-" + std::to_string(writer), partition, Offset{i}});
    log.append(std::move(what), [&](Appended result) {
      EXPECT_TRUE(result);
      const std::lock_guard lock(mutex);
      done = true;
      answered.notify_one();
    });
    std::unique_lock lock(mutex);
    answered.wait(lock, [&] { return done; });
  }
}

// Reads everything as it comes and holds each writer to its order.
std::int64_t read_until(Log& log, PartitionId partition, std::int64_t end) {
  std::map<int, int> last;
  Offset from;
  while (from.value < end) {
    const auto read = log.read(partition, from, 20'000);
    if (!read) return ADD_FAILURE() << read.error().message, from.value;
    for (const auto& batch : read->batches) {
      const auto bytes = ByteView(read->bytes).subspan(batch.index_begin, batch.size);
      const std::string value = value_of(bytes);
      const int writer = std::stoi(value);
      const int number = std::stoi(value.substr(value.find('/') + 1));
      EXPECT_EQ(number, last.contains(writer) ? last[writer] + 1 : 0);
      last[writer] = number;
      from = record::read_header(bytes)->last_offset() + 1;
    }
    if (read->batches.empty()) std::this_thread::yield();
  }
  return from.value;
}

TEST_F(LogThreads, many_appenders_and_readers_keep_everybodys_order) {
  constexpr int kWriters = 6;
  constexpr int kAppends = 150;
  {
    io::ThreadExecutor executor(3);
    auto log = open(executor);
    ASSERT_TRUE(log->create_topic("t", 2, {.segment_bytes = {100'000}}));
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer)
      threads.emplace_back([&, writer] {
        append_in_turn(*log, log->partition("t", writer % 2).value(), writer, kAppends);
      });
    for (int number = 0; number < 2; ++number)
      threads.emplace_back([&, number] {
        const std::int64_t end = kWriters / 2 * kAppends;
        EXPECT_EQ(read_until(*log, log->partition("t", number).value(), end), end);
      });
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const std::string topic = "extra-" + std::to_string(i % 2);
        EXPECT_TRUE(log->create_topic(topic, 1, {}));
        EXPECT_TRUE(log->apply_retention());
        EXPECT_TRUE(log->delete_topic(topic));
      }
    });
    threads.clear();
    log.reset();
  }
  io::ThreadExecutor executor(1);
  auto log = open(executor);
  for (int number = 0; number < 2; ++number) {
    const PartitionId partition = log->partition("t", number).value();
    EXPECT_EQ(log->ends(partition).visible, Offset{kWriters / 2 * kAppends});
    EXPECT_EQ(log->committed("writer-" + std::to_string(number), partition), Offset{kAppends - 1});
  }
}

TEST_F(LogThreads, refused_appends_are_answered_in_their_turn) {
  io::ThreadExecutor executor(3);
  auto log = open(executor);
  ASSERT_TRUE(log->create_topic("t", 1, {}));
  const PartitionId partition = log->partition("t", 0).value();
  constexpr int kCount = 2'000;
  std::atomic<int> answered = 0;
  std::atomic<int> out_of_turn = 0;
  for (int i = 0; i < kCount; ++i) {
    if (i == kCount - 100) {
      EXPECT_TRUE(log->close());
    }
    Append what;
    Buffer batch = test_batch("x");
    if (i % 3 != 0) batch.back() ^= std::byte{1};
    what.batches.push_back({partition, std::move(batch)});
    log->append(std::move(what), [&, i](const Appended& done) {
      EXPECT_EQ(done.has_value(), i % 3 == 0 && i < kCount - 100);
      if (answered++ != i) ++out_of_turn;
    });
  }
  log.reset();
  while (answered < kCount) std::this_thread::yield();
  EXPECT_EQ(out_of_turn, 0);
}

TEST_F(LogThreads, a_log_that_is_destroyed_under_load_answers_everybody) {
  io::ThreadExecutor executor(3);
  std::atomic<int> asked = 0;
  std::atomic<int> answered = 0;
  {
    auto log = open(executor);
    ASSERT_TRUE(log->create_topic("t", 1, {}));
    const PartitionId partition = log->partition("t", 0).value();
    for (int i = 0; i < 500; ++i) {
      Append what;
      what.batches.push_back({partition, test_batch(std::string(500, 'x'))});
      ++asked;
      log->append(std::move(what), [&](Appended) { ++answered; });
    }
  }
  // What close() answered runs as steps of their own.
  std::mutex mutex;
  std::condition_variable came;
  while (answered < asked) {
    bool ran = false;
    executor.post([&] {
      const std::lock_guard lock(mutex);
      ran = true;
      came.notify_one();
    });
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return ran; });
  }
  EXPECT_EQ(answered, asked);
}

}  // namespace log_threads_test
}  // namespace adbrook::log
