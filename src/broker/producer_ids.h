// Hands out producer ids, each once for ever: blocks of them are taken durably before one is used.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/group_coordinator.h"
#include "broker/state_topic.h"
#include "log/log.h"
#include "protocol/error_code.h"

namespace adbrook::broker {

// Thread-safe.
class ProducerIds : public std::enable_shared_from_this<ProducerIds> {
 public:
  static constexpr std::int64_t kBlockSize = 1'000;
  // Who waits for a block; more are told to come again.
  static constexpr std::size_t kWaitingMax = 10'000;
  using Done = std::move_only_function<void(ErrorCode, std::int64_t)>;

  ProducerIds(log::Log& log, const StateTopic& topic) : log_(log), topic_(topic) {}

  // The end of the last block that was taken, from the topic's record.
  void restore(std::int64_t next) { next_ = end_ = next; }

  // `done` runs inside this call or when the next block is durable.
  void take(Done done);

 private:
  void take_block_locked();
  void taken(std::int64_t end, ErrorCode error);

  log::Log& log_;
  const StateTopic& topic_;
  std::mutex mutex_;  // guards what follows
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;  // of the durable block
  bool taking_ = false;
  std::vector<Done> waiting_;
};

}  // namespace adbrook::broker
