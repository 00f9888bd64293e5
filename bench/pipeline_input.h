// The bench's input: ad events over 24 h of event time, as record batches in a log's topics.
// Deterministic; 2 % clicks, most of them linked to an impression of the last half hour.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "log/log.h"

namespace adbrook::bench {

struct InputOptions {
  std::uint64_t event_count = 20'000'000;
  std::int32_t partition_count = 4;
  std::uint64_t seed = 42;
};

// Creates `impressions` and `clicks` (relaxed: durability is not measured here) and fills them with
// Avro values keyed by id, in event-time order with disorder up to 2 s, 1 % duplicates.
Result<void> write_input(log::Log& log, const InputOptions& options);

}  // namespace adbrook::bench
