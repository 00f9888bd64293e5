// Directories that an earlier version wrote, and what the encodings refuse.
#include "base/hash.h"
#include "io/file_system.h"
#include "log/byte_reader.h"
#include "log/checkpoint.h"
#include "log/log_test_bed.h"
#include "log/wal.h"

namespace adbrook::log {
namespace log_format_test {

// The checkpoint as version 1 had it, with what it could say.
Buffer version_1(const Checkpoint& checkpoint) {
  Buffer out;
  append(out, as_bytes("ADBKCKPT"));
  append_le(out, std::uint32_t{1});
  append_le(out, std::uint32_t{0});
  append_le(out, checkpoint.wal.file);
  append_le(out, checkpoint.wal.position);
  append_le(out, checkpoint.sequence);
  append_le(out, checkpoint.next_topic_id);
  append_le(out, static_cast<std::uint32_t>(checkpoint.topics.size()));
  for (const CheckpointedTopic& topic : checkpoint.topics) {
    append_le(out, topic.id);
    append_text(out, topic.name);
    append_le(out, std::int64_t{topic.config.retention.count()});
    append_le(out, topic.config.retention_bytes.count);
    append_le(out, topic.config.segment_bytes.count);
    append_le(out, topic.config.message_bytes_max.count);
    append_le(out, std::uint8_t{0});
    append_le(out, static_cast<std::uint32_t>(topic.partitions.size()));
    for (const CheckpointedPartition& partition : topic.partitions) {
      append_le(out, partition.next.value);
      append_le(out, partition.last_append_time.ms);
      append_le(out, static_cast<std::uint32_t>(partition.segments.size()));
      for (const SegmentExtent& segment : partition.segments) {
        append_le(out, segment.base.value);
        append_le(out, segment.log_size);
        append_le(out, segment.batch_count);
        append_le(out, segment.last_append_time.ms);
        append_le(out, segment.max_timestamp.ms);
      }
    }
  }
  append_le(out, static_cast<std::uint32_t>(checkpoint.offsets.size()));
  for (const CheckpointedOffset& offset : checkpoint.offsets) {
    append_le(out, offset.partition.topic);
    append_le(out, offset.partition.number);
    append_le(out, offset.committed.offset.value);
    append_text(out, offset.group);
  }
  store_le(out.data() + 12, crc32c(ByteView(out).subspan(16)));
  return out;
}

// An entry of kind 1 with one batch and one committed offset, as a group of its own.
Buffer plain_entry(std::uint64_t file, std::uint64_t sequence, Buffer batch, Offset base) {
  record::patch_base(batch, base, 0);
  Buffer payload;
  for (const std::uint32_t number : {1, 1, 1}) append_le(payload, number);
  append_le(payload, std::uint32_t{1});  // topic
  append_le(payload, std::int32_t{0});
  append_le(payload, base.value);
  append_le(payload, std::int64_t{5'000});
  append_le(payload, static_cast<std::uint32_t>(batch.size()));
  append(payload, batch);
  append_le(payload, std::uint32_t{1});
  append_le(payload, std::int32_t{0});
  append_le(payload, std::int64_t{77});
  append_text(payload, "group");
  Buffer entry;
  append_le(entry, static_cast<std::uint32_t>(payload.size()));
  append_le(entry, std::uint32_t{0});
  append_le(entry, sequence);
  append_le(entry, sequence - 1);
  append(entry, payload);
  std::byte front[12];
  store_le(front, file);
  store_le(front + 8, load_le<std::uint32_t>(entry.data()));
  store_le(entry.data() + 4, crc32c(ByteView(entry).subspan(8), crc32c(front)));
  return entry;
}

void write(LogBed& bed, const std::string& path, std::uint64_t position, ByteView bytes) {
  auto file = bed.disk.open(path, io::OpenMode::write);
  ASSERT_TRUE(file && (*file)->write_at(position, bytes) && (*file)->sync());
}

TEST(LogFormat, a_directory_of_version_1_is_opened_and_goes_on) {
  LogBed bed;
  ASSERT_TRUE(bed.open());
  ASSERT_TRUE(bed.log->create_topic("t", 1, {.retention = Millis(86'400'000)}));
  bed.append(bed.partition("t"), test_batch("one", 2)).value();
  bed.append({.offsets = {{"old", bed.partition("t"), Offset{1}}}}).value();
  ASSERT_TRUE(bed.log->close());
  bed.power_loss();
  const std::string path = "data/wal/checkpoint";
  const auto content = io::read_whole_file(bed.disk, path, 1 << 20);
  const auto checkpoint = decode_checkpoint(*content);
  ASSERT_TRUE(checkpoint);
  ASSERT_TRUE(io::write_file_atomically(bed.disk, path, version_1(*checkpoint)));
  const std::string wal = "data/wal/" + wal_file_name(checkpoint->wal.file);
  write(bed, wal, checkpoint->wal.position,
        plain_entry(checkpoint->wal.file, checkpoint->sequence + 1, test_batch("two"), Offset{2}));

  for (int i = 0; i < 2; ++i) {
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().message;
    const PartitionId t = bed.partition("t");
    EXPECT_EQ(bed.values(t), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(bed.log->committed("old", t), Offset{1});
    EXPECT_EQ(bed.log->committed("group", t), Offset{77});
    EXPECT_NE(bed.log->topic("t")->id, Uuid{});
    EXPECT_EQ(bed.log->topic("t")->config.retention, Millis(86'400'000));
    EXPECT_EQ(bed.log->ends(t).start, Offset{0});
    bed.power_loss();
  }
  // What is written now is of the new version.
  EXPECT_EQ(load_le<std::uint32_t>(io::read_whole_file(bed.disk, path, 1 << 20)->data() + 8), 3u);
}

// One topic without partitions, with what an administrator had set.
Buffer version_2(const std::string& policy) {
  Buffer out;
  append(out, as_bytes("ADBKCKPT"));
  append_le(out, std::uint32_t{2});
  append_le(out, std::uint32_t{0});
  for (const std::uint64_t number : {1, 4096, 0}) append_le(out, number);
  append_le(out, std::uint32_t{2});
  append_le(out, std::uint32_t{1});
  append_le(out, std::uint32_t{1});
  for (const std::uint64_t half : {7, 8}) append_le(out, half);
  append_text(out, "t");
  for (const std::int64_t number : {-1, -1, 1000, 1000}) append_le(out, number);
  append_le(out, std::uint8_t{0});
  append_le(out, std::int64_t{5});
  append_le(out, std::uint8_t{0});
  for (const std::int64_t number : {-1, -1}) append_le(out, number);
  append_le(out, std::uint8_t{255});
  append_le(out, std::uint32_t{1});
  append_text(out, "cleanup.policy");
  append_text(out, policy);
  for (const std::uint32_t count : {0, 0}) append_le(out, count);
  store_le(out.data() + 12, crc32c(ByteView(out).subspan(16)));
  return out;
}

TEST(LogFormat, what_version_2_was_told_of_compaction_holds_from_now_on) {
  for (const bool retention : {false, true}) {
    const auto checkpoint = decode_checkpoint(version_2(retention ? "compact,delete" : "compact"));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    const CleanupPolicy cleanup = cleanup_policy(checkpoint->topics[0].config);
    EXPECT_TRUE(cleanup.by_key);
    EXPECT_EQ(cleanup.by_retention, retention);
    EXPECT_EQ(checkpoint->topics[0].config.segment_time, Millis(5));
  }
  EXPECT_FALSE(cleanup_policy(decode_checkpoint(version_2("delete"))->topics[0].config).by_key);
}

TEST(LogFormat, a_checkpoint_of_a_newer_version_is_refused_as_such) {
  Buffer newer = encode_checkpoint({});
  store_le(newer.data() + 8, std::uint32_t{4});
  EXPECT_EQ(decode_checkpoint(newer).error().kind, ErrorKind::unsupported);
}

TEST(LogFormat, a_checkpoint_says_everything_it_was_given) {
  Checkpoint checkpoint;
  CheckpointedTopic topic{.id = 3, .uuid = {1, 2}, .name = "t"};
  topic.config.given = {{"a", "1"}, {"b", ""}};
  topic.config.compression = record::Compression::zstd;
  topic.config.timestamp_type = TimestampType::log_append_time;
  CheckpointedPartition partition{.start = {4}, .next = {9}};
  partition.segments.push_back({.base = {4}, .log_size = 1, .batch_count = 1});
  partition.producers.push_back({.id = 7,
                                 .epoch = 1,
                                 .coordinator_epoch = 2,
                                 .transaction_start = {5},
                                 .batches = {{1, 2, {5}, {6}}}});
  partition.aborted.push_back({.producer_id = 8, .first = {4}, .last = {6}});
  topic.partitions.push_back(partition);
  checkpoint.topics.push_back(topic);
  checkpoint.offsets.push_back({{3, 0}, "g", {.offset = {5}, .leader_epoch = 1, .metadata = "m"}});
  const Buffer bytes = encode_checkpoint(checkpoint);
  const auto read = decode_checkpoint(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(encode_checkpoint(*read), bytes);
  EXPECT_EQ(read->topics[0].partitions[0].producers[0].batches[0].last_sequence, 2);
  EXPECT_EQ(read->topics[0].config.compression, record::Compression::zstd);
  EXPECT_EQ(read->offsets[0].committed.metadata, "m");
}

}  // namespace log_format_test
}  // namespace adbrook::log
