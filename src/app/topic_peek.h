// A few records of one partition for people: decoded where that is possible, and their raw bytes.
#pragma once

#include <cstddef>
#include <string>

#include "app/value_text.h"
#include "base/result.h"
#include "bus/bus.h"
#include "log/log.h"
#include "record/batch.h"

namespace adbrook::app {

// Owned by one thread.
class TopicPeek {
 public:
  // Of a value, as hex; longer ones are cut and say how long they are.
  static constexpr std::size_t kHexBytesMax = 4096;

  TopicPeek(bus::Bus& bus, bus::Partition partition)
      : bus_(bus), partition_(std::move(partition)) {}

  // Committed records from `begin` on, at most `limit`, from at most a few megabytes of the log.
  // Errors as bus::Bus::fetch.
  Result<void> read(Offset begin, std::size_t limit);
  // {"topic","partition","start","end","next","records":[…]}
  std::string to_json(const log::Ends& ends) &&;

 private:
  Result<void> read_batch(ByteView bytes, Timestamp append_time, Offset begin, std::size_t limit);
  void write(const record::RecordView& record, Timestamp append_time);

  bus::Bus& bus_;
  bus::Partition partition_;
  ValueText values_;
  std::string records_;  // JSON objects with commas between them
  std::size_t count_ = 0;
  Offset next_;
};

}  // namespace adbrook::app
