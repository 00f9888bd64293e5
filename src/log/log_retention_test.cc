#include "log/log_test_bed.h"

namespace adbrook::log {
namespace log_retention_test {

// Ten batches of about 1 KiB, five to a segment, a second apart.
class Retention : public testing::Test {
 protected:
  void fill(TopicConfig config) {
    ASSERT_TRUE(bed.open());
    config.segment_bytes = {5'500};
    ASSERT_TRUE(bed.log->create_topic("t", 1, config));
    topic = bed.partition("t");
    for (int i = 0; i < 20; ++i) {
      bed.append(topic, test_batch(std::string(1'000, 'x'))).value();
      bed.executor.advance(Millis(1'000));
    }
  }
  std::size_t file_count() { return bed.disk.list("data/topics/t-0")->size(); }

  LogBed bed;
  PartitionId topic;
};

TEST_F(Retention, a_segment_ends_before_the_batch_that_would_overfill_it) {
  fill({});
  EXPECT_EQ(file_count(), 8u);
  EXPECT_EQ(bed.values(topic).size(), 20u);
  bed.power_loss();
  ASSERT_TRUE(bed.open());
  topic = bed.partition("t");
  EXPECT_EQ(bed.values(topic).size(), 20u);
}

TEST_F(Retention, nothing_goes_without_a_limit) {
  fill({});
  bed.executor.advance(Millis(1'000'000));
  bed.executor.run_until_idle();
  EXPECT_EQ(bed.log->ends(topic).start, Offset{0});
}

TEST_F(Retention, whole_segments_whose_last_append_is_too_old_go) {
  fill({.retention = Millis(10'500)});
  ASSERT_TRUE(bed.log->apply_retention());
  // The second segment's last append was 11 s ago, the third one's 6 s.
  EXPECT_EQ(bed.log->ends(topic).start, Offset{10});
  EXPECT_EQ(file_count(), 4u);
  EXPECT_EQ(bed.log->read(topic, Offset{9}, 100).error().kind, ErrorKind::out_of_range);
  EXPECT_EQ(bed.values(topic).size(), 10u);
  bed.power_loss();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.log->ends(bed.partition("t")).start, Offset{10});
}

TEST_F(Retention, the_active_segment_stays_however_old) {
  fill({.retention = Millis(1)});
  bed.executor.advance(Millis(1'000'000));
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{15});
}

TEST_F(Retention, it_runs_by_itself) {
  fill({.retention = Millis(1)});
  bed.executor.advance(Millis(300'000));
  bed.executor.run_until_idle();
  EXPECT_EQ(bed.log->ends(topic).start, Offset{15});
}

TEST_F(Retention, nothing_goes_before_the_upkeep_begins) {
  fill({.retention = Millis(1)});
  bed.power_loss();
  auto opened =
      Log::open(bed.disk, bed.executor.clock(), bed.executor, *bed.metrics, "data", bed.options);
  ASSERT_TRUE(opened);
  bed.log = std::move(*opened);
  const PartitionId again = bed.partition("t");
  bed.executor.advance(Millis(900'000));
  bed.executor.run_until_idle();
  EXPECT_EQ(bed.log->ends(again).start, Offset{0});
  bed.log->hold("task", again, Offset{7});
  bed.log->begin_upkeep();
  bed.executor.advance(Millis(300'000));
  bed.executor.run_until_idle();
  EXPECT_EQ(bed.log->ends(again).start, Offset{5});
}

TEST_F(Retention, a_partition_over_its_bytes_loses_its_oldest_segments) {
  fill({.retention_bytes = {11'000}});
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{5});
}

TEST_F(Retention, what_is_held_stays_until_it_is_let_go) {
  fill({.retention = Millis(1)});
  bed.log->hold("task", topic, Offset{7});
  bed.log->hold("other", topic, Offset{14});
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{5});
  bed.log->hold("task", topic, Offset{20});
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{10});
}

}  // namespace log_retention_test
}  // namespace adbrook::log
