#include "io/port_user.h"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <string_view>

#include "io/process.h"

namespace adbrook::io {
namespace {

constexpr int kLineCountMax = 200'000;
constexpr int kEntryCountMax = 200'000;
constexpr unsigned kListenState = 0x0A;  // TCP_LISTEN

// The socket's inode number from one line of /proc/net/tcp, when that socket listens on `port`.
std::optional<unsigned long> listening_inode(const std::string& line, std::uint16_t port) {
  unsigned local_port = 0;
  unsigned state = 0;
  unsigned long inode = 0;
  // Columns: number, local address, remote address, state, queues, timer, retransmits, user,
  // timeout, inode; man 5 proc.
  const int read_count = std::sscanf(
      line.c_str(), " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
      &local_port, &state, &inode);
  if (read_count != 3 || state != kListenState || local_port != port) return {};
  return inode;
}

std::optional<unsigned long> find_inode(std::uint16_t port) {
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream table(path);
    std::string line;
    for (int i = 0; i < kLineCountMax && std::getline(table, line); ++i) {
      if (const auto inode = listening_inode(line, port)) return inode;
    }
  }
  return {};
}

// Calls `visit` with each name until it returns true.
bool any_entry(const std::string& path, const std::function<bool(const char*)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (!directory) return false;
  for (int i = 0; i < kEntryCountMax; ++i) {
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) return false;
    if (visit(entry->d_name)) return true;
  }
  return false;
}

bool has_open(const std::string& process_path, std::string_view wanted) {
  return any_entry(process_path + "/fd", [&](const char* name) {
    std::array<char, 64> target;
    const std::string link = process_path + "/fd/" + name;
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    return size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == wanted;
  });
}

}  // namespace

std::optional<std::string> describe_port_user(std::uint16_t port) {
  const auto inode = find_inode(port);
  if (!inode) return {};
  const std::string wanted = "socket:[" + std::to_string(*inode) + "]";
  int pid = 0;
  const bool found = any_entry("/proc", [&](const char* name) {
    const std::string_view text(name);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return error == std::errc{} && end == text.data() + text.size() &&
           has_open("/proc/" + std::string(text), wanted);
  });
  if (!found) return {};
  return describe_process(pid);
}

}  // namespace adbrook::io
