// What lies safely in the segments, as one small file. Format: docs/formats/data-directory.md.
// Pure functions over bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "log/log_options.h"
#include "log/partition.h"
#include "log/wal.h"

namespace adbrook::log {

struct CheckpointedTopic {
  std::uint32_t id = 0;
  Uuid uuid;
  std::string name;
  TopicConfig config;
  std::vector<CheckpointedPartition> partitions;
};

struct CheckpointedOffset {
  PartitionKey partition;
  std::string group;
  CommittedOffset committed;
};

struct Checkpoint {
  WalPlace wal;                // where the first entry that is not covered stands
  std::uint64_t sequence = 0;  // last one covered
  std::uint32_t next_topic_id = 1;
  std::vector<CheckpointedTopic> topics;
  std::vector<CheckpointedOffset> offsets;
};

// A checkpoint above this is refused when it is read.
inline constexpr std::uint64_t kCheckpointSizeMax = 256ull << 20;

Buffer encode_checkpoint(const Checkpoint& checkpoint);
// Also of version 1, whose topics have no uuid: it is zero. unsupported: of a newer version;
// corrupt: anything else that is wrong.
Result<Checkpoint> decode_checkpoint(ByteView bytes);

}  // namespace adbrook::log
