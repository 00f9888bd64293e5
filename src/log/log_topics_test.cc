// Topics as an administrator changes them, and what each change leaves after a power loss.
#include "log/log_test_bed.h"

namespace adbrook::log {
namespace log_topics_test {

class LogTopics : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(bed.open());
    // About five batches of 1,000 bytes to a segment.
    ASSERT_TRUE(bed.log->create_topic("t", 1, {.segment_bytes = {5'500}}));
    topic = bed.partition("t");
  }
  void reopen() {
    bed.power_loss();
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().message;
    topic = bed.partition("t");
  }
  void fill(int count) {
    for (int i = 0; i < count; ++i)
      bed.append(topic, test_batch(std::string(1'000, 'x'), 1, Timestamp{1000 + i})).value();
  }

  LogBed bed;
  PartitionId topic;
};

TEST_F(LogTopics, a_topic_keeps_its_id_and_one_made_anew_gets_another) {
  const Uuid id = bed.log->topic("t")->id;
  EXPECT_NE(id, Uuid{});
  EXPECT_EQ(bed.log->topic(id)->name, "t");
  reopen();
  EXPECT_EQ(bed.log->topic("t")->id, id);
  ASSERT_TRUE(bed.log->delete_topic("t"));
  EXPECT_EQ(bed.log->topic(id).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(bed.log->create_topic("t", 1, {}));
  EXPECT_NE(bed.log->topic("t")->id, id);
}

TEST_F(LogTopics, a_topic_grows_and_never_shrinks) {
  ASSERT_TRUE(bed.log->create_partitions("t", 3));
  EXPECT_TRUE(bed.log->create_partitions("t", 3));
  EXPECT_EQ(bed.log->create_partitions("t", 2).error().kind, ErrorKind::invalid);
  EXPECT_EQ(bed.log->create_partitions("t", 10'001).error().kind, ErrorKind::invalid);
  EXPECT_EQ(bed.log->create_partitions("u", 2).error().kind, ErrorKind::not_found);
  bed.append(bed.partition("t", 2), test_batch("one")).value();
  reopen();
  EXPECT_EQ(bed.log->topic("t")->partition_count, 3);
  EXPECT_EQ(bed.values(bed.partition("t", 2)), std::vector<std::string>{"one"});
}

TEST_F(LogTopics, a_changed_config_holds_at_once_and_after_a_restart) {
  fill(1);
  TopicConfig config = bed.log->topic("t")->config;
  config.message_bytes_max = {500};
  config.given = {{"max.message.bytes", "500"}};
  ASSERT_TRUE(bed.log->alter_config("t", config));
  const Buffer large = test_batch(std::string(1'000, 'x'));
  Append from_client;
  from_client.batches.push_back({topic, large, BatchOrigin::client});
  const auto refused = bed.append(std::move(from_client));
  EXPECT_EQ(refused.error().rule, AppendRule::too_large);
  EXPECT_TRUE(bed.append(topic, large)) << "the engine's own is bound by the log alone";
  reopen();
  EXPECT_EQ(bed.log->topic("t")->config.message_bytes_max, Bytes{500});
  EXPECT_EQ(bed.log->topic("t")->config.given, config.given);
  EXPECT_EQ(bed.log->alter_config("u", config).error().kind, ErrorKind::not_found);
}

TEST_F(LogTopics, a_config_that_could_not_be_written_does_not_hold) {
  TopicConfig config = bed.log->topic("t")->config;
  config.message_bytes_max = {500};
  bed.disk.fail_call(io::DiskCall::rename, 0);
  EXPECT_FALSE(bed.log->alter_config("t", config));
  EXPECT_EQ(bed.log->topic("t")->config.message_bytes_max, TopicConfig{}.message_bytes_max);
}

TEST_F(LogTopics, retention_goes_by_the_config_of_now) {
  fill(12);
  bed.executor.advance(Millis(5'000));
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{0});
  TopicConfig config = bed.log->topic("t")->config;
  config.retention = Millis(1'000);
  ASSERT_TRUE(bed.log->alter_config("t", config));
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{10});
}

TEST_F(LogTopics, deleted_records_are_gone_also_after_a_restart) {
  fill(12);
  const Bytes before = bed.log->size_on_disk(topic);
  EXPECT_EQ(bed.log->delete_records(topic, Offset{7}).value(), Offset{7});
  EXPECT_EQ(bed.log->read(topic, Offset{6}, 100).error().kind, ErrorKind::out_of_range);
  EXPECT_EQ(bed.values(topic).size(), 5u);
  // The first segment went, the second one begins below the log start.
  EXPECT_EQ(bed.disk.list("data/topics/t-0")->size(), 4u);
  EXPECT_LT(bed.log->size_on_disk(topic), before);
  EXPECT_EQ(bed.log->delete_records(topic, Offset{3}).value(), Offset{7});
  reopen();
  EXPECT_EQ(bed.log->ends(topic).start, Offset{7});
  EXPECT_EQ(bed.values(topic).size(), 5u);
}

TEST_F(LogTopics, everything_can_be_deleted_and_nothing_above_the_end) {
  fill(3);
  EXPECT_EQ(bed.log->delete_records(topic, Offset{4}).error().kind, ErrorKind::out_of_range);
  EXPECT_EQ(bed.log->delete_records(topic, Offset{3}).value(), Offset{3});
  EXPECT_EQ(bed.log->max_timestamp(topic), Timestamp::lowest());
  reopen();
  EXPECT_EQ(bed.log->ends(topic).start, Offset{3});
  EXPECT_TRUE(bed.log->read(topic, Offset{3}, 100)->batches.empty());
  EXPECT_EQ(bed.append(topic, test_batch("one"))->front().base, Offset{3});
}

TEST_F(LogTopics, records_that_are_held_are_not_deleted) {
  fill(3);
  bed.log->hold("task", topic, Offset{1});
  EXPECT_EQ(bed.log->delete_records(topic, Offset{2}).error().kind, ErrorKind::busy);
  EXPECT_EQ(bed.log->delete_records(topic, Offset{1}).value(), Offset{1});
}

TEST_F(LogTopics, the_time_index_knows_nothing_of_deleted_records) {
  fill(12);
  EXPECT_EQ(bed.log->offset_for_time(topic, Timestamp{1002}).value(), Offset{2});
  ASSERT_TRUE(bed.log->delete_records(topic, Offset{7}));
  EXPECT_EQ(bed.log->offset_for_time(topic, Timestamp{1002}).value(), Offset{7});
  EXPECT_EQ(bed.log->offset_for_time(topic, Timestamp{1009}).value(), Offset{9});
  EXPECT_EQ(bed.log->max_timestamp(topic), Timestamp{1011});
}

TEST_F(LogTopics, a_refused_batch_is_told_its_rule) {
  Buffer broken = test_batch("one");
  broken.back() ^= std::byte{1};
  EXPECT_EQ(bed.append(topic, broken).error().rule, AppendRule::corrupt_batch);
  Buffer old_format = test_batch("one");
  old_format[16] = std::byte{1};
  EXPECT_EQ(bed.append(topic, old_format).error().rule, AppendRule::invalid_record);
  EXPECT_EQ(bed.append(PartitionId{99}, test_batch("one")).error().rule,
            AppendRule::unknown_partition);
}

// --- times, ages and codecs ---

Append from_client(PartitionId partition, Buffer bytes) {
  Append what;
  what.batches.push_back({partition, std::move(bytes), BatchOrigin::client});
  return what;
}

TEST_F(LogTopics, a_topic_of_log_append_time_gives_its_records_that_time) {
  TopicConfig config = bed.log->topic("t")->config;
  config.timestamp_type = TimestampType::log_append_time;
  ASSERT_TRUE(bed.log->alter_config("t", config));
  bed.executor.advance(Millis(777'000));
  const Timestamp now = bed.executor.clock().now();
  const auto done = bed.append(from_client(topic, test_batch("one", 2)));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->front().append_time, now);
  for (int i = 0; i < 2; ++i) {
    const auto read = bed.log->read(topic, Offset{0}, 1 << 20);
    const auto header = record::check_batch(read->bytes);
    ASSERT_TRUE(header);
    EXPECT_TRUE(header->log_append_time());
    EXPECT_EQ(header->max_timestamp, now);
    EXPECT_EQ(bed.log->max_timestamp(topic), now);
    reopen();
  }
}

TEST_F(LogTopics, times_too_far_from_now_are_refused_from_clients_only) {
  TopicConfig config = bed.log->topic("t")->config;
  config.timestamp_before_max = Millis(10'000);
  config.timestamp_after_max = Millis(5'000);
  ASSERT_TRUE(bed.log->alter_config("t", config));
  const Timestamp now = bed.executor.clock().now();
  const auto rule = [&](Timestamp time) {
    const auto done = bed.append(from_client(topic, test_batch("x", 1, time)));
    return done ? AppendRule::none : done.error().rule;
  };
  EXPECT_EQ(rule(now - Millis(10'000)), AppendRule::none);
  EXPECT_EQ(rule(now - Millis(10'001)), AppendRule::invalid_timestamp);
  EXPECT_EQ(rule(now + Millis(5'000)), AppendRule::none);
  EXPECT_EQ(rule(now + Millis(5'001)), AppendRule::invalid_timestamp);
  EXPECT_TRUE(bed.append(topic, test_batch("ours", 1, now + Millis(9'000))));
  Buffer claims = test_batch("x", 1, now);
  record::set_log_append_time(claims, now);
  EXPECT_EQ(bed.append(from_client(topic, claims)).error().rule, AppendRule::invalid_timestamp);
}

TEST_F(LogTopics, a_segment_takes_no_more_when_it_is_old) {
  TopicConfig config = bed.log->topic("t")->config;
  config.segment_time = Millis(10'000);
  ASSERT_TRUE(bed.log->alter_config("t", config));
  bed.append(topic, test_batch("one")).value();
  bed.executor.advance(Millis(10'000));
  bed.append(topic, test_batch("two")).value();
  EXPECT_EQ(bed.disk.list("data/topics/t-0")->size(), 2u);
  reopen();
  bed.executor.advance(Millis(1));
  bed.append(topic, test_batch("three")).value();
  EXPECT_EQ(bed.disk.list("data/topics/t-0")->size(), 4u);
  EXPECT_EQ(bed.values(topic), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(LogTopics, a_client_s_batch_is_kept_in_the_codec_of_its_topic) {
  TopicConfig config = bed.log->topic("t")->config;
  config.compression = record::Compression::lz4;
  ASSERT_TRUE(bed.log->alter_config("t", config));
  bed.append(from_client(topic, test_batch(std::string(3'000, 'x')))).value();
  reopen();
  const auto read = bed.log->read(topic, Offset{0}, 1 << 20);
  ASSERT_TRUE(read);
  EXPECT_EQ(record::check_batch(read->bytes)->compression(), record::Compression::lz4);
  EXPECT_EQ(value_of(read->bytes), std::string(3'000, 'x'));
}

// --- committed offsets ---

TEST_F(LogTopics, a_commit_keeps_its_metadata_epoch_and_time) {
  const OffsetCommit commit{.group = "g",
                            .partition = topic,
                            .offset = Offset{7},
                            .leader_epoch = 3,
                            .metadata = "where I was"};
  bed.append({.batches = {}, .offsets = {commit}}).value();
  const Timestamp then = bed.executor.clock().now();
  for (int i = 0; i < 2; ++i) {
    const auto found = bed.log->committed_offset("g", topic);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->offset, Offset{7});
    EXPECT_EQ(found->leader_epoch, 3);
    EXPECT_EQ(found->metadata, "where I was");
    EXPECT_EQ(found->commit_time, then);
    // First out of the write-ahead log, then out of the checkpoint.
    reopen();
    bed.executor.advance(Millis(10));
  }
}

TEST_F(LogTopics, groups_and_their_offsets_are_listed_and_deleted) {
  ASSERT_TRUE(bed.log->create_topic("u", 1, {}));
  const PartitionId other = bed.partition("u");
  bed.append(
         {.offsets = {{"a", topic, Offset{1}}, {"a", other, Offset{2}}, {"b", topic, Offset{3}}}})
      .value();
  EXPECT_EQ(bed.log->groups_with_offsets(), (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(bed.log->group_offsets("a").size(), 2u);
  EXPECT_EQ(bed.log->group_offsets("a")[1].topic, "u");
  EXPECT_EQ(bed.log->group_offsets("a")[1].committed.offset, Offset{2});
  bed.append({.deletions = {{"b", topic}, {"a", other}, {"none", other}}}).value();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(bed.log->groups_with_offsets(), std::vector<std::string>{"a"});
    EXPECT_EQ(bed.log->group_offsets("a").size(), 1u);
    EXPECT_EQ(bed.log->committed("b", bed.partition("t")), Offset{-1});
    reopen();
  }
  ASSERT_TRUE(bed.log->delete_topic("t"));
  EXPECT_TRUE(bed.log->groups_with_offsets().empty());
}

}  // namespace log_topics_test
}  // namespace adbrook::log
