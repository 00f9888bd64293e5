// Both topics in event-time order of their batches, as one reader on one thread would take them.
#pragma once

#include <cstdint>
#include <vector>

#include "ads/event.h"
#include "base/bytes.h"
#include "base/result.h"
#include "log/log.h"
#include "record/batch.h"

namespace adbrook::bench {

// Owned by one thread. The topics must not grow meanwhile.
class MergedReader {
 public:
  struct Batch {
    ByteView bytes;
    bool impressions;
  };

  MergedReader(log::Log& log, std::int32_t partition_count) : log_(log) {
    for (const std::string_view topic : {ads::kImpressionsTopic, ads::kClicksTopic})
      for (std::int32_t p = 0; p < partition_count; ++p)
        inputs_.push_back({*log.partition(topic, p), topic == ads::kImpressionsTopic});
  }

  // The next batches in time, until the first of the inputs has to read on; valid until the next
  // call. Empty at the end.
  Result<std::vector<Batch>> next_round() {
    std::vector<Batch> round;
    for (Input& input : inputs_)
      if (auto filled = fill(input); !filled) return pass(filled.error());
    for (;;) {
      Input* first = nullptr;
      for (Input& input : inputs_) {
        if (input.index == input.read.batches.size()) {
          if (input.at_end) continue;
          return round;  // what this one holds next may be the earliest
        }
        if (first == nullptr || first_time(input) < first_time(*first)) first = &input;
      }
      if (first == nullptr) return round;
      const auto& found = first->read.batches[first->index++];
      round.push_back(
          {ByteView(first->read.bytes).subspan(found.index_begin, found.size), first->impressions});
      first->position = record::read_header(round.back().bytes)->last_offset() + 1;
    }
  }

 private:
  static constexpr std::size_t kReadSize = 1 << 20;
  static constexpr std::size_t kBaseTimestamp = 35;  // where it lies in a batch's header

  struct Input {
    log::PartitionId partition;
    bool impressions;
    Offset position{};
    log::ReadBatches read{};
    std::size_t index = 0;
    bool at_end = false;
  };

  static std::int64_t first_time(const Input& input) {
    return load_be<std::int64_t>(input.read.bytes.data() +
                                 input.read.batches[input.index].index_begin + kBaseTimestamp);
  }
  Result<void> fill(Input& input) {
    if (input.index < input.read.batches.size() || input.at_end) return {};
    auto read = log_.read(input.partition, input.position, kReadSize);
    if (!read) return pass(read.error());
    input.read = std::move(*read);
    input.index = 0;
    input.at_end = input.read.batches.empty();
    return {};
  }

  log::Log& log_;
  std::vector<Input> inputs_;
};

}  // namespace adbrook::bench
