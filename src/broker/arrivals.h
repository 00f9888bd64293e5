// Fetches that wait for records. The log keeps a waiter until it is woken, so there is at most one
// per partition; who waits behind it may come and go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "io/executor.h"
#include "log/log.h"

namespace adbrook::broker {

// Thread-safe.
class Arrivals : public std::enable_shared_from_this<Arrivals> {
 public:
  using Wake = std::move_only_function<void()>;

  Arrivals(log::Log& log, io::Clock& clock, io::Executor& executor)
      : log_(log), clock_(clock), executor_(executor) {}

  struct Place {
    log::PartitionId partition;
    Offset visible;  // what its reader knows of
  };
  // Runs `wake` once: when one of these partitions has more than was known (perhaps inside this
  // call), at `deadline` on the monotonic clock, or when everything stops.
  void wait(const std::vector<Place>& places, Nanos deadline, Wake wake);
  // Wakes all; nobody waits from now on.
  void stop();

 private:
  struct Waiting {
    std::vector<log::PartitionId> partitions;
    Nanos deadline;
    Wake wake;
  };
  struct Watched {
    std::set<std::uint64_t> tickets;
    bool registered = false;  // with the log
  };

  void watch(log::PartitionId partition, Offset visible);
  void arrived(log::PartitionId partition);
  void take_locked(std::uint64_t ticket, std::vector<Wake>& woken);
  void arm_locked();
  void tick();

  log::Log& log_;
  io::Clock& clock_;
  io::Executor& executor_;
  std::mutex mutex_;  // guards what follows; held for moments, never while a wake runs
  bool stopped_ = false;
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, Waiting> waiting_;
  std::set<std::pair<Nanos, std::uint64_t>> deadlines_;
  std::optional<Nanos> armed_;  // the earliest timer that is under way
  std::map<log::PartitionId, Watched> watched_;
};

}  // namespace adbrook::broker
