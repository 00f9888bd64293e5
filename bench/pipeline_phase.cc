#include "pipeline_phase.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>

#include "ads/click_topology.h"
#include "ads/event.h"
#include "io/clock.h"
#include "io/process.h"
#include "merged_reader.h"
#include "pipeline_input.h"
#include "reference_loop.h"
#include "state/seen_store.h"
#include "stream_machine.h"
#include "weaker_bus.h"

namespace adbrook::bench {
namespace {

constexpr std::int32_t kPartitionCount = 4;
constexpr const char* kResultFormat = "result %lf %lf %lu %lu %lu %lu %lu %ld %ld";

double seconds(Nanos time) { return std::chrono::duration<double>(time).count(); }

class Stopwatch {
 public:
  explicit Stopwatch(io::Clock& clock)
      : clock_(clock), wall_(clock.monotonic()), cpu_(io::cpu_time()) {}
  void stop(PhaseResult& result) const {
    result.cpu_seconds = seconds(io::cpu_time() - cpu_);
    result.wall_seconds = seconds(clock_.monotonic() - wall_);
  }

 private:
  io::Clock& clock_;
  Nanos wall_;
  Nanos cpu_;
};

// Only the loop itself is timed; the bytes of a round lie in memory before.
Result<PhaseResult> run_loop(StreamMachine& machine, const PhaseOptions& options) {
  ReferenceLoop loop(options.event_count);
  MergedReader reader(machine.log(), kPartitionCount);
  PhaseResult result;
  for (;;) {
    const auto round = reader.next_round();
    if (!round) return pass(round.error());
    if (round->empty()) break;
    const Stopwatch watch(machine.clock());
    for (const MergedReader::Batch& batch : *round)
      batch.impressions ? loop.impressions(batch.bytes) : loop.clicks(batch.bytes);
    PhaseResult part;
    watch.stop(part);
    result.cpu_seconds += part.cpu_seconds;
    result.wall_seconds += part.wall_seconds;
  }
  const LoopTotals totals = loop.totals();
  result.counted = totals.impressions - totals.duplicate_impressions;
  result.joined = totals.joined;
  result.unlinked = totals.unlinked;
  result.duplicates = totals.duplicate_impressions + totals.duplicate_clicks;
  return result;
}

void add_totals(const stream::TaskView& task, PhaseResult& result) {
  task.counts().for_each(
      [&](stream::Arrival, stream::Outcome outcome, std::string_view, std::uint64_t count) {
        if (outcome == stream::Outcome::counted) result.counted += count;
        if (outcome == stream::Outcome::joined) result.joined += count;
        if (outcome == stream::Outcome::unlinked) result.unlinked += count;
        if (outcome == stream::Outcome::duplicate) result.duplicates += count;
      });
  if (const auto* seen = task.store<state::SeenStore>("impressions-seen")) {
    result.seen_count += seen->count();
    result.seen_bytes += seen->memory().count;
  }
}

Result<void> ask_all(stream::TaskRunner& tasks, PhaseResult& result) {
  for (std::int32_t p = 0; p < tasks.task_count(); ++p) {
    std::promise<void> answered;
    const auto asked = tasks.ask(p, [&](const stream::TaskView& task) {
      add_totals(task, result);
      answered.set_value();
    });
    if (!asked) return fail(ErrorKind::closed, "a task does not answer");
    answered.get_future().wait();
  }
  return {};
}

Result<void> create_topics(log::Log& log, const stream::TopologyTopics& topics,
                           log::Durability durability) {
  for (const auto& names : {topics.internal, topics.outputs, std::vector{topics.changelog}})
    for (const std::string& name : names) {
      if (auto deleted = log.delete_topic(name);
          !deleted && deleted.error().kind != ErrorKind::not_found)
        return deleted;
      if (auto made = log.create_topic(name, kPartitionCount, {.durability = durability}); !made)
        return made;
    }
  return {};
}

// The group's name is new for each run, so that no run finds what another one left.
std::string group_of(Phase phase, const PhaseOptions& options) {
  if (phase == Phase::crash || phase == Phase::restart) return "crashed";
  return std::string(to_string(phase)) + "-" + std::to_string(io::process_id()) + "-" +
         std::to_string(options.checkpoint_events);
}

Result<PhaseResult> run_engine(StreamMachine& machine, Phase phase, const PhaseOptions& options,
                               const Stopwatch* since_start) {
  const bool exactly_once = phase != Phase::outputs_only;
  const std::string group = group_of(phase, options);
  const stream::TopologyFactory factory = [](stream::Topology& topology) {
    ads::define_click_topology(topology, {}, {});
  };
  const stream::TopologyTopics topics = stream::topics_of(factory, group);
  if (phase != Phase::restart) {
    const auto durability = exactly_once ? log::Durability::sync : log::Durability::relaxed;
    if (auto made = create_topics(machine.log(), topics, durability); !made)
      return pass(made.error());
  }
  WeakerBus outputs_only(machine.bus(), topics.changelog);
  stream::StreamOptions stream_options;
  stream_options.checkpoint_events = exactly_once ? options.checkpoint_events : 1'000'000'000;
  bus::Bus& bus = exactly_once ? machine.bus() : outputs_only;
  stream::TaskRunner tasks(machine.places(bus), group, options.directory + "/state-" + group,
                           factory, stream_options);
  const Stopwatch own_watch(machine.clock());
  if (auto started = tasks.start(); !started) return pass(started.error());
  if (auto done = wait_until_caught_up(tasks); !done) return pass(done.error());
  PhaseResult result;
  (since_start != nullptr ? *since_start : own_watch).stop(result);
  if (auto asked = ask_all(tasks, result); !asked) return pass(asked.error());
  result.resident_bytes_max = io::resident_bytes_max();
  if (phase == Phase::crash) {
    std::printf("%s\n", write_result(result).c_str());
    std::fflush(stdout);
    std::_Exit(0);  // nothing is stopped, synced or closed
  }
  stop_and_wait(tasks);
  return result;
}

}  // namespace

std::optional<Phase> phase_of(std::string_view name) {
  const auto* found = std::ranges::find(kPhaseNames, name);
  if (found == std::end(kPhaseNames)) return std::nullopt;
  return static_cast<Phase>(found - std::begin(kPhaseNames));
}

Result<PhaseResult> run_phase(Phase phase, const PhaseOptions& options) {
  io::RealClock clock;
  const Stopwatch since_start(clock);
  StreamMachine machine(options.thread_count + 1);
  if (auto opened = machine.open(options.directory + "/log"); !opened) return pass(opened.error());
  Result<PhaseResult> result;
  if (phase == Phase::input) {
    const auto written = write_input(
        machine.log(), {.event_count = options.event_count, .partition_count = kPartitionCount});
    if (!written) return pass(written.error());
  } else if (phase == Phase::loop) {
    result = run_loop(machine, options);
  } else {
    result = run_engine(machine, phase, options, phase == Phase::restart ? &since_start : nullptr);
  }
  if (!result) return result;
  if (auto closed = machine.close(); !closed) return pass(closed.error());
  return result;
}

std::string write_result(const PhaseResult& r) {
  char line[256];
  std::snprintf(line, sizeof line, kResultFormat, r.cpu_seconds, r.wall_seconds, r.counted,
                r.joined, r.unlinked, r.duplicates, r.seen_count, r.seen_bytes,
                r.resident_bytes_max);
  return line;
}

std::optional<PhaseResult> read_result(std::string_view line) {
  PhaseResult r;
  const int read = std::sscanf(std::string(line).c_str(), kResultFormat, &r.cpu_seconds,
                               &r.wall_seconds, &r.counted, &r.joined, &r.unlinked, &r.duplicates,
                               &r.seen_count, &r.seen_bytes, &r.resident_bytes_max);
  if (read != 9) return std::nullopt;
  return r;
}

}  // namespace adbrook::bench
