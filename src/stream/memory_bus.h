// A bus in memory, for the test driver and for property tests: commits become visible in a later
// step of the executor, so that a crash between the two loses or keeps them as a real log may.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "io/clock.h"

namespace adbrook::stream {

struct MemoryRecord {
  Offset offset;
  Timestamp time;
  Timestamp append_time;
  std::optional<std::string> key;
  std::string value;       // empty when it is null
  bool tombstone = false;  // the value is null
  std::vector<std::pair<std::string, std::string>> headers;
  friend bool operator==(const MemoryRecord&, const MemoryRecord&) = default;
};

class MemoryBus final : public bus::Bus {
 public:
  // A commit with more bytes is refused for good, as by a log with the smallest settings.
  static constexpr std::size_t kCommitSizeMax = std::size_t{15} << 20;

  // Both outlive the bus. A dying process drops the executor's steps, and with them what is in
  // flight.
  MemoryBus(io::Executor& executor, io::Clock& clock) : executor_(&executor), clock_(clock) {}

  void create_topic(std::string name, std::int32_t partition_count);
  // Appends one batch at once, as a producer would; returns its base offset.
  Offset append(const bus::Partition& partition, Buffer batch);

  Result<std::int32_t> partition_count(std::string_view topic) override;
  Result<bus::Fetched> fetch(const bus::Partition& partition, Offset from,
                             std::size_t size_max) override;
  Result<bus::Ends> ends(const bus::Partition& partition) override;
  Result<Offset> committed(std::string_view group, const bus::Partition& partition) override;
  void commit(bus::Commit what, bus::CommitDone done) override;
  void when_readable(const bus::Partition& partition, Offset offset, io::Step step) override;
  void hold(std::string_view holder, const bus::Partition& partition, Offset offset) override;

  // The next commits are answered with these errors, in order, and nothing of them is kept.
  void fail_next_commits(std::vector<ErrorKind> errors);
  // Forgets readers that wait and what they hold, as after the death of the process.
  void forget_readers();
  // Removes everything below, as retention does; no lower than the holds allow.
  void trim(const bus::Partition& partition, Offset start);

  // All records of one partition that are visible, decoded.
  std::vector<MemoryRecord> records(const bus::Partition& partition);
  std::uint64_t commit_count();

 private:
  struct Batch {
    Offset base;
    Offset end;
    Timestamp append_time;
    Buffer bytes;
  };
  struct Waiter {
    Offset offset;
    io::Step step;
  };
  struct Log {
    Offset start;
    Offset end;
    std::vector<Batch> batches;
    std::vector<Waiter> waiters;
    std::map<std::string, Offset, std::less<>> holds;
  };

  Result<Log*> find(const bus::Partition& partition);
  Offset append_locked(Log& log, Buffer batch);
  void apply(bus::Commit what, bus::CommitDone done);

  std::mutex mutex_;  // the bus is thread-safe by contract
  io::Executor* executor_;
  io::Clock& clock_;
  std::map<std::string, std::vector<Log>, std::less<>> topics_;
  std::map<std::pair<std::string, bus::Partition>, Offset> committed_;
  std::vector<ErrorKind> failures_;
  std::uint64_t commit_count_ = 0;
};

}  // namespace adbrook::stream
