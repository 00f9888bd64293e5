// Measures the main job: the same events through the hand-written loop and through the engine's
// tasks, in one run. Prints ratios; a run whose counts differ is void (exit 1).
//
// The machine's speed drifts while it runs, so every part is measured once per round, in turns, and
// the ratios are those of the medians. A virtual machine may have to ask its host for memory that
// it has not used for a while, which costs several times what the kernel itself does with a page
// and is charged to whoever touches it first: before each part the bench touches as much as the
// part may need.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/process.h"
#include "pipeline_phase.h"

namespace adbrook::bench {
namespace {

constexpr const char* kHelp =
    "main_pipeline [--events 20000000] [--rounds 3] [--threads 1] [--data DIR]\n"
    "              [--checkpoint-events 500000] [--phase NAME]\n\n"
    "Without --phase: writes the input, then runs each part as a process of its own and prints\n"
    "the comparison. Needs about 1 KB of disk per event in DIR.\n";

struct Arguments {
  PhaseOptions options{.directory =
                           (std::filesystem::temp_directory_path() / "adbrook-bench").string()};
  int round_count = 3;
  std::optional<Phase> phase;
};

[[noreturn]] void give_up(const std::string& why, int code = 3) {
  std::fprintf(stderr, "main_pipeline: %s\n", why.c_str());
  std::exit(code);
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--help" || flag == "-h") {
      std::printf("%s", kHelp);
      std::exit(0);
    }
    if (i + 1 == argc) give_up(flag + " needs a value; see --help", 2);
    const char* value = argv[i + 1];
    PhaseOptions& options = arguments.options;
    if (flag == "--events") {
      options.event_count = std::strtoull(value, nullptr, 10);
    } else if (flag == "--rounds") {
      arguments.round_count = std::max(1, std::atoi(value));
    } else if (flag == "--threads") {
      options.thread_count = std::max(1, std::atoi(value));
    } else if (flag == "--data") {
      options.directory = value;
    } else if (flag == "--checkpoint-events") {
      options.checkpoint_events = std::atoll(value);
    } else if (flag == "--phase" && phase_of(value)) {
      arguments.phase = phase_of(value);
    } else {
      give_up("there is no " + flag + " " + value + "; see --help", 2);
    }
  }
  return arguments;
}

void warm_memory(std::uint64_t event_count) {
  constexpr std::uint64_t kBytesPerEvent = 600;  // state, and the cached pages of files
  const auto size = std::min(static_cast<std::uint64_t>(io::available_memory_bytes()) / 4 * 3,
                             event_count * kBytesPerEvent);
  const auto memory = std::make_unique_for_overwrite<char[]>(size);
  for (std::uint64_t at = 0; at < size; at += 4096)
    static_cast<volatile char*>(memory.get())[at] = 1;
}

PhaseResult run_child(Phase phase, const Arguments& arguments) {
  const PhaseOptions& options = arguments.options;
  const std::string command =
      "'" + std::filesystem::read_symlink("/proc/self/exe").string() + "' --phase " +
      std::string(to_string(phase)) + " --events " + std::to_string(options.event_count) +
      " --threads " + std::to_string(options.thread_count) + " --checkpoint-events " +
      std::to_string(options.checkpoint_events) + " --data '" + options.directory + "'";
  if (phase != Phase::input) warm_memory(options.event_count);
  std::FILE* child = popen(command.c_str(), "r");
  if (child == nullptr) give_up("cannot start " + command);
  std::optional<PhaseResult> result;
  char line[512];
  while (std::fgets(line, sizeof line, child) != nullptr)
    if (const auto found = read_result(line)) result = found;
  if (pclose(child) != 0 || !result) give_up("this part failed: " + command);
  return *result;
}

void print(Phase phase, const PhaseResult& result, std::uint64_t events) {
  const auto millions = static_cast<double>(events) / 1e6;
  std::printf("%-14s %8.2f CPU s  %7.2f s  %6.3f CPU s per million  %6.2f M events per CPU s\n",
              std::string(to_string(phase)).c_str(), result.cpu_seconds, result.wall_seconds,
              result.cpu_seconds / millions, millions / result.cpu_seconds);
  std::fflush(stdout);
}

PhaseResult median(std::vector<PhaseResult> results) {
  std::ranges::sort(results, {}, &PhaseResult::cpu_seconds);
  return results[results.size() / 2];
}

bool agree(const PhaseResult& loop, const PhaseResult& engine) {
  if (loop.counted == engine.counted && loop.joined == engine.joined &&
      loop.unlinked == engine.unlinked && loop.duplicates == engine.duplicates)
    return true;
  std::printf("VOID: the loop says %s, the engine %s (times, counted, joined, unlinked, ...)\n",
              write_result(loop).c_str(), write_result(engine).c_str());
  return false;
}

int compare(const Arguments& arguments) {
  const PhaseOptions& options = arguments.options;
  std::filesystem::remove_all(options.directory);
  std::printf("writing %lu events to %s ...\n", options.event_count, options.directory.c_str());
  std::fflush(stdout);
  run_child(Phase::input, arguments);
  std::map<Phase, std::vector<PhaseResult>> runs;
  for (int round = 0; round < arguments.round_count; ++round)
    for (const Phase phase : {Phase::loop, Phase::exactly_once, Phase::outputs_only}) {
      runs[phase].push_back(run_child(phase, arguments));
      print(phase, runs[phase].back(), options.event_count);
    }
  const PhaseResult crashed = run_child(Phase::crash, arguments);
  const PhaseResult restarted = run_child(Phase::restart, arguments);
  const PhaseResult loop = median(runs[Phase::loop]);
  const PhaseResult engine = median(runs[Phase::exactly_once]);
  const PhaseResult relaxed = median(runs[Phase::outputs_only]);
  std::printf("\nengine / loop, events per CPU second: %.3f\n",
              loop.cpu_seconds / engine.cpu_seconds);
  std::printf("cost of exactly once, CPU seconds:    %+.1f %%\n",
              100 * (engine.cpu_seconds / relaxed.cpu_seconds - 1));
  std::printf("dedupe entry:                         %.1f bytes (%lu entries)\n",
              static_cast<double>(engine.seen_bytes) /
                  static_cast<double>(std::max<std::uint64_t>(1, engine.seen_count)),
              engine.seen_count);
  std::printf("resident memory, most:                %ld MB\n", engine.resident_bytes_max >> 20);
  std::printf("restart after a crash at the end:     %.2f s, %.2f CPU s\n", restarted.wall_seconds,
              restarted.cpu_seconds);
  std::filesystem::remove_all(options.directory);
  const bool agreed =
      agree(loop, engine) && agree(loop, relaxed) && agree(loop, crashed) && agree(loop, restarted);
  return agreed ? 0 : 1;
}

}  // namespace
}  // namespace adbrook::bench

int main(int argc, char** argv) {
  using namespace adbrook::bench;
  const Arguments arguments = parse(argc, argv);
  if (!arguments.phase) return compare(arguments);
  const auto result = run_phase(*arguments.phase, arguments.options);
  if (!result) give_up(result.error().message);
  std::printf("%s\n", write_result(*result).c_str());
  return 0;
}
