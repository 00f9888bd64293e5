// How fast appends become durable, on a real directory. ADBROOK_BENCH_DIR chooses the disk.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "io/process.h"
#include "io/real_file_system.h"
#include "io/thread_executor.h"
#include "log/log.h"
#include "record/batch.h"

namespace adbrook::log {
namespace {

Buffer batch_of(std::size_t size) {
  record::BatchBuilder builder;
  const std::string value(size, 'x');
  builder.add(Timestamp{1000}, std::nullopt, as_bytes(value));
  return builder.finish();
}

// A log in a directory of its own that is removed afterwards.
class BenchLog {
 public:
  explicit BenchLog(LogOptions options = {}) : executor_(2) {
    const char* chosen = std::getenv("ADBROOK_BENCH_DIR");
    const std::filesystem::path base =
        chosen != nullptr ? chosen : std::filesystem::temp_directory_path();
    path_ = base / ("adbrook-log-bench-" + std::to_string(io::process_id()));
    std::filesystem::remove_all(path_);
    log_ = Log::open(files_, clock_, executor_, metrics_, path_.string(), options).value();
    log_->create_topic("t", 4, {}).value();
  }
  ~BenchLog() {
    log_.reset();
    executor_.stop();
    std::filesystem::remove_all(path_);
  }
  Log& log() { return *log_; }

  // `waiting` appends are under way all the time, each made when the one before it was answered.
  // Returns when `total` are done.
  void run(int waiting, std::int64_t total, const Buffer& batch) {
    left_ = total;
    under_way_ = waiting;
    for (int i = 0; i < waiting; ++i) next(i % 4, batch);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return under_way_ == 0; });
  }

 private:
  void next(int partition, const Buffer& batch) {
    {
      const std::lock_guard lock(mutex_);
      if (left_-- <= 0) {
        if (--under_way_ == 0) done_.notify_all();
        return;
      }
    }
    Append what;
    what.batches.push_back({log_->partition("t", partition).value(), batch});
    log_->append(std::move(what), [this, partition, &batch](auto result) {
      if (!result) std::abort();
      next(partition, batch);
    });
  }

  io::RealFileSystem files_;
  io::RealClock clock_;
  Metrics metrics_;
  io::ThreadExecutor executor_;
  std::filesystem::path path_;
  std::unique_ptr<Log> log_;
  std::mutex mutex_;  // appends are answered on several threads
  std::condition_variable done_;
  std::int64_t left_ = 0;
  int under_way_ = 0;
};

void report(benchmark::State& state, std::int64_t appends, std::size_t batch_size) {
  state.SetItemsProcessed(appends);
  state.SetBytesProcessed(appends * static_cast<std::int64_t>(batch_size));
}

// Arguments: appends that wait together, bytes per batch.
void append_durably(benchmark::State& state) {
  const int waiting = static_cast<int>(state.range(0));
  const Buffer batch = batch_of(static_cast<std::size_t>(state.range(1)));
  BenchLog bench;
  bench.run(waiting, waiting * 20, batch);
  const std::int64_t total = std::max<std::int64_t>(
      waiting * 50, (64 << 20) / static_cast<std::int64_t>(batch.size()) / 8);
  std::int64_t appends = 0;
  for (auto _ : state) {
    bench.run(waiting, total, batch);
    appends += total;
  }
  report(state, appends, batch.size());
}
BENCHMARK(append_durably)
    ->ArgNames({"waiting", "bytes"})
    ->Args({1, 1 << 10})
    ->Args({16, 1 << 10})
    ->Args({64, 1 << 10})
    ->Args({256, 1 << 10})
    ->Args({4, 64 << 10})
    ->Args({4, 1 << 20})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// Argument: bytes per read.
void read_back(benchmark::State& state) {
  BenchLog bench;
  bench.run(16, 4 * 4'000, batch_of(16 << 10));
  const PartitionId partition = bench.log().partition("t", 0).value();
  const Offset end = bench.log().ends(partition).visible;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    for (Offset from; from < end;) {
      const auto read = bench.log().read(partition, from, static_cast<std::size_t>(state.range(0)));
      if (!read) std::abort();
      bytes += static_cast<std::int64_t>(read->bytes.size());
      from = from + static_cast<std::int64_t>(read->batches.size());
    }
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(read_back)->ArgName("bytes")->Arg(64 << 10)->Arg(1 << 20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace adbrook::log
