// The group APIs over the log: what must survive a restart does, what belongs to others is refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "broker/broker_test_bed.h"
#include "protocol/k08_offset_commit.h"
#include "protocol/k09_offset_fetch.h"
#include "protocol/k10_find_coordinator.h"
#include "protocol/k11_join_group.h"
#include "protocol/k12_heartbeat.h"
#include "protocol/k13_leave_group.h"
#include "protocol/k14_sync_group.h"
#include "protocol/k15_describe_groups.h"
#include "protocol/k16_list_groups.h"
#include "protocol/k42_delete_groups.h"
#include "protocol/k47_offset_delete.h"

namespace adbrook::broker {
namespace group_api_test {

using namespace protocol;  // NOLINT: tests name many messages

constexpr std::int16_t kNamesLast = 9;  // newer versions name topics by id

class GroupApiTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(bed.log.log->create_topic("t", 2, {})); }

  struct Member {
    std::string id;
    std::int32_t generation = -1;
  };
  JoinGroupRequest join_request(std::string_view member_id) const {
    JoinGroupRequest request{.group_id = "g",
                             .session_timeout_ms = 10'000,
                             .rebalance_timeout_ms = 60'000,
                             .member_id = member_id,
                             .protocol_type = "consumer"};
    request.protocols.push_back({.name = "range", .metadata = as_bytes(subscription)});
    return request;
  }
  // One member of group "g", assigned and working.
  Member working_member() {
    const auto told = bed.ask<JoinGroupResponse>(join_request(""));
    EXPECT_EQ(told->error_code, ErrorCode::member_id_required);
    Member member{std::string(told->member_id)};
    const auto joined = bed.send<JoinGroupResponse>(join_request(member.id));
    bed.advance(Millis(3'100));
    EXPECT_EQ(joined->kind, Reply::Kind::answer);
    member.generation = joined->message.generation_id;
    SyncGroupRequest sync{
        .group_id = "g", .generation_id = member.generation, .member_id = member.id};
    sync.assignments.push_back({.member_id = member.id, .assignment = as_bytes("mine")});
    EXPECT_EQ(as_text(bed.ask<SyncGroupResponse>(sync)->assignment), "mine");
    return member;
  }
  ErrorCode heartbeat(const Member& member) {
    return bed
        .ask<HeartbeatResponse>(HeartbeatRequest{
            .group_id = "g", .generation_id = member.generation, .member_id = member.id})
        ->error_code;
  }
  ErrorCode commit(std::string_view group, const Member& member, std::int64_t offset,
                   std::string_view topic = "t", std::string_view metadata = "note") {
    OffsetCommitRequest request{.group_id = group,
                                .generation_id_or_member_epoch = member.generation,
                                .member_id = member.id};
    request.topics.push_back({.name = topic});
    request.topics[0].partitions.push_back({.partition_index = 1,
                                            .committed_offset = offset,
                                            .committed_leader_epoch = 3,
                                            .committed_metadata = metadata});
    return bed.ask<OffsetCommitResponse>(request, kNamesLast)
        ->topics.at(0)
        .partitions.at(0)
        .error_code;
  }
  OffsetFetchResponse::Partition fetched(std::string_view group) {
    OffsetFetchRequest request;
    auto& asked = request.groups.emplace_back();
    asked.group_id = group;
    asked.topics->push_back({.name = "t", .partition_indexes = {1}});
    kept = bed.ask<OffsetFetchResponse>(request, kNamesLast);
    EXPECT_EQ(kept.message.groups.at(0).error_code, ErrorCode::none);
    return kept.message.groups.at(0).topics.at(0).partitions.at(0);
  }
  ErrorCode remove(std::string_view group) {
    DeleteGroupsRequest request;
    request.groups_names.push_back(group);
    return bed.ask<DeleteGroupsResponse>(request)->results.at(0).error_code;
  }
  std::string state(std::string_view group) {
    DescribeGroupsRequest request;
    request.groups.push_back(group);
    return std::string(bed.ask<DescribeGroupsResponse>(request, 5)->groups.at(0).group_state);
  }

  BrokerBed bed;
  Answered<OffsetFetchResponse> kept;
  const std::string subscription{"\0\1\0\0\0\1\0\1t\0\0\0\0", 13};
};

TEST_F(GroupApiTest, a_position_comes_back_as_it_was_committed) {
  EXPECT_EQ(commit("g", {}, 42), ErrorCode::none);
  bed.crash();
  const auto position = fetched("g");
  EXPECT_EQ(position.committed_offset, 42);
  EXPECT_EQ(position.committed_leader_epoch, 3);
  EXPECT_EQ(position.metadata, "note");
  EXPECT_EQ(state("g"), "Empty");
}

TEST_F(GroupApiTest, a_group_that_nobody_knows_has_no_positions_and_no_error) {
  const auto position = fetched("nobody");
  EXPECT_EQ(position.committed_offset, -1);
  EXPECT_EQ(position.error_code, ErrorCode::none);
  EXPECT_EQ(position.metadata, "");
  OffsetFetchRequest all{.group_id = "nobody", .topics = std::nullopt};
  EXPECT_TRUE(bed.ask<OffsetFetchResponse>(all, 7)->topics.empty());
}

TEST_F(GroupApiTest, a_negative_position_is_kept_as_kafkajs_resets_with_it) {
  EXPECT_EQ(commit("g", {}, -2), ErrorCode::none);
  bed.crash();
  EXPECT_EQ(fetched("g").committed_offset, -2);
}

TEST_F(GroupApiTest, all_positions_of_a_group_are_listed) {
  commit("g", {}, 42);
  const OffsetFetchRequest all{.group_id = "g", .topics = std::nullopt};
  const auto answer = bed.ask<OffsetFetchResponse>(all, 7);
  ASSERT_EQ(answer->topics.size(), 1u);
  EXPECT_EQ(answer->topics[0].name, "t");
  EXPECT_EQ(answer->topics[0].partitions.at(0).committed_offset, 42);
}

TEST_F(GroupApiTest, positions_of_unknown_topics_and_long_texts_are_refused) {
  EXPECT_EQ(commit("g", {}, 1, "absent"), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(commit("g", {}, 1, "t", std::string(5'000, 'x')), ErrorCode::offset_metadata_too_large);
  EXPECT_EQ(commit("g", {"m", 3}, 1), ErrorCode::unknown_member_id);
}

TEST_F(GroupApiTest, members_survive_a_crash_of_the_broker) {
  const Member member = working_member();
  EXPECT_EQ(commit("g", member, 7), ErrorCode::none);
  bed.crash();
  EXPECT_EQ(state("g"), "Stable");
  EXPECT_EQ(heartbeat(member), ErrorCode::none);
  EXPECT_EQ(commit("g", member, 8), ErrorCode::none);
  EXPECT_EQ(commit("g", {member.id, member.generation + 1}, 9), ErrorCode::illegal_generation);
  bed.advance(Millis(10'100));
  EXPECT_EQ(state("g"), "Empty");
  EXPECT_EQ(heartbeat(member), ErrorCode::unknown_member_id);
  bed.crash();
  EXPECT_EQ(state("g"), "Empty");
  EXPECT_EQ(fetched("g").committed_offset, 8);
}

TEST_F(GroupApiTest, a_member_leaves_by_id_or_by_name) {
  const Member member = working_member();
  LeaveGroupRequest request{.group_id = "g"};
  request.members.push_back({.member_id = "other"});
  request.members.push_back({.member_id = member.id});
  const auto answer = bed.ask<LeaveGroupResponse>(request);
  EXPECT_EQ(answer->members.at(0).error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(answer->members.at(1).error_code, ErrorCode::none);
  EXPECT_EQ(heartbeat(member), ErrorCode::unknown_member_id);
}

TEST_F(GroupApiTest, groups_are_described_and_listed) {
  const Member member = working_member();
  DescribeGroupsRequest request;
  request.groups = {"g", "nobody", "engine"};
  const auto answer = bed.ask<DescribeGroupsResponse>(request);
  const auto& group = answer->groups.at(0);
  EXPECT_EQ(group.group_state, "Stable");
  EXPECT_EQ(group.protocol_data, "range");
  EXPECT_EQ(group.members.at(0).client_id, "test");
  EXPECT_EQ(as_text(group.members.at(0).member_assignment), "mine");
  EXPECT_EQ(as_text(group.members.at(0).member_metadata), subscription);
  EXPECT_EQ(answer->groups.at(1).error_code, ErrorCode::group_id_not_found);
  EXPECT_EQ(answer->groups.at(2).members.size(), 1u);
  request.groups = {"nobody"};
  const auto older = bed.ask<DescribeGroupsResponse>(request, 5);
  EXPECT_EQ(older->groups.at(0).group_state, "Dead");
  EXPECT_EQ(older->groups.at(0).error_code, ErrorCode::none);
  ListGroupsRequest stable;
  stable.states_filter = {"stable"};
  EXPECT_EQ(bed.ask<ListGroupsResponse>(stable)->groups.size(), 2u);
  stable.states_filter = {"Dead"};
  EXPECT_TRUE(bed.ask<ListGroupsResponse>(stable)->groups.empty());
}

TEST_F(GroupApiTest, only_a_group_without_members_is_deleted_offsets_and_all) {
  const Member member = working_member();
  commit("g", member, 7);
  EXPECT_EQ(remove("g"), ErrorCode::non_empty_group);
  EXPECT_EQ(remove("nobody"), ErrorCode::group_id_not_found);
  bed.advance(Millis(10'100));
  EXPECT_EQ(remove("g"), ErrorCode::none);
  EXPECT_EQ(fetched("g").committed_offset, -1);
  bed.crash();
  EXPECT_EQ(fetched("g").committed_offset, -1);
  EXPECT_EQ(state("g"), "Dead");
}

TEST_F(GroupApiTest, positions_are_deleted_unless_a_member_reads_the_topic) {
  const Member member = working_member();
  commit("g", member, 7);
  OffsetDeleteRequest request{.group_id = "g"};
  request.topics.push_back({.name = "t", .partitions = {{1}, {9}}});
  const auto in_use = bed.ask<OffsetDeleteResponse>(request);
  EXPECT_EQ(in_use->topics.at(0).partitions.at(0).error_code, ErrorCode::group_subscribed_to_topic);
  EXPECT_EQ(in_use->topics.at(0).partitions.at(1).error_code,
            ErrorCode::unknown_topic_or_partition);
  bed.advance(Millis(10'100));
  EXPECT_EQ(bed.ask<OffsetDeleteResponse>(request)->topics.at(0).partitions.at(0).error_code,
            ErrorCode::none);
  EXPECT_EQ(fetched("g").committed_offset, -1);
}

TEST_F(GroupApiTest, positions_of_a_group_that_nobody_uses_are_forgotten) {
  bed.groups.offsets_retention = Millis(3'600'000);
  bed.crash();
  commit("g", {}, 42);
  bed.advance(Millis(3'000'000));
  EXPECT_EQ(fetched("g").committed_offset, 42);
  bed.advance(Millis(1'800'000));
  EXPECT_EQ(fetched("g").committed_offset, -1);
  EXPECT_EQ(state("g"), "Dead");
}

TEST_F(GroupApiTest, the_engines_group_is_not_for_others) {
  JoinGroupRequest request = join_request("");
  request.group_id = "engine";
  EXPECT_EQ(bed.ask<JoinGroupResponse>(request)->error_code, ErrorCode::group_authorization_failed);
  EXPECT_EQ(commit("engine", {}, 0), ErrorCode::group_authorization_failed);
  EXPECT_EQ(remove("engine"), ErrorCode::non_empty_group);
}

TEST_F(GroupApiTest, a_group_needs_a_name) {
  JoinGroupRequest request = join_request("");
  request.group_id = "";
  EXPECT_EQ(bed.ask<JoinGroupResponse>(request)->error_code, ErrorCode::invalid_group_id);
}

TEST_F(GroupApiTest, version_0_of_a_join_waits_no_longer_than_its_session) {
  JoinGroupRequest request = join_request("");
  const auto first = bed.send<JoinGroupResponse>(request, 0);
  bed.advance(Millis(3'100));
  ASSERT_EQ(first->kind, Reply::Kind::answer);
  EXPECT_EQ(first->message.error_code, ErrorCode::none);
  const auto second = bed.send<JoinGroupResponse>(request, 0);
  bed.advance(Millis(10'100));
  EXPECT_EQ(second->kind, Reply::Kind::answer);
}

TEST_F(GroupApiTest, the_coordinator_is_this_broker) {
  FindCoordinatorRequest request;
  request.coordinator_keys = {"a", "b"};
  const auto answer = bed.ask<FindCoordinatorResponse>(request);
  EXPECT_EQ(answer->coordinators.size(), 2u);
  EXPECT_EQ(answer->coordinators[0].host, "broker.example");
  EXPECT_EQ(bed.ask<FindCoordinatorResponse>(FindCoordinatorRequest{.key = "a"}, 0)->port, 9092);
  EXPECT_EQ(bed.ask<FindCoordinatorResponse>(FindCoordinatorRequest{.key = "a", .key_type = 9}, 1)
                ->error_code,
            ErrorCode::invalid_request);
}

}  // namespace group_api_test
}  // namespace adbrook::broker
