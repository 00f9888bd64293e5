// A compacted topic of the broker's own in which the newest record of a key is its state.
// Formats: docs/formats/consumer-offsets.md, docs/formats/transaction-state.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "io/clock.h"
#include "log/log.h"

namespace adbrook::broker {

// One key's new state; no value deletes it.
struct StateRecord {
  Buffer key;
  std::optional<Buffer> value;
};

// Thread-safe.
class StateTopic {
 public:
  // Makes the topic when it is missing. io_failed and the like as Log::create_topic.
  static Result<StateTopic> open(log::Log& log, io::Clock& clock, std::string_view name);

  // Calls `each` for every record from the oldest on; a value that is missing deletes the key. An
  // error of `each` ends it.
  using Each = std::function<Result<void>(ByteView key, std::optional<ByteView> value)>;
  Result<void> read_all(const Each& each) const;

  // One batch with these records, for an append.
  log::BatchToAppend batch(const std::vector<StateRecord>& records) const;

  const log::TopicDescription& description() const { return description_; }

 private:
  StateTopic(log::Log& log, io::Clock& clock, log::TopicDescription description,
             log::PartitionId partition)
      : log_(log), clock_(clock), description_(std::move(description)), partition_(partition) {}

  log::Log& log_;
  io::Clock& clock_;
  log::TopicDescription description_;
  log::PartitionId partition_;
};

}  // namespace adbrook::broker
