// Facts about this process and its terminal, as metrics, `doctor` and benchmarks show them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace adbrook::io {

// All functions here are thread-safe.

int process_id();

// "process 123 (adbrook)", or without the name when the kernel does not tell it.
std::string describe_process(int pid);

// Memory of this process that is in RAM now, and the most there ever was; 0 when /proc is missing.
std::int64_t resident_bytes();
std::int64_t resident_bytes_max();

// User and kernel time that all threads of this process have used together.
Nanos cpu_time();
// The user part of it: what the kernel does for the process, first touches of memory included, is
// left out.
Nanos user_cpu_time();

// Processors that this process may run on; at least 1.
int processor_count();

// RAM of this machine that programs can still take, and all of it; 0 when /proc is missing.
std::int64_t available_memory_bytes();
std::int64_t memory_bytes();

// NAME, VALUE of each variable of the process environment.
std::vector<std::pair<std::string, std::string>> environment();

// Open files and sockets of this process now, and how many it may have.
std::int64_t open_file_count();
std::int64_t open_file_count_max();

enum class StandardStream { in, out, error };

bool is_terminal(StandardStream stream);

// Columns; nothing when it is no terminal or does not tell.
std::optional<int> terminal_width(StandardStream stream);

}  // namespace adbrook::io
