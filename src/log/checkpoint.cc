#include "log/checkpoint.h"

#include "base/hash.h"
#include "log/byte_reader.h"

namespace adbrook::log {
namespace {

constexpr std::string_view kMagic = "ADBKCKPT";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kBodyAt = 16;
// The smallest encodings, so that a count can be held against the bytes that are left.
constexpr std::size_t kTopicSizeMin = 43;
constexpr std::size_t kPartitionSizeMin = 20;
constexpr std::size_t kSegmentSize = 32;
constexpr std::size_t kOffsetSizeMin = 18;

std::unexpected<Error> damaged(const char* why) {
  return fail(ErrorKind::corrupt,
              std::string("checkpoint: ") + why + "; restore the data directory from a backup");
}

void append_partition(Buffer& to, const CheckpointedPartition& partition) {
  append_le(to, partition.next.value);
  append_le(to, partition.last_append_time.ms);
  append_le(to, static_cast<std::uint32_t>(partition.segments.size()));
  for (const SegmentExtent& segment : partition.segments) {
    append_le(to, segment.base.value);
    append_le(to, segment.log_size);
    append_le(to, segment.batch_count);
    append_le(to, segment.last_append_time.ms);
    append_le(to, segment.max_timestamp.ms);
  }
}

void append_topic(Buffer& to, const CheckpointedTopic& topic) {
  append_le(to, topic.id);
  append_text(to, topic.name);
  append_le(to, std::int64_t{topic.config.retention.count()});
  append_le(to, topic.config.retention_bytes.count);
  append_le(to, topic.config.segment_bytes.count);
  append_le(to, topic.config.message_bytes_max.count);
  append_le(to, static_cast<std::uint8_t>(topic.config.durability));
  append_le(to, static_cast<std::uint32_t>(topic.partitions.size()));
  for (const CheckpointedPartition& partition : topic.partitions) append_partition(to, partition);
}

CheckpointedPartition read_partition(ByteReader& reader) {
  CheckpointedPartition partition;
  partition.next.value = reader.number<std::int64_t>();
  partition.last_append_time.ms = reader.number<std::int64_t>();
  const auto count = reader.count(kSegmentSize);
  for (std::uint32_t i = 0; i < count; ++i) {
    SegmentExtent& segment = partition.segments.emplace_back();
    segment.base.value = reader.number<std::int64_t>();
    segment.log_size = reader.number<std::uint32_t>();
    segment.batch_count = reader.number<std::uint32_t>();
    segment.last_append_time.ms = reader.number<std::int64_t>();
    segment.max_timestamp.ms = reader.number<std::int64_t>();
  }
  return partition;
}

CheckpointedTopic read_topic(ByteReader& reader) {
  CheckpointedTopic topic;
  topic.id = reader.number<std::uint32_t>();
  topic.name = reader.text();
  topic.config.retention = Millis(reader.number<std::int64_t>());
  topic.config.retention_bytes.count = reader.number<std::int64_t>();
  topic.config.segment_bytes.count = reader.number<std::int64_t>();
  topic.config.message_bytes_max.count = reader.number<std::int64_t>();
  topic.config.durability =
      reader.number<std::uint8_t>() == 0 ? Durability::sync : Durability::relaxed;
  const auto count = reader.count(kPartitionSizeMin);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i)
    topic.partitions.push_back(read_partition(reader));
  return topic;
}

}  // namespace

Buffer encode_checkpoint(const Checkpoint& checkpoint) {
  Buffer out;
  append(out, as_bytes(kMagic));
  append_le(out, kVersion);
  append_le(out, std::uint32_t{0});  // the checksum, below
  append_le(out, checkpoint.wal.file);
  append_le(out, checkpoint.wal.position);
  append_le(out, checkpoint.sequence);
  append_le(out, checkpoint.next_topic_id);
  append_le(out, static_cast<std::uint32_t>(checkpoint.topics.size()));
  for (const CheckpointedTopic& topic : checkpoint.topics) append_topic(out, topic);
  append_le(out, static_cast<std::uint32_t>(checkpoint.offsets.size()));
  for (const CheckpointedOffset& offset : checkpoint.offsets) {
    append_le(out, offset.partition.topic);
    append_le(out, offset.partition.number);
    append_le(out, offset.offset.value);
    append_text(out, offset.group);
  }
  const auto crc = crc32c(ByteView(out).subspan(kBodyAt));
  store_le(out.data() + kCrcAt, crc);
  return out;
}

Result<Checkpoint> decode_checkpoint(ByteView bytes) {
  if (bytes.size() < kBodyAt || as_text(bytes.first(kMagic.size())) != kMagic)
    return damaged("it does not begin as one");
  // The checksum before the version: damage must not look like a newer version.
  const auto version = load_le<std::uint32_t>(bytes.data() + kMagic.size());
  if (load_le<std::uint32_t>(bytes.data() + kCrcAt) != crc32c(bytes.subspan(kBodyAt)))
    return damaged("its checksum does not hold");
  if (version != kVersion)
    return fail(ErrorKind::unsupported, "checkpoint: version " + std::to_string(version) +
                                            " is not known here; use a newer version of Adbrook");
  ByteReader reader(bytes.subspan(kBodyAt));
  Checkpoint checkpoint;
  checkpoint.wal.file = reader.number<std::uint64_t>();
  checkpoint.wal.position = reader.number<std::uint64_t>();
  checkpoint.sequence = reader.number<std::uint64_t>();
  checkpoint.next_topic_id = reader.number<std::uint32_t>();
  const auto topic_count = reader.count(kTopicSizeMin);
  for (std::uint32_t i = 0; i < topic_count && reader.ok(); ++i)
    checkpoint.topics.push_back(read_topic(reader));
  const auto offset_count = reader.count(kOffsetSizeMin);
  for (std::uint32_t i = 0; i < offset_count && reader.ok(); ++i) {
    CheckpointedOffset& offset = checkpoint.offsets.emplace_back();
    offset.partition.topic = reader.number<std::uint32_t>();
    offset.partition.number = reader.number<std::int32_t>();
    offset.offset.value = reader.number<std::int64_t>();
    offset.group = reader.text();
  }
  if (!reader.ok() || reader.left() != 0) return damaged("its parts do not fill it");
  return checkpoint;
}

}  // namespace adbrook::log
