// Groups of the newer protocol over the log: what must survive a crash does, and both kinds of
// groups keep out of each other's way.
#include <gtest/gtest.h>

#include <algorithm>

#include "broker/broker_test_bed.h"
#include "protocol/k08_offset_commit.h"
#include "protocol/k09_offset_fetch.h"
#include "protocol/k11_join_group.h"
#include "protocol/k12_heartbeat.h"
#include "protocol/k13_leave_group.h"
#include "protocol/k15_describe_groups.h"
#include "protocol/k16_list_groups.h"
#include "protocol/k42_delete_groups.h"
#include "protocol/k68_consumer_group_heartbeat.h"
#include "protocol/k69_consumer_group_describe.h"

namespace adbrook::broker {
namespace consumer_group_api_test {

using namespace protocol;  // NOLINT: tests name many messages

constexpr std::int16_t kNamesLast = 9;  // newer versions name topics by id

class ConsumerGroupApiTest : public testing::Test {
 protected:
  using Beat = Answered<ConsumerGroupHeartbeatResponse>;

  void SetUp() override { ASSERT_TRUE(bed.log.log->create_topic("t", 2, {})); }

  static ConsumerGroupHeartbeatRequest join_request(std::string_view member_id) {
    ConsumerGroupHeartbeatRequest request{
        .group_id = "g", .member_id = member_id, .rebalance_timeout_ms = 60'000};
    request.subscribed_topic_names = {{"t"}};
    request.topic_partitions.emplace();
    return request;
  }
  Beat ask(const ConsumerGroupHeartbeatRequest& request, std::int16_t version = 1) {
    return bed.ask<ConsumerGroupHeartbeatResponse>(request, version);
  }
  Beat beat(std::string_view member_id, std::int32_t epoch) {
    return ask({.group_id = "g", .member_id = member_id, .member_epoch = epoch});
  }
  static std::vector<std::int32_t> partitions(const Beat& told) {
    if (!told->assignment || told->assignment->topic_partitions.empty()) return {};
    return told->assignment->topic_partitions[0].partitions;
  }
  ErrorCode commit(std::string_view member_id, std::int32_t epoch, std::int64_t offset,
                   std::int16_t version = kNamesLast) {
    OffsetCommitRequest request{
        .group_id = "g", .generation_id_or_member_epoch = epoch, .member_id = member_id};
    request.topics.push_back({.name = "t"});
    request.topics[0].partitions.push_back({.partition_index = 0, .committed_offset = offset});
    return bed.ask<OffsetCommitResponse>(request, version)
        ->topics.at(0)
        .partitions.at(0)
        .error_code;
  }
  std::pair<ErrorCode, std::int64_t> fetched(std::optional<std::string_view> member_id = {},
                                             std::int32_t epoch = -1) {
    OffsetFetchRequest request;
    auto& asked = request.groups.emplace_back();
    asked.group_id = "g";
    asked.member_id = member_id;
    asked.member_epoch = epoch;
    asked.topics->push_back({.name = "t", .partition_indexes = {0}});
    const auto answer = bed.ask<OffsetFetchResponse>(request, kNamesLast);
    const auto& group = answer->groups.at(0);
    if (group.error_code != ErrorCode::none) return {group.error_code, -1};
    return {ErrorCode::none, group.topics.at(0).partitions.at(0).committed_offset};
  }
  ErrorCode classic_join(std::string_view member_id = "") {
    JoinGroupRequest request{.group_id = "g",
                             .session_timeout_ms = 10'000,
                             .rebalance_timeout_ms = 60'000,
                             .member_id = member_id,
                             .protocol_type = "consumer"};
    request.protocols.push_back({.name = "range"});
    return bed.ask<JoinGroupResponse>(request)->error_code;
  }
  std::vector<std::string> listed(std::string_view type) {
    ListGroupsRequest request;
    request.types_filter = {type};
    std::vector<std::string> names;
    const auto answer = bed.ask<ListGroupsResponse>(request);
    for (const auto& group : answer->groups) names.emplace_back(group.group_id);
    return names;
  }

  BrokerBed bed;
};

using Partitions = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

TEST_F(ConsumerGroupApiTest, a_member_joins_works_and_leaves) {
  const auto joined = ask(join_request("a"));
  EXPECT_EQ(joined->error_code, ErrorCode::none);
  EXPECT_EQ(joined->member_id, "a");
  EXPECT_EQ(joined->member_epoch, 1);
  EXPECT_EQ(joined->heartbeat_interval_ms, 5'000);
  EXPECT_EQ(partitions(joined), (Partitions{0, 1}));
  EXPECT_EQ(joined->assignment->topic_partitions[0].topic_id, bed.log.log->topic("t")->id);
  EXPECT_FALSE(beat("a", 1)->assignment);
  EXPECT_EQ(beat("a", 7)->error_code, ErrorCode::fenced_member_epoch);
  EXPECT_NE(beat("a", 7)->error_message, std::nullopt);
  EXPECT_EQ(beat("a", kLeaveEpoch)->error_code, ErrorCode::none);
  EXPECT_EQ(beat("a", 1)->error_code, ErrorCode::unknown_member_id);
}

TEST_F(ConsumerGroupApiTest, version_0_makes_up_the_member_id) {
  const auto joined = ask(join_request(""), 0);
  EXPECT_EQ(joined->error_code, ErrorCode::none);
  EXPECT_FALSE(joined->member_id->empty());
  EXPECT_EQ(ask(join_request(""), 1)->error_code, ErrorCode::invalid_request);
}

TEST_F(ConsumerGroupApiTest, members_survive_a_crash_of_the_broker) {
  ask(join_request("a"));
  ask(join_request("b"));
  bed.crash();
  auto told = beat("a", 1);
  EXPECT_EQ(partitions(told).size(), 1u);
  ConsumerGroupHeartbeatRequest released{.group_id = "g", .member_id = "a", .member_epoch = 1};
  released.topic_partitions.emplace();
  released.topic_partitions->push_back({bed.log.log->topic("t")->id, partitions(told)});
  EXPECT_EQ(ask(released)->member_epoch, 2);
  bed.crash();
  EXPECT_EQ(partitions(beat("b", 2)).size(), 1u);
  bed.advance(Millis(45'100));
  EXPECT_EQ(beat("b", 2)->error_code, ErrorCode::unknown_member_id);
  bed.crash();
  EXPECT_EQ(beat("a", 2)->error_code, ErrorCode::unknown_member_id);
}

TEST_F(ConsumerGroupApiTest, new_partitions_are_dealt_out) {
  ask(join_request("a"));
  ASSERT_TRUE(bed.log.log->create_partitions("t", 3));
  bed.advance(Millis(1'100));
  EXPECT_EQ(partitions(beat("a", 1)), (Partitions{0, 1, 2}));
}

TEST_F(ConsumerGroupApiTest, positions_belong_to_members_of_their_epoch) {
  ask(join_request("a"));
  EXPECT_EQ(commit("a", 1, 42), ErrorCode::none);
  EXPECT_EQ(commit("a", 0, 43), ErrorCode::stale_member_epoch);
  EXPECT_EQ(commit("x", 1, 43), ErrorCode::unknown_member_id);
  EXPECT_EQ(commit("a", 1, 43, 8), ErrorCode::unsupported_version);
  EXPECT_EQ(fetched(), std::pair(ErrorCode::none, std::int64_t{42}));
  EXPECT_EQ(fetched("a", 1), std::pair(ErrorCode::none, std::int64_t{42}));
  EXPECT_EQ(fetched("a", 9).first, ErrorCode::stale_member_epoch);
  EXPECT_EQ(fetched("x", 1).first, ErrorCode::unknown_member_id);
  beat("a", kLeaveEpoch);
  EXPECT_EQ(commit("", -1, 50), ErrorCode::none) << "an administrator, while it is empty";
}

TEST_F(ConsumerGroupApiTest, a_group_is_of_one_kind_as_long_as_it_has_members) {
  ask(join_request("a"));
  commit("a", 1, 42);
  EXPECT_EQ(classic_join(), ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(
      bed.ask<HeartbeatResponse>(HeartbeatRequest{.group_id = "g", .member_id = "a"})->error_code,
      ErrorCode::unknown_member_id);
  beat("a", kLeaveEpoch);
  EXPECT_EQ(classic_join("a"), ErrorCode::unknown_member_id) << "it is to come as a new one";
  EXPECT_EQ(classic_join(), ErrorCode::member_id_required) << "it is a classic one now";
  EXPECT_EQ(listed("classic"), (Names{"engine", "g"}));
  EXPECT_EQ(ask(join_request("a"))->error_code, ErrorCode::group_id_not_found);
  EXPECT_EQ(fetched().second, 42) << "its positions stay";
  bed.advance(Millis(10'100));
  bed.crash();
  EXPECT_EQ(ask(join_request("a"))->error_code, ErrorCode::none) << "nobody is in it any more";
  EXPECT_EQ(listed("consumer"), Names{"g"});
  bed.crash();
  EXPECT_EQ(listed("consumer"), Names{"g"});
  EXPECT_EQ(fetched().second, 42);
}

TEST_F(ConsumerGroupApiTest, an_emptied_group_does_not_know_a_classic_members_id) {
  ask(join_request("a"));
  EXPECT_EQ(classic_join("old"), ErrorCode::inconsistent_group_protocol);
  beat("a", kLeaveEpoch);
  EXPECT_EQ(classic_join("old"), ErrorCode::unknown_member_id) << "so it joins as a new one";
  EXPECT_EQ(classic_join(), ErrorCode::member_id_required);
}

TEST_F(ConsumerGroupApiTest, a_refused_join_makes_no_group) {
  auto request = join_request("a");
  request.server_assignor = "sticky";
  EXPECT_EQ(ask(request)->error_code, ErrorCode::unsupported_assignor);
  request.group_id = "";
  EXPECT_EQ(ask(request)->error_code, ErrorCode::invalid_request);
  request.group_id = "engine";
  EXPECT_EQ(ask(request)->error_code, ErrorCode::group_authorization_failed);
  EXPECT_EQ(beat("a", 1)->error_code, ErrorCode::group_id_not_found);
  EXPECT_TRUE(listed("consumer").empty());
}

TEST_F(ConsumerGroupApiTest, more_than_any_member_may_have_is_refused_as_a_whole) {
  auto request = join_request("a");
  const std::vector<std::string_view> many((std::size_t{1} << 18) + 1, "t");
  request.subscribed_topic_names = many;
  EXPECT_EQ(ask(request)->error_code, ErrorCode::invalid_request);
  request = join_request("a");
  request.topic_partitions.emplace().push_back({.partitions = {}});
  request.topic_partitions->at(0).partitions.resize((std::size_t{1} << 20) + 1);
  EXPECT_EQ(ask(request)->error_code, ErrorCode::invalid_request);
  EXPECT_TRUE(listed("consumer").empty());
}

TEST_F(ConsumerGroupApiTest, both_ways_to_describe_a_group_know_it) {
  auto request = join_request("a");
  request.instance_id = "static";
  ask(request);
  ConsumerGroupDescribeRequest describe;
  describe.group_ids = {"g", "engine"};
  const auto answer = bed.ask<ConsumerGroupDescribeResponse>(describe);
  const auto& group = answer->groups.at(0);
  EXPECT_EQ(group.group_state, "Stable");
  EXPECT_EQ(group.group_epoch, 1);
  EXPECT_EQ(group.assignment_epoch, 1);
  EXPECT_EQ(group.assignor_name, "uniform");
  const auto& member = group.members.at(0);
  EXPECT_EQ(member.instance_id, "static");
  EXPECT_EQ(member.subscribed_topic_names, std::vector<std::string_view>{"t"});
  EXPECT_EQ(member.assignment.topic_partitions.at(0).topic_name, "t");
  EXPECT_EQ(member.target_assignment.topic_partitions.at(0).partitions, (Partitions{0, 1}));
  EXPECT_EQ(answer->groups.at(1).error_code, ErrorCode::group_id_not_found);
  DescribeGroupsRequest older;
  older.groups = {"g"};
  const auto classic = bed.ask<DescribeGroupsResponse>(older);
  EXPECT_EQ(classic->groups.at(0).group_state, "Stable");
  EXPECT_EQ(classic->groups.at(0).protocol_data, "uniform");
  EXPECT_EQ(as_text(classic->groups.at(0).members.at(0).member_assignment),
            std::string_view("\0\0\0\0\0\1\0\1t\0\0\0\2\0\0\0\0\0\0\0\1\377\377\377\377", 25));
}

TEST_F(ConsumerGroupApiTest, it_is_deleted_once_its_members_were_taken_out) {
  ask(join_request("a"));
  commit("a", 1, 42);
  DeleteGroupsRequest remove;
  remove.groups_names = {"g"};
  const auto code = [&] { return bed.ask<DeleteGroupsResponse>(remove)->results.at(0).error_code; };
  EXPECT_EQ(code(), ErrorCode::non_empty_group);
  LeaveGroupRequest leave{.group_id = "g"};
  leave.members.push_back({.member_id = "a"});
  EXPECT_EQ(bed.ask<LeaveGroupResponse>(leave)->members.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(code(), ErrorCode::none);
  bed.crash();
  EXPECT_TRUE(listed("consumer").empty());
  EXPECT_EQ(fetched().second, -1);
}

TEST_F(ConsumerGroupApiTest, it_ends_only_when_all_of_it_is_in_the_log) {
  ask(join_request("a"));
  constexpr std::uint64_t kLarge = 1ull << 40;
  bed.log.disk.set_capacity(kLarge);
  bed.log.disk.set_capacity(kLarge - bed.log.disk.free_bytes("data").value() + 20'000);
  const log::PartitionId partition = bed.log.partition("t");
  while (bed.log.append(partition, log::test_batch(std::string(900, 'x')))) continue;
  EXPECT_EQ(beat("a", kLeaveEpoch)->error_code, ErrorCode::coordinator_not_available);
  EXPECT_EQ(classic_join(), ErrorCode::coordinator_not_available);
  DeleteGroupsRequest remove;
  remove.groups_names = {"g"};
  const auto code = [&] { return bed.ask<DeleteGroupsResponse>(remove)->results.at(0).error_code; };
  EXPECT_EQ(code(), ErrorCode::coordinator_not_available);
  bed.log.disk.set_capacity(std::nullopt);
  bed.advance(Millis(1'000));
  EXPECT_EQ(code(), ErrorCode::coordinator_not_available) << "the save begins";
  EXPECT_EQ(code(), ErrorCode::none);
  ask(join_request("b"));
  bed.crash();
  EXPECT_EQ(beat("a", 1)->error_code, ErrorCode::unknown_member_id) << "nothing of it came back";
  EXPECT_EQ(beat("b", 1)->error_code, ErrorCode::none);
}

}  // namespace consumer_group_api_test
}  // namespace adbrook::broker
