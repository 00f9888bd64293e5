#include "app/doctor.h"

#include <algorithm>

#include "app/commands.h"
#include "app/kafka_replay.h"
#include "app/table.h"
#include "base/text.h"
#include "http/server.h"
#include "io/port_user.h"
#include "io/process.h"
#include "io/real_file_system.h"
#include "io/tcp.h"

namespace adbrook::app {
namespace {

constexpr std::uint64_t kFreeBytesBad = 1ull << 30;
constexpr std::uint64_t kFreeBytesWarning = 10ull << 30;
constexpr Millis kSyncWarning{20};
constexpr int kSyncCount = 10;
constexpr std::int64_t kOpenFilesWarning = 4096;
constexpr std::int64_t kMemoryWarning = std::int64_t{1} << 30;
constexpr Millis kHopPatience{5'000};
constexpr Timestamp kEarliestNow{1'767'225'600'000};  // 2026-01-01, before this was built

std::string mebibytes(std::uint64_t bytes) {
  return with_thousands(static_cast<long long>(bytes >> 20)) + " MiB";
}

// The data directory, or the nearest directory above it that exists.
std::string existing_directory(io::FileSystem& files, std::string path) {
  while (!files.exists(path).value_or(false)) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    if (slash == 0) return "/";
    path.resize(slash);
  }
  return path;
}

Finding examine_directory(io::FileSystem& files, const std::string& path) {
  Finding finding{"data directory", Health::good, path, ""};
  const bool exists = files.exists(path).value_or(false);
  if (!exists) {
    finding.seen += " will be made";
    return finding;
  }
  if (files.exists(path + "/LOCK").value_or(false)) {
    const auto lock = files.lock(path + "/LOCK");
    if (!lock && lock.error().kind == ErrorKind::busy)
      return {finding.what, Health::warning, lock.error().message,
              "an engine runs on it already: stop it, or use another --data"};
    finding.seen += " is there and free";
    return finding;
  }
  const auto names = files.list(path);
  if (names && !names->empty() && !files.exists(path + "/FORMAT").value_or(false))
    return {finding.what, Health::bad, path + " holds files that are not ours",
            "name an empty or absent directory with --data"};
  return finding;
}

Finding examine_space(io::FileSystem& files, const std::string& directory) {
  const auto free = files.free_bytes(directory);
  if (!free) return {"disk space", Health::bad, free.error().message, "check the path"};
  const std::string seen = mebibytes(*free) + " free";
  if (*free < kFreeBytesBad)
    return {"disk space", Health::bad, seen, "free at least 1 GiB; a full disk answers 503"};
  if (*free < kFreeBytesWarning)
    return {"disk space", Health::warning, seen, "a million events take about 600 MiB"};
  return {"disk space", Health::good, seen, ""};
}

Result<Millis> slowest_sync(io::FileSystem& files, io::Clock& clock, const std::string& path) {
  const auto file = files.open(path, io::OpenMode::write);
  if (!file) return pass(file.error());
  const Buffer block(4096);
  Nanos slowest{0};
  for (int i = 0; i < kSyncCount; ++i) {
    const Nanos before = clock.monotonic();
    if (auto wrote = (*file)->write_at(static_cast<std::uint64_t>(i) * block.size(), block); !wrote)
      return pass(wrote.error());
    if (auto synced = (*file)->sync(); !synced) return pass(synced.error());
    slowest = std::max(slowest, clock.monotonic() - before);
  }
  return std::chrono::duration_cast<Millis>(slowest);
}

Finding examine_sync(io::FileSystem& files, io::Clock& clock, const std::string& directory) {
  const std::string path = directory + "/.adbrook-doctor-" + std::to_string(io::process_id());
  const auto slowest = slowest_sync(files, clock, path);
  if (files.exists(path).value_or(false))
    if (auto removed = files.remove(path); !removed)
      return {"disk sync", Health::warning, removed.error().message, "remove the file by hand"};
  if (!slowest)
    return {"disk sync", Health::bad, slowest.error().message,
            "give this user the right to write there, or name another with --data"};
  const std::string seen = "slowest of " + std::to_string(kSyncCount) + " took " +
                           std::to_string(slowest->count()) + " ms";
  if (*slowest > kSyncWarning)
    return {"disk sync", Health::warning, seen,
            "every acknowledgement waits for it; a disk with a write cache that survives power "
            "loss is faster"};
  return {"disk sync", Health::good, seen, ""};
}

Finding examine_port(io::ThreadExecutor& executor, std::string what, const std::string& listen) {
  const auto address = http::parse_host_port(listen);
  if (!address) return {what, Health::bad, address.error().message, "write it as 127.0.0.1:8080"};
  io::Network network(executor);
  const auto listener = network.listen(address->host, address->port);
  if (listener) return {what, Health::good, listen + " is free", ""};
  return {what, Health::bad, listener.error().message,
          "stop that process, or choose another port (0 takes any free one)"};
}

Finding examine_open_files() {
  const auto most = io::open_file_count_max();
  const std::string seen = with_thousands(most) + " open files allowed";
  if (most >= kOpenFilesWarning) return {"limits", Health::good, seen, ""};
  return {"limits", Health::warning, seen, "raise it: ulimit -n 65536, or LimitNOFILE in systemd"};
}

Finding examine_memory() {
  const auto available = io::available_memory_bytes();
  const std::string seen = mebibytes(static_cast<std::uint64_t>(available)) + " available";
  if (available >= kMemoryWarning) return {"memory", Health::good, seen, ""};
  return {"memory", Health::warning, seen,
          "each open impression takes about 160 bytes; lower streams.task.memory.max so that the "
          "engine waits instead of being killed"};
}

Finding examine_clock(io::Clock& clock) {
  const Timestamp now = clock.now();
  if (now > kEarliestNow) return {"clock", Health::good, format_time(now), ""};
  return {"clock", Health::bad, format_time(now),
          "set the clock (timedatectl set-ntp true): events from the future are rejected"};
}

}  // namespace

std::string_view to_string(Health health) {
  switch (health) {
    case Health::good: return "ok";
    case Health::warning: return "warning";
    case Health::bad: return "bad";
  }
  return "bad";
}

std::vector<Finding> examine(const Settings& settings, io::FileSystem& files, io::Clock& clock,
                             io::ThreadExecutor& executor) {
  const std::string& data = settings.engine.data;
  const std::string directory = existing_directory(files, data);
  std::vector<Finding> findings{examine_directory(files, data), examine_space(files, directory),
                                examine_sync(files, clock, directory),
                                examine_port(executor, "HTTP port", settings.http.listen)};
  for (const std::string& address : settings.kafka.listen)
    findings.push_back(examine_port(executor, "Kafka port", address));
  findings.push_back(examine_open_files());
  findings.push_back(examine_memory());
  findings.push_back(examine_clock(clock));
  return findings;
}

namespace {

Result<std::vector<Finding>> examine_machine(io::ThreadExecutor& executor,
                                             const SettingsArguments& arguments) {
  const auto loaded = load_settings(arguments);
  if (!loaded) return pass(loaded.error());
  io::RealFileSystem files;
  io::RealClock clock;
  return examine(loaded->settings, files, clock, executor);
}

// What a client meets at `address`.
Result<std::vector<Finding>> examine_kafka(io::ThreadExecutor& executor,
                                           const std::string& address) {
  const auto bootstrap = http::parse_host_port(address);
  if (!bootstrap) return pass(bootstrap.error(), "--kafka");
  if (bootstrap->port == 0)
    return fail(ErrorKind::invalid, "--kafka '" + printable(address) +
                                        "': port 0 is nowhere; name the port that clients use");
  io::Network network(executor);
  return replay_kafka_client(network, *bootstrap, kHopPatience);
}

}  // namespace

int run_doctor(const Arguments& arguments, Console& console) {
  io::ThreadExecutor executor(1);
  const auto findings = arguments.settings.kafka.empty()
                            ? examine_machine(executor, arguments.settings)
                            : examine_kafka(executor, arguments.settings.kafka);
  if (!findings) {
    console.complain(findings.error().message);
    return kExitUsage;
  }
  Table table{{{"check"}, {"state"}, {"seen"}, {"fix"}}, {}};
  bool bad = false;
  for (const auto& finding : *findings) {
    bad = bad || finding.health == Health::bad;
    table.rows.push_back(
        {finding.what, std::string(to_string(finding.health)), finding.seen, finding.fix});
  }
  console.print(print_table(table, arguments.json ? TableFormat::json : TableFormat::table));
  return bad ? kExitNo : kExitDone;
}

}  // namespace adbrook::app
