// One measured part of the bench, run in a process of its own, so that no part pays for, or gains
// from, the memory that another one touched first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adbrook::bench {

struct PhaseOptions {
  std::string directory;
  std::uint64_t event_count = 20'000'000;
  int thread_count = 1;
  std::int64_t checkpoint_events = 500'000;
};

// The parts, in the words of the command line.
enum class Phase {
  input,         // writes the events into the log; not measured
  loop,          // the hand-written loop
  exactly_once,  // the engine's tasks with everything that they do
  outputs_only,  // the same outputs without changelog, positions, checkpoints and sync
  crash,         // as exactly_once, but the process ends without a stop once it has caught up
  restart,       // opens what `crash` left, until every task is at the end of its input again
};

inline constexpr std::string_view kPhaseNames[] = {"input",        "loop",  "exactly-once",
                                                   "outputs-only", "crash", "restart"};

std::optional<Phase> phase_of(std::string_view name);
constexpr std::string_view to_string(Phase phase) { return kPhaseNames[static_cast<int>(phase)]; }

struct PhaseResult {
  double cpu_seconds = 0;
  double wall_seconds = 0;
  std::uint64_t counted = 0;
  std::uint64_t joined = 0;
  std::uint64_t unlinked = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t seen_count = 0;  // entries of the impressions' dedupe store
  std::int64_t seen_bytes = 0;
  std::int64_t resident_bytes_max = 0;
};

// Runs one part here. Everything it opened is closed again, but after `crash`.
Result<PhaseResult> run_phase(Phase phase, const PhaseOptions& options);

// One line that read_result() understands.
std::string write_result(const PhaseResult& result);
std::optional<PhaseResult> read_result(std::string_view line);

}  // namespace adbrook::bench
