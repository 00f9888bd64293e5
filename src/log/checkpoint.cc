#include "log/checkpoint.h"

#include "base/hash.h"
#include "log/byte_reader.h"

namespace adbrook::log {
namespace {

constexpr std::string_view kMagic = "ADBKCKPT";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kVersionMin = 1;  // the oldest that is read
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kBodyAt = 16;
constexpr std::uint8_t kNoCodec = 255;  // the producer's
// The smallest encodings of any version, so that a count can be held against the bytes left.
constexpr std::size_t kTopicSizeMin = 43;
constexpr std::size_t kGivenSizeMin = 4;
constexpr std::size_t kPartitionSizeMin = 20;
constexpr std::size_t kSegmentSize = 32;
constexpr std::size_t kProducerSizeMin = 34;
constexpr std::size_t kProducerBatchSize = 24;
constexpr std::size_t kAbortedSize = 24;
constexpr std::size_t kOffsetSizeMin = 18;

std::unexpected<Error> damaged(const char* why) {
  return fail(ErrorKind::corrupt,
              std::string("checkpoint: ") + why + "; restore the data directory from a backup");
}

void append_producer(Buffer& to, const ProducerState& producer) {
  append_le(to, producer.id);
  append_le(to, producer.epoch);
  append_le(to, producer.coordinator_epoch);
  append_le(to, producer.last_used.ms);
  append_le(to, producer.transaction_start.value);
  append_le(to, static_cast<std::uint32_t>(producer.batches.size()));
  for (const ProducerBatch& batch : producer.batches) {
    append_le(to, batch.first_sequence);
    append_le(to, batch.last_sequence);
    append_le(to, batch.base.value);
    append_le(to, batch.append_time.ms);
  }
}

void append_partition(Buffer& to, const CheckpointedPartition& partition) {
  append_le(to, partition.start.value);
  append_le(to, partition.next.value);
  append_le(to, partition.last_append_time.ms);
  append_le(to, static_cast<std::uint32_t>(partition.segments.size()));
  for (const SegmentExtent& segment : partition.segments) {
    append_le(to, segment.base.value);
    append_le(to, segment.log_size);
    append_le(to, segment.batch_count);
    append_le(to, segment.first_append_time.ms);
    append_le(to, segment.last_append_time.ms);
    append_le(to, segment.max_timestamp.ms);
    append_le(to, segment.generation);
  }
  append_le(to, partition.compacted_to.value);
  append_le(to, static_cast<std::uint32_t>(partition.producers.size()));
  for (const ProducerState& producer : partition.producers) append_producer(to, producer);
  append_le(to, static_cast<std::uint32_t>(partition.aborted.size()));
  for (const AbortedTransaction& transaction : partition.aborted) {
    append_le(to, transaction.producer_id);
    append_le(to, transaction.first.value);
    append_le(to, transaction.last.value);
  }
}

void append_config(Buffer& to, const TopicConfig& config) {
  append_le(to, std::int64_t{config.retention.count()});
  append_le(to, config.retention_bytes.count);
  append_le(to, config.segment_bytes.count);
  append_le(to, config.message_bytes_max.count);
  append_le(to, static_cast<std::uint8_t>(config.durability));
  append_le(to, std::int64_t{config.segment_time.count()});
  append_le(to, static_cast<std::uint8_t>(config.timestamp_type));
  append_le(to, std::int64_t{config.timestamp_before_max.count()});
  append_le(to, std::int64_t{config.timestamp_after_max.count()});
  append_le(to, config.compression ? static_cast<std::uint8_t>(*config.compression) : kNoCodec);
  append_le(to, static_cast<std::uint32_t>(config.given.size()));
  for (const auto& [name, value] : config.given) {
    append_text(to, name);
    append_text(to, value);
  }
}

void append_topic(Buffer& to, const CheckpointedTopic& topic) {
  append_le(to, topic.id);
  append_le(to, topic.uuid.high);
  append_le(to, topic.uuid.low);
  append_text(to, topic.name);
  append_config(to, topic.config);
  append_le(to, static_cast<std::uint32_t>(topic.partitions.size()));
  for (const CheckpointedPartition& partition : topic.partitions) append_partition(to, partition);
}

void append_offset(Buffer& to, const CheckpointedOffset& offset) {
  append_le(to, offset.partition.topic);
  append_le(to, offset.partition.number);
  append_text(to, offset.group);
  append_le(to, offset.committed.offset.value);
  append_le(to, offset.committed.leader_epoch);
  append_le(to, offset.committed.commit_time.ms);
  append_text(to, offset.committed.metadata);
}

// What is read of each version, in the order of the file.
class Decoder {
 public:
  Decoder(ByteView body, std::uint32_t version) : reader_(body), version_(version) {}

  Result<Checkpoint> read();

 private:
  bool before(std::uint32_t version) const { return version_ < version; }
  TopicConfig read_config();
  ProducerState read_producer();
  CheckpointedPartition read_partition();
  CheckpointedTopic read_topic();
  CheckpointedOffset read_offset();

  ByteReader reader_;
  const std::uint32_t version_;
};

ProducerState Decoder::read_producer() {
  ProducerState producer;
  producer.id = reader_.number<std::int64_t>();
  producer.epoch = reader_.number<std::int16_t>();
  producer.coordinator_epoch = reader_.number<std::int32_t>();
  producer.last_used.ms = reader_.number<std::int64_t>();
  producer.transaction_start.value = reader_.number<std::int64_t>();
  const auto count = reader_.count(kProducerBatchSize);
  for (std::uint32_t i = 0; i < count; ++i) {
    ProducerBatch& batch = producer.batches.emplace_back();
    batch.first_sequence = reader_.number<std::int32_t>();
    batch.last_sequence = reader_.number<std::int32_t>();
    batch.base.value = reader_.number<std::int64_t>();
    batch.append_time.ms = reader_.number<std::int64_t>();
  }
  return producer;
}

CheckpointedPartition Decoder::read_partition() {
  CheckpointedPartition partition;
  if (!before(2)) partition.start.value = reader_.number<std::int64_t>();
  partition.next.value = reader_.number<std::int64_t>();
  partition.last_append_time.ms = reader_.number<std::int64_t>();
  const auto count = reader_.count(kSegmentSize);
  for (std::uint32_t i = 0; i < count; ++i) {
    SegmentExtent& segment = partition.segments.emplace_back();
    segment.base.value = reader_.number<std::int64_t>();
    segment.log_size = reader_.number<std::uint32_t>();
    segment.batch_count = reader_.number<std::uint32_t>();
    if (!before(2)) segment.first_append_time.ms = reader_.number<std::int64_t>();
    segment.last_append_time.ms = reader_.number<std::int64_t>();
    segment.max_timestamp.ms = reader_.number<std::int64_t>();
    if (before(2)) segment.first_append_time = segment.last_append_time;
    if (!before(3)) segment.generation = reader_.number<std::uint32_t>();
  }
  if (!before(3)) partition.compacted_to.value = reader_.number<std::int64_t>();
  if (before(2)) {
    partition.start = partition.segments.empty() ? partition.next : partition.segments.front().base;
    return partition;
  }
  const auto producer_count = reader_.count(kProducerSizeMin);
  for (std::uint32_t i = 0; i < producer_count && reader_.ok(); ++i)
    partition.producers.push_back(read_producer());
  const auto aborted_count = reader_.count(kAbortedSize);
  for (std::uint32_t i = 0; i < aborted_count; ++i) {
    AbortedTransaction& transaction = partition.aborted.emplace_back();
    transaction.producer_id = reader_.number<std::int64_t>();
    transaction.first.value = reader_.number<std::int64_t>();
    transaction.last.value = reader_.number<std::int64_t>();
  }
  return partition;
}

TopicConfig Decoder::read_config() {
  TopicConfig config;
  config.retention = Millis(reader_.number<std::int64_t>());
  config.retention_bytes.count = reader_.number<std::int64_t>();
  config.segment_bytes.count = reader_.number<std::int64_t>();
  config.message_bytes_max.count = reader_.number<std::int64_t>();
  config.durability = reader_.number<std::uint8_t>() == 0 ? Durability::sync : Durability::relaxed;
  if (before(2)) return config;
  config.segment_time = Millis(reader_.number<std::int64_t>());
  config.timestamp_type = reader_.number<std::uint8_t>() == 0 ? TimestampType::create_time
                                                              : TimestampType::log_append_time;
  config.timestamp_before_max = Millis(reader_.number<std::int64_t>());
  config.timestamp_after_max = Millis(reader_.number<std::int64_t>());
  const auto codec = reader_.number<std::uint8_t>();
  if (codec != kNoCodec && codec > static_cast<std::uint8_t>(record::Compression::zstd))
    reader_.refuse();
  else if (codec != kNoCodec)
    config.compression = static_cast<record::Compression>(codec);
  const auto given_count = reader_.count(kGivenSizeMin);
  for (std::uint32_t i = 0; i < given_count; ++i) {
    std::string name(reader_.text());
    if (!config.given.empty() && config.given.rbegin()->first >= name) reader_.refuse();
    config.given.emplace(std::move(name), reader_.text());
  }
  return config;
}

CheckpointedTopic Decoder::read_topic() {
  CheckpointedTopic topic;
  topic.id = reader_.number<std::uint32_t>();
  if (!before(2)) {
    topic.uuid.high = reader_.number<std::uint64_t>();
    topic.uuid.low = reader_.number<std::uint64_t>();
  }
  topic.name = reader_.text();
  topic.config = read_config();
  const auto count = reader_.count(kPartitionSizeMin);
  for (std::uint32_t i = 0; i < count && reader_.ok(); ++i)
    topic.partitions.push_back(read_partition());
  return topic;
}

CheckpointedOffset Decoder::read_offset() {
  CheckpointedOffset offset;
  offset.partition.topic = reader_.number<std::uint32_t>();
  offset.partition.number = reader_.number<std::int32_t>();
  if (before(2)) {
    offset.committed.offset.value = reader_.number<std::int64_t>();
    offset.group = reader_.text();
    return offset;
  }
  offset.group = reader_.text();
  offset.committed.offset.value = reader_.number<std::int64_t>();
  offset.committed.leader_epoch = reader_.number<std::int32_t>();
  offset.committed.commit_time.ms = reader_.number<std::int64_t>();
  offset.committed.metadata = reader_.text();
  return offset;
}

Result<Checkpoint> Decoder::read() {
  Checkpoint checkpoint;
  checkpoint.wal.file = reader_.number<std::uint64_t>();
  checkpoint.wal.position = reader_.number<std::uint64_t>();
  checkpoint.sequence = reader_.number<std::uint64_t>();
  checkpoint.next_topic_id = reader_.number<std::uint32_t>();
  const auto topic_count = reader_.count(kTopicSizeMin);
  for (std::uint32_t i = 0; i < topic_count && reader_.ok(); ++i)
    checkpoint.topics.push_back(read_topic());
  const auto offset_count = reader_.count(kOffsetSizeMin);
  for (std::uint32_t i = 0; i < offset_count && reader_.ok(); ++i)
    checkpoint.offsets.push_back(read_offset());
  if (!reader_.ok() || reader_.left() != 0) return damaged("its parts do not fill it");
  return checkpoint;
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
  for (const CheckpointedOffset& offset : checkpoint.offsets) append_offset(out, offset);
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
  if (version < kVersionMin || version > kVersion)
    return fail(ErrorKind::unsupported, "checkpoint: version " + std::to_string(version) +
                                            " is not known here; use a newer version of Adbrook");
  return Decoder(bytes.subspan(kBodyAt), version).read();
}

}  // namespace adbrook::log
