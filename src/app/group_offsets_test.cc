#include "app/group_offsets.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

GroupOffset offset_at(std::optional<std::int64_t> committed, std::int64_t start, std::int64_t end) {
  GroupOffset offset;
  offset.partition = {"orders", 0};
  if (committed) offset.committed = Offset{*committed};
  offset.ends = bus::Ends{Offset{start}, Offset{end}};
  return offset;
}

TEST(GroupOffsets, lag_counts_what_is_still_to_be_read) {
  EXPECT_EQ(offset_at(30, 0, 100).lag(), 70);
  EXPECT_EQ(offset_at(100, 0, 100).lag(), 0);
  // Records below the start are gone, and nothing committed means all that is kept.
  EXPECT_EQ(offset_at(10, 40, 100).lag(), 60);
  EXPECT_EQ(offset_at(std::nullopt, 40, 100).lag(), 60);
  // A topic that was deleted and made again may end before the commit.
  EXPECT_EQ(offset_at(500, 0, 100).lag(), 0);
  GroupOffset unknown = offset_at(1, 0, 2);
  unknown.ends.reset();
  EXPECT_FALSE(unknown.lag());
}

TEST(GroupOffsets, committed_and_assigned_partitions_are_put_together) {
  const std::vector<bus::Commit::Position> committed = {{{"orders", 1}, Offset{7}}};
  const std::vector<bus::KafkaMember> members = {
      {"m-1", "c", "h", "", {{"orders", 0}, {"orders", 1}}}};
  const auto offsets = group_offsets(committed, members);
  ASSERT_EQ(offsets.size(), 2u);
  EXPECT_EQ(offsets[0].partition.number, 0);
  EXPECT_FALSE(offsets[0].committed);
  EXPECT_EQ(offsets[0].member, "m-1");
  EXPECT_EQ(offsets[1].committed, Offset{7});
  EXPECT_EQ(offsets[1].member, "m-1");
}

TEST(GroupOffsets, a_topic_is_chosen_whole_or_by_partitions) {
  EXPECT_TRUE(parse_topic_choice("orders")->partitions.empty());
  EXPECT_EQ(parse_topic_choice("orders:0,2")->partitions, (std::vector<std::int32_t>{0, 2}));
  for (const auto* text : {"", ":1", "orders:", "orders:1,", "orders:-1", "orders:x"})
    EXPECT_FALSE(parse_topic_choice(text)) << text;
}

TEST(ResetOffsets, every_partition_moves_inside_its_own_ends) {
  std::vector<GroupOffset> offsets = {offset_at(30, 0, 100), offset_at(std::nullopt, 50, 60)};
  offsets[1].partition.number = 1;
  const auto spec = parse_offset_spec("20", {}, "--to");
  ASSERT_TRUE(spec);
  const auto moves = plan_reset(*spec, offsets, {});
  ASSERT_TRUE(moves);
  ASSERT_EQ(moves->size(), 2u);
  EXPECT_EQ((*moves)[0].from, Offset{30});
  EXPECT_EQ((*moves)[0].to, Offset{20});
  EXPECT_FALSE((*moves)[1].from);
  EXPECT_EQ((*moves)[1].to, Offset{50});
}

TEST(ResetOffsets, a_time_uses_the_offset_of_each_partition) {
  const std::vector<GroupOffset> offsets = {offset_at(1, 0, 100), offset_at(1, 0, 100)};
  const std::vector<std::optional<Offset>> at_time = {Offset{42}, std::nullopt};
  const auto moves = plan_reset({OffsetSpec::Kind::time, 0, Timestamp{5}}, offsets, at_time);
  ASSERT_TRUE(moves);
  EXPECT_EQ((*moves)[0].to, Offset{42});
  EXPECT_EQ((*moves)[1].to, Offset{100});
}

TEST(ResetOffsets, a_partition_without_a_leader_stops_all_of_it) {
  std::vector<GroupOffset> offsets = {offset_at(1, 0, 9), offset_at(1, 0, 9)};
  offsets[1].ends.reset();
  const auto moves = plan_reset({OffsetSpec::Kind::beginning, 0, {}}, offsets, {});
  ASSERT_FALSE(moves);
  EXPECT_NE(moves.error().message.find("orders-0"), std::string::npos);
}

}  // namespace
}  // namespace adbrook::app
