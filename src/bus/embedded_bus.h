// The bus over the embedded log: no socket, one process.
#pragma once

#include "bus/bus.h"
#include "log/log.h"

namespace adbrook::bus {

// Thread-safe. The log must outlive it.
class EmbeddedBus final : public Bus {
 public:
  EmbeddedBus(log::Log& log, io::Executor& executor) : log_(log), executor_(executor) {}

  Result<std::int32_t> partition_count(std::string_view topic) override;
  Result<Fetched> fetch(const Partition& partition, Offset from, std::size_t size_max) override;
  Result<Ends> ends(const Partition& partition) override;
  Result<Offset> committed(std::string_view group, const Partition& partition) override;
  void commit(Commit what, CommitDone done) override;
  // Of a partition that is not there: at once, and the fetch that follows says why.
  void when_readable(const Partition& partition, Offset offset, io::Step step) override;
  void hold(std::string_view holder, const Partition& partition, Offset offset) override;

 private:
  Result<log::PartitionId> find(const Partition& partition);
  Result<log::Append> to_append(Commit what);

  log::Log& log_;
  io::Executor& executor_;
};

}  // namespace adbrook::bus
