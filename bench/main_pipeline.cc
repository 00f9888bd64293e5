// Measures the main job: the same events through the hand-written loop and through the engine's
// tasks, in one run. Prints ratios; a run whose counts differ is void (exit 1).
//
//   main_pipeline [--events N] [--data DIR] [--threads N] [--checkpoint-events N]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <string>
#include <thread>

#include "ads/click_topology.h"
#include "ads/event.h"
#include "bus/embedded_bus.h"
#include "io/clock.h"
#include "io/process.h"
#include "io/random.h"
#include "io/real_file_system.h"
#include "io/thread_executor.h"
#include "log/log.h"
#include "pipeline_input.h"
#include "reference_loop.h"
#include "state/seen_store.h"
#include "stream/task_runner.h"

namespace adbrook::bench {
namespace {

struct Arguments {
  std::uint64_t event_count = 20'000'000;
  std::string directory = (std::filesystem::temp_directory_path() / "adbrook-bench").string();
  int thread_count = 1;
  std::int64_t checkpoint_events = 500'000;
};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "main_pipeline: %s\n", error.message.c_str());
  std::exit(3);
}

double seconds(Nanos time) { return std::chrono::duration<double>(time).count(); }

struct Measured {
  double cpu_seconds = 0;
  double wall_seconds = 0;
};

class Stopwatch {
 public:
  explicit Stopwatch(io::Clock& clock)
      : clock_(clock), wall_(clock.monotonic()), cpu_(io::cpu_time()) {}
  Measured stop() const {
    return {seconds(io::cpu_time() - cpu_), seconds(clock_.monotonic() - wall_)};
  }

 private:
  io::Clock& clock_;
  Nanos wall_;
  Nanos cpu_;
};

void print(const char* what, const Measured& measured, std::uint64_t events) {
  const auto millions = static_cast<double>(events) / 1e6;
  std::printf("%-34s %8.2f CPU s  %8.2f s  %7.3f CPU s per million  %6.2f M events per CPU s\n",
              what, measured.cpu_seconds, measured.wall_seconds, measured.cpu_seconds / millions,
              millions / measured.cpu_seconds);
}

// Reads both topics in event-time order of their batches, as a single reader would.
class MergedReader {
 public:
  MergedReader(log::Log& log, std::int32_t partition_count) : log_(log) {
    for (const std::string_view topic : {ads::kImpressionsTopic, ads::kClicksTopic})
      for (std::int32_t p = 0; p < partition_count; ++p)
        inputs_.push_back({*log.partition(topic, p), topic == ads::kImpressionsTopic});
  }

  // The next batch in time; false at the end. `impressions` says whose it is.
  bool next(ByteView& batch, bool& impressions) {
    Input* best = nullptr;
    for (Input& input : inputs_) {
      if (!fill(input)) continue;
      if (best == nullptr || first_time(input) < first_time(*best)) best = &input;
    }
    if (best == nullptr) return false;
    const auto& found = best->read.batches[best->index++];
    batch = ByteView(best->read.bytes).subspan(found.index_begin, found.size);
    best->position = record::read_header(batch)->last_offset() + 1;
    impressions = best->impressions;
    return true;
  }

 private:
  struct Input {
    log::PartitionId partition;
    bool impressions;
    Offset position{};
    log::ReadBatches read{};
    std::size_t index = 0;
  };
  static std::int64_t first_time(const Input& input) {
    return load_be<std::int64_t>(input.read.bytes.data() +
                                 input.read.batches[input.index].index_begin + 35);
  }
  bool fill(Input& input) {
    if (input.index < input.read.batches.size()) return true;
    auto read = log_.read(input.partition, input.position, 1 << 20);
    if (!read) give_up(read.error());
    input.read = std::move(*read);
    input.index = 0;
    return !input.read.batches.empty();
  }

  log::Log& log_;
  std::vector<Input> inputs_;
};

// Only the loop itself is timed; the bytes lie in memory before.
Measured run_loop(log::Log& log, const Arguments& arguments, LoopTotals& totals) {
  ReferenceLoop loop(arguments.event_count);
  MergedReader reader(log, 4);
  ByteView batch;
  bool impressions = false;
  Measured sum;
  timespec before{}, after{};
  while (reader.next(batch, impressions)) {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    impressions ? loop.impressions(batch) : loop.clicks(batch);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    sum.cpu_seconds += static_cast<double>(after.tv_sec - before.tv_sec) +
                       static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9;
  }
  sum.wall_seconds = sum.cpu_seconds;
  totals = loop.totals();
  return sum;
}

// The same outputs, without what makes them exactly once: no changelog, no positions.
class OutputsOnlyBus final : public bus::Bus {
 public:
  OutputsOnlyBus(bus::Bus& under, std::string changelog)
      : under_(under), changelog_(std::move(changelog)) {}

  Result<std::int32_t> partition_count(std::string_view topic) override {
    return under_.partition_count(topic);
  }
  Result<bus::Fetched> fetch(const bus::Partition& p, Offset from, std::size_t size_max) override {
    return under_.fetch(p, from, size_max);
  }
  Result<bus::Ends> ends(const bus::Partition& p) override { return under_.ends(p); }
  Result<Offset> committed(std::string_view group, const bus::Partition& p) override {
    return under_.committed(group, p);
  }
  void commit(bus::Commit what, bus::CommitDone done) override {
    std::erase_if(what.outputs,
                  [&](const auto& output) { return output.partition.topic == changelog_; });
    what.positions.clear();
    under_.commit(std::move(what), std::move(done));
  }
  void when_readable(const bus::Partition& p, Offset offset, io::Step step) override {
    under_.when_readable(p, offset, std::move(step));
  }
  void hold(std::string_view holder, const bus::Partition& p, Offset offset) override {
    under_.hold(holder, p, offset);
  }

 private:
  bus::Bus& under_;
  std::string changelog_;
};

struct EngineTotals {
  std::uint64_t counted = 0;
  std::uint64_t joined = 0;
  std::uint64_t unlinked = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t seen_count = 0;
  std::int64_t seen_bytes = 0;
  std::uint64_t pending = 0;
  std::string all;  // every outcome of every task, for people
};

void add_totals(const stream::TaskView& task, EngineTotals& totals) {
  task.counts().for_each(
      [&](stream::Arrival, stream::Outcome outcome, std::string_view reason, std::uint64_t n) {
        if (outcome == stream::Outcome::counted) totals.counted += n;
        if (outcome == stream::Outcome::joined) totals.joined += n;
        if (outcome == stream::Outcome::unlinked) totals.unlinked += n;
        if (outcome == stream::Outcome::duplicate) totals.duplicates += n;
        totals.all += " " + std::string(stream::to_string(outcome)) + "(" + std::string(reason) +
                      ")=" + std::to_string(n);
      });
  totals.pending += task.counts().pending_total();
  if (const auto* seen = task.store<state::SeenStore>("impressions-seen")) {
    totals.seen_count += seen->count();
    totals.seen_bytes += seen->memory().count;
  }
}

struct EngineRun {
  std::string group;
  bool exactly_once = true;
};

Measured run_engine(log::Log& log, bus::Bus& bus, io::ThreadExecutor& executor,
                    const Arguments& arguments, const EngineRun& run, EngineTotals& totals) {
  io::RealFileSystem files;
  io::RealClock clock;
  io::SystemRandom random;
  Metrics metrics;
  const stream::TopologyFactory factory = [](stream::Topology& topology) {
    ads::define_click_topology(topology, {}, {});
  };
  const stream::TopologyTopics topics = stream::topics_of(factory, run.group);
  const log::TopicConfig config{.durability = run.exactly_once ? log::Durability::sync
                                                               : log::Durability::relaxed};
  for (const auto& names : {topics.internal, topics.outputs, std::vector{topics.changelog}})
    for (const std::string& name : names) {
      if (auto deleted = log.delete_topic(name);
          !deleted && deleted.error().kind != ErrorKind::not_found)
        give_up(deleted.error());
      if (auto made = log.create_topic(name, 4, config); !made) give_up(made.error());
    }
  OutputsOnlyBus outputs_only(bus, topics.changelog);
  stream::StreamOptions options;
  options.checkpoint_events = run.exactly_once ? arguments.checkpoint_events : 1'000'000'000;
  stream::TaskRunner tasks(
      {.bus = run.exactly_once ? bus : outputs_only,
       .files = files,
       .clock = clock,
       .executor = executor,
       .random = random,
       .metrics = metrics,
       .note =
           [](std::string_view text) {
             std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
           }},
      run.group, arguments.directory + "/state-" + run.group, factory, options);
  const Stopwatch watch(clock);
  if (auto started = tasks.start(); !started) give_up(started.error());
  auto catch_up = tasks.catch_up();
  for (;;) {
    const auto done = catch_up.done();
    if (!done) give_up(done.error());
    if (*done) break;
    if (const auto trouble = tasks.trouble(); !trouble.empty())
      give_up({ErrorKind::closed, trouble});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const Measured measured = watch.stop();
  for (std::int32_t p = 0; p < tasks.task_count(); ++p) {
    std::promise<void> answered;
    if (!tasks.ask(p, [&](const stream::TaskView& task) {
          add_totals(task, totals);
          answered.set_value();
        }))
      give_up({ErrorKind::closed, "a task does not answer"});
    answered.get_future().wait();
  }
  std::promise<void> stopped;
  tasks.stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
  return measured;
}

bool agree(const LoopTotals& loop, const EngineTotals& engine) {
  const std::uint64_t counted = loop.impressions - loop.duplicates;
  if (counted == engine.counted && loop.joined == engine.joined && loop.unlinked == engine.unlinked)
    return true;
  std::printf("outcomes:%s; pending %lu\n", engine.all.c_str(), engine.pending);
  std::printf("VOID: the loop counted %lu, joined %lu, unlinked %lu; the engine %lu, %lu, %lu\n",
              counted, loop.joined, loop.unlinked, engine.counted, engine.joined, engine.unlinked);
  return false;
}

int run(const Arguments& arguments) {
  std::filesystem::remove_all(arguments.directory);
  io::RealFileSystem files;
  io::RealClock clock;
  io::ThreadExecutor executor(arguments.thread_count + 1);
  Metrics metrics;
  auto log = log::Log::open(files, clock, executor, metrics, arguments.directory + "/log", {});
  if (!log) give_up(log.error());
  std::printf("writing %lu events ...\n", arguments.event_count);
  if (auto written = write_input(**log, {.event_count = arguments.event_count}); !written)
    give_up(written.error());

  LoopTotals loop;
  const Measured by_loop = run_loop(**log, arguments, loop);
  print("hand-written loop", by_loop, arguments.event_count);
  const std::int64_t resident_before = io::resident_bytes();
  bus::EmbeddedBus bus(**log, executor);
  EngineTotals engine, relaxed;
  const Measured by_engine =
      run_engine(**log, bus, executor, arguments, {.group = "exactly-once"}, engine);
  print("engine, exactly once", by_engine, arguments.event_count);
  const std::int64_t resident_after = io::resident_bytes_max();
  const Measured by_relaxed = run_engine(**log, bus, executor, arguments,
                                         {.group = "outputs-only", .exactly_once = false}, relaxed);
  print("engine, outputs only", by_relaxed, arguments.event_count);

  const bool agreed = agree(loop, engine) && agree(loop, relaxed);
  std::printf("engine / loop, events per CPU second: %.3f\n",
              by_loop.cpu_seconds / by_engine.cpu_seconds);
  std::printf("cost of exactly once, CPU seconds:    %+.1f %%\n",
              100 * (by_engine.cpu_seconds / by_relaxed.cpu_seconds - 1));
  std::printf("dedupe entry: %.1f bytes (%lu entries)\n",
              static_cast<double>(engine.seen_bytes) /
                  static_cast<double>(std::max<std::uint64_t>(1, engine.seen_count)),
              engine.seen_count);
  std::printf("resident memory: %ld MB before the engine, %ld MB at most\n", resident_before >> 20,
              resident_after >> 20);
  if (auto closed = (*log)->close(); !closed) give_up(closed.error());
  executor.stop();
  log->reset();
  std::filesystem::remove_all(arguments.directory);
  return agreed ? 0 : 1;
}

}  // namespace
}  // namespace adbrook::bench

int main(int argc, char** argv) {
  adbrook::bench::Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--events") arguments.event_count = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--data") arguments.directory = argv[i + 1];
    if (flag == "--threads") arguments.thread_count = std::atoi(argv[i + 1]);
    if (flag == "--checkpoint-events") arguments.checkpoint_events = std::atoll(argv[i + 1]);
  }
  return adbrook::bench::run(arguments);
}
