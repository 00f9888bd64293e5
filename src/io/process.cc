#include "io/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/text.h"

namespace adbrook::io {
namespace {

// The first bytes of a small file of /proc; empty when it cannot be read.
std::string read_small(const std::string& path) {
  std::array<char, 4096> buffer;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  ::close(fd);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

Nanos nanos_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

int descriptor_of(StandardStream stream) {
  switch (stream) {
    case StandardStream::in: return STDIN_FILENO;
    case StandardStream::out: return STDOUT_FILENO;
    case StandardStream::error: return STDERR_FILENO;
  }
  return STDERR_FILENO;
}

// The number behind "Name:" in /proc/meminfo, in bytes.
std::int64_t meminfo_bytes(std::string_view name) {
  const std::string text = read_small("/proc/meminfo");
  const std::size_t at = text.find(name);
  const std::size_t digits = at == std::string::npos ? at : text.find_first_of("0123456789", at);
  if (digits == std::string::npos) return 0;
  std::int64_t kib = 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), kib);
  return kib * 1024;
}

}  // namespace

int processor_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::max(1, CPU_COUNT(&allowed));
}

std::int64_t available_memory_bytes() { return meminfo_bytes("MemAvailable:"); }
std::int64_t memory_bytes() { return meminfo_bytes("MemTotal:"); }

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

int process_id() { return ::getpid(); }

std::string describe_process(int pid) {
  std::string text = "process " + std::to_string(pid);
  std::string name = read_small("/proc/" + std::to_string(pid) + "/comm");
  // A process names itself as it likes, so its name is foreign text.
  if (name.ends_with('\n')) name.pop_back();
  if (!name.empty()) text += " (" + printable(name) + ")";
  return text;
}

std::int64_t resident_bytes() {
  // statm: total, then resident, both in pages.
  const std::string statm = read_small("/proc/self/statm");
  const std::size_t blank = statm.find(' ');
  if (blank == std::string::npos) return 0;
  std::int64_t page_count = 0;
  std::from_chars(statm.data() + blank + 1, statm.data() + statm.size(), page_count);
  return page_count * ::sysconf(_SC_PAGESIZE);
}

std::int64_t resident_bytes_max() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux counts it in KiB
}

Nanos cpu_time() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return Nanos(0);
  return nanos_of(usage.ru_utime) + nanos_of(usage.ru_stime);
}

Nanos user_cpu_time() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return Nanos(0);
  return nanos_of(usage.ru_utime);
}

std::int64_t open_file_count() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  std::int64_t count = 0;
  while (const dirent* entry = ::readdir(directory)) count += entry->d_name[0] != '.';
  ::closedir(directory);
  return count - 1;  // the directory itself was one of them
}

std::int64_t open_file_count_max() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<std::int64_t>(limit.rlim_cur);
}

bool is_terminal(StandardStream stream) { return ::isatty(descriptor_of(stream)) == 1; }

std::optional<int> terminal_width(StandardStream stream) {
  winsize size{};
  if (::ioctl(descriptor_of(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return size.ws_col;
}

}  // namespace adbrook::io
