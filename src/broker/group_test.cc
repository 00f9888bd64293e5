#include "broker/group.h"

#include <gtest/gtest.h>

#include <memory>

namespace adbrook::broker {
namespace group_test {

constexpr Timestamp kWall{1'700'000'000'000};

// One group, its clock, and members that remember what they were told.
class GroupTest : public testing::Test {
 protected:
  struct Seen {
    std::optional<JoinAnswer> joined;
    std::optional<SyncAnswer> synced;
  };

  JoinRequest request(std::string member_id = {}) {
    return {.member_id = std::move(member_id),
            .client_id = "app",
            .protocol_type = "consumer",
            .protocols = {{"range", {}}},
            .session_timeout = Millis(10'000),
            .rebalance_timeout = Millis(60'000),
            .must_know_its_id = false};
  }
  std::shared_ptr<Seen> join(JoinRequest asked) {
    auto seen = std::make_shared<Seen>();
    group->join(std::move(asked), "member-" + std::to_string(++ids), now,
                [seen](JoinAnswer answer) { seen->joined = std::move(answer); });
    settle();
    return seen;
  }
  std::shared_ptr<Seen> join_static(const std::string& name, bool may_skip = false) {
    JoinRequest asked = request();
    asked.instance_id = name;
    asked.may_skip_assignment = may_skip;
    asked.protocols = {{"range", subscription()}};
    return join(std::move(asked));
  }
  std::shared_ptr<Seen> sync(const JoinAnswer& as,
                             std::vector<std::pair<std::string, Buffer>> assignments = {}) {
    auto seen = std::make_shared<Seen>();
    group->sync({.claim = {as.member_id, std::nullopt, as.generation},
                 .assignments = std::move(assignments)},
                now, [seen](SyncAnswer answer) { seen->synced = std::move(answer); });
    settle();
    return seen;
  }
  void advance(Millis by) {
    const Nanos to = now + by;
    for (auto next = group->next_deadline(); next && *next <= to; next = group->next_deadline()) {
      now = std::max(now, *next);
      group->tick(now);
      settle();
    }
    now = to;
  }
  // Answers and saves until nothing is left; a save fails while `save_error` says so.
  void settle() {
    for (bool more = true; more;) {
      auto answers = group->take_answers();
      more = !answers.empty();
      for (auto& answer : answers) answer();
      if (hold_saves) continue;
      if (const auto unsaved = group->take_unsaved(kWall)) {
        last_saved = unsaved->snapshot;
        group->saved(unsaved->token, save_error, now);
        more = true;
      }
    }
  }
  // A stable group of one, and what its member knows.
  JoinAnswer stable_leader() {
    const auto seen = join(request());
    advance(options.initial_rebalance_delay);
    const JoinAnswer answer = seen->joined.value();
    sync(answer, {{answer.member_id, bytes("all")}});
    EXPECT_EQ(group->state(), Group::State::stable);
    return answer;
  }
  ErrorCode heartbeat(const JoinAnswer& as) {
    return group->heartbeat({as.member_id, std::nullopt, as.generation}, now);
  }
  static Buffer bytes(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
  }
  static Buffer subscription() { return bytes(std::string_view("\0\1\0\0\0\1\0\1t\0\0\0\0", 13)); }

  GroupOptions options;
  Nanos now{0};
  int ids = 0;
  ErrorCode save_error = ErrorCode::none;
  bool hold_saves = false;
  std::optional<GroupSnapshot> last_saved;
  std::unique_ptr<Group> group = std::make_unique<Group>("g", options, kWall);
};

TEST_F(GroupTest, the_first_member_waits_the_initial_delay_and_leads) {
  const auto seen = join(request());
  advance(Millis(2'999));
  EXPECT_FALSE(seen->joined);
  advance(Millis(1));
  ASSERT_TRUE(seen->joined);
  EXPECT_EQ(seen->joined->error, ErrorCode::none);
  EXPECT_EQ(seen->joined->generation, 1);
  EXPECT_EQ(seen->joined->leader, seen->joined->member_id);
  EXPECT_EQ(seen->joined->members.size(), 1u);
  EXPECT_EQ(seen->joined->protocol_name, "range");
}

TEST_F(GroupTest, a_member_in_the_initial_delay_extends_it_up_to_the_rebalance_timeout) {
  JoinRequest first = request();
  first.rebalance_timeout = Millis(5'000);
  const auto a = join(first);
  advance(Millis(2'000));
  const auto b = join(first);
  advance(Millis(2'999));
  EXPECT_FALSE(a->joined);
  advance(Millis(1));
  ASSERT_TRUE(a->joined && b->joined);
  EXPECT_EQ(a->joined->members.size(), 2u);
  EXPECT_TRUE(b->joined->members.empty());
}

TEST_F(GroupTest, an_id_is_handed_out_before_a_member_counts) {
  JoinRequest asked = request();
  asked.must_know_its_id = true;
  const auto told = join(asked);
  ASSERT_TRUE(told->joined);
  EXPECT_EQ(told->joined->error, ErrorCode::member_id_required);
  EXPECT_EQ(told->joined->member_id, "member-1");
  asked.member_id = told->joined->member_id;
  const auto seen = join(asked);
  advance(options.initial_rebalance_delay);
  EXPECT_EQ(seen->joined.value().member_id, "member-1");
}

TEST_F(GroupTest, an_id_that_nobody_uses_lapses_with_its_session) {
  JoinRequest asked = request();
  asked.must_know_its_id = true;
  const auto told = join(asked);
  advance(asked.session_timeout);
  EXPECT_FALSE(group->has_members());
  asked.member_id = told->joined->member_id;
  EXPECT_EQ(join(asked)->joined.value().error, ErrorCode::unknown_member_id);
}

TEST_F(GroupTest, a_rebalance_waits_for_an_id_that_was_handed_out) {
  const JoinAnswer leader = stable_leader();
  JoinRequest asked = request();
  asked.must_know_its_id = true;
  asked.member_id = join(asked)->joined->member_id;
  const auto again = join(request(leader.member_id));
  EXPECT_FALSE(again->joined);
  const auto second = join(asked);
  ASSERT_TRUE(again->joined && second->joined);
  EXPECT_EQ(second->joined->generation, 2);
}

TEST_F(GroupTest, the_leaders_assignment_reaches_all_once_it_is_saved) {
  const auto a = join(request());
  const auto b = join(request());
  advance(Millis(6'000));
  const auto follower = sync(*b->joined);
  EXPECT_FALSE(follower->synced);
  hold_saves = true;
  const auto leader =
      sync(*a->joined, {{a->joined->member_id, bytes("x")}, {b->joined->member_id, bytes("y")}});
  EXPECT_FALSE(leader->synced);
  hold_saves = false;
  settle();
  ASSERT_TRUE(leader->synced && follower->synced);
  EXPECT_EQ(leader->synced->assignment, bytes("x"));
  EXPECT_EQ(follower->synced->assignment, bytes("y"));
  EXPECT_EQ(last_saved->members.size(), 2u);
}

TEST_F(GroupTest, an_assignment_that_cannot_be_saved_is_an_error_and_starts_over) {
  const auto a = join(request());
  advance(Millis(3'000));
  save_error = ErrorCode::coordinator_not_available;
  const auto leader = sync(*a->joined, {{a->joined->member_id, bytes("x")}});
  EXPECT_EQ(leader->synced.value().error, ErrorCode::coordinator_not_available);
  EXPECT_EQ(group->state(), Group::State::preparing_rebalance);
}

TEST_F(GroupTest, a_new_member_makes_the_others_join_again) {
  const JoinAnswer first = stable_leader();
  EXPECT_EQ(heartbeat(first), ErrorCode::none);
  const auto second = join(request());
  EXPECT_EQ(heartbeat(first), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(sync(first)->synced.value().error, ErrorCode::rebalance_in_progress);
  const auto again = join(request(first.member_id));
  ASSERT_TRUE(again->joined && second->joined);
  EXPECT_EQ(again->joined->generation, 2);
  EXPECT_EQ(second->joined->generation, 2);
  EXPECT_EQ(heartbeat(first), ErrorCode::illegal_generation);
}

TEST_F(GroupTest, who_does_not_join_again_in_time_is_dropped) {
  const JoinAnswer first = stable_leader();
  const auto second = join(request());
  for (int i = 0; i < 12; ++i) {
    advance(Millis(5'000));
    heartbeat(first);
  }
  ASSERT_TRUE(second->joined);
  EXPECT_EQ(second->joined->leader, second->joined->member_id);
  EXPECT_EQ(second->joined->members.size(), 1u);
  EXPECT_EQ(heartbeat(first), ErrorCode::unknown_member_id);
}

TEST_F(GroupTest, a_silent_member_is_dropped_after_its_session) {
  const JoinAnswer first = stable_leader();
  advance(Millis(9'999));
  EXPECT_EQ(heartbeat(first), ErrorCode::none);
  advance(Millis(10'000));
  EXPECT_EQ(heartbeat(first), ErrorCode::unknown_member_id);
  EXPECT_EQ(group->state(), Group::State::empty);
  EXPECT_EQ(group->check_commit({first.member_id, std::nullopt, 1}, now),
            ErrorCode::unknown_member_id);
}

TEST_F(GroupTest, a_leader_that_never_assigns_is_dropped_after_the_rebalance_timeout) {
  const auto a = join(request());
  const auto b = join(request());
  advance(Millis(6'000));
  const auto follower = sync(*b->joined);
  for (int i = 0; i < 12; ++i) {
    advance(Millis(5'000));
    heartbeat(*a->joined);
  }
  EXPECT_EQ(follower->synced.value().error, ErrorCode::rebalance_in_progress);
  EXPECT_EQ(heartbeat(*a->joined), ErrorCode::unknown_member_id);
}

TEST_F(GroupTest, a_follower_that_joins_again_unchanged_causes_no_rebalance) {
  const auto a = join(request());
  const auto b = join(request());
  advance(Millis(6'000));
  sync(*b->joined);
  sync(*a->joined);
  ASSERT_EQ(group->state(), Group::State::stable);
  const auto again = join(request(b->joined->member_id));
  EXPECT_EQ(again->joined.value().generation, 1);
  EXPECT_EQ(group->state(), Group::State::stable);
  JoinRequest changed = request(b->joined->member_id);
  changed.protocols[0].metadata = bytes("other topics");
  EXPECT_FALSE(join(changed)->joined);
  EXPECT_EQ(group->state(), Group::State::preparing_rebalance);
}

TEST_F(GroupTest, the_protocol_is_the_first_choice_of_most_that_all_know) {
  JoinRequest a = request();
  a.protocols = {{"sticky", {}}, {"range", {}}, {"roundrobin", {}}};
  JoinRequest b = request();
  b.protocols = {{"roundrobin", {}}, {"range", {}}};
  const auto first = join(a);
  const auto second = join(b);
  const auto third = join(b);
  advance(Millis(9'000));
  EXPECT_EQ(first->joined.value().protocol_name, "roundrobin");
}

TEST_F(GroupTest, who_offers_nothing_that_all_know_is_refused) {
  join(request());
  JoinRequest other = request();
  other.protocols = {{"roundrobin", {}}};
  EXPECT_EQ(join(other)->joined.value().error, ErrorCode::inconsistent_group_protocol);
  other = request();
  other.protocol_type = "connect";
  EXPECT_EQ(join(other)->joined.value().error, ErrorCode::inconsistent_group_protocol);
  other = request();
  other.session_timeout = Millis(5'999);
  EXPECT_EQ(join(other)->joined.value().error, ErrorCode::invalid_session_timeout);
}

TEST_F(GroupTest, a_group_that_is_full_takes_nobody_else) {
  options.size_max = 1;
  const JoinAnswer leader = stable_leader();
  EXPECT_EQ(join(request())->joined.value().error, ErrorCode::group_max_size_reached);
  EXPECT_EQ(heartbeat(leader), ErrorCode::none);
}

TEST_F(GroupTest, a_static_member_that_comes_back_keeps_its_assignment_without_a_rebalance) {
  const auto a = join_static("one");
  const auto b = join_static("two");
  advance(Millis(6'000));
  sync(*b->joined);
  sync(*a->joined, {{a->joined->member_id, bytes("x")}, {b->joined->member_id, bytes("y")}});
  const auto back = join_static("two");
  ASSERT_TRUE(back->joined);
  EXPECT_EQ(back->joined->error, ErrorCode::none);
  EXPECT_EQ(back->joined->generation, 1);
  EXPECT_NE(back->joined->member_id, b->joined->member_id);
  EXPECT_EQ(sync(*back->joined)->synced.value().assignment, bytes("y"));
  EXPECT_EQ(heartbeat(*a->joined), ErrorCode::none);
  EXPECT_EQ(group->heartbeat({b->joined->member_id, "two", 1}, now), ErrorCode::fenced_instance_id);
  EXPECT_EQ(group->check_commit({b->joined->member_id, "two", 1}, now),
            ErrorCode::fenced_instance_id);
}

TEST_F(GroupTest, a_static_leader_that_comes_back_does_not_assign_again) {
  const auto a = join_static("one");
  advance(Millis(3'000));
  sync(*a->joined, {{a->joined->member_id, bytes("x")}});
  const auto old_client = join_static("one");
  EXPECT_EQ(old_client->joined.value().leader, a->joined->member_id);
  EXPECT_TRUE(old_client->joined->members.empty());
  const auto new_client = join_static("one", true);
  EXPECT_EQ(new_client->joined.value().leader, new_client->joined->member_id);
  EXPECT_TRUE(new_client->joined->skip_assignment);
  EXPECT_EQ(new_client->joined->members.size(), 1u);
}

TEST_F(GroupTest, a_static_member_is_removed_by_its_name) {
  const auto a = join_static("one");
  advance(Millis(3'000));
  sync(*a->joined);
  EXPECT_EQ(group->leave({"", "nobody", -1}, now), ErrorCode::unknown_member_id);
  EXPECT_EQ(group->leave({"other", "one", -1}, now), ErrorCode::fenced_instance_id);
  EXPECT_EQ(group->leave({"", "one", -1}, now), ErrorCode::none);
  settle();
  EXPECT_FALSE(group->has_members());
}

TEST_F(GroupTest, a_leave_hands_the_rest_over_at_once) {
  const auto a = join(request());
  const auto b = join(request());
  advance(Millis(6'000));
  sync(*b->joined);
  sync(*a->joined);
  EXPECT_EQ(group->leave({a->joined->member_id, std::nullopt, -1}, now), ErrorCode::none);
  const auto again = join(request(b->joined->member_id));
  ASSERT_TRUE(again->joined);
  EXPECT_EQ(again->joined->leader, b->joined->member_id);
}

TEST_F(GroupTest, commits_need_the_right_member_and_generation) {
  EXPECT_EQ(group->check_commit({"", std::nullopt, -1}, now), ErrorCode::none);
  const JoinAnswer leader = stable_leader();
  EXPECT_EQ(group->check_commit({leader.member_id, std::nullopt, 1}, now), ErrorCode::none);
  EXPECT_EQ(group->check_commit({leader.member_id, std::nullopt, 0}, now),
            ErrorCode::illegal_generation);
  EXPECT_EQ(group->check_commit({"other", std::nullopt, 1}, now), ErrorCode::unknown_member_id);
  EXPECT_EQ(group->check_commit({"", std::nullopt, -1}, now), ErrorCode::unknown_member_id);
  EXPECT_EQ(group->check_transactional_commit({"", std::nullopt, -1}), ErrorCode::none);
  EXPECT_EQ(group->check_transactional_commit({leader.member_id, std::nullopt, 5}),
            ErrorCode::illegal_generation);
  join(request());
  EXPECT_EQ(group->check_commit({leader.member_id, std::nullopt, 1}, now), ErrorCode::none);
}

TEST_F(GroupTest, nobody_commits_between_join_and_assignment) {
  const auto a = join(request());
  advance(Millis(3'000));
  EXPECT_EQ(group->check_commit({a->joined->member_id, std::nullopt, 1}, now),
            ErrorCode::rebalance_in_progress);
}

TEST_F(GroupTest, a_restored_group_goes_on_where_it_was) {
  const JoinAnswer leader = stable_leader();
  group = std::make_unique<Group>("g", options, *last_saved, now);
  EXPECT_EQ(group->state(), Group::State::stable);
  EXPECT_EQ(heartbeat(leader), ErrorCode::none);
  EXPECT_EQ(sync(leader)->synced.value().assignment, bytes("all"));
  EXPECT_EQ(heartbeat({.generation = 2, .member_id = leader.member_id}),
            ErrorCode::illegal_generation);
  advance(Millis(10'000));
  EXPECT_EQ(group->state(), Group::State::empty);
}

TEST_F(GroupTest, the_topics_of_a_subscription_are_read_with_care) {
  const auto topics = subscribed_topics(subscription());
  ASSERT_TRUE(topics);
  EXPECT_EQ(*topics, std::vector<std::string>{"t"});
  EXPECT_FALSE(subscribed_topics(bytes("")));
  EXPECT_FALSE(subscribed_topics(bytes(std::string_view("\0\1\0\0\0\2\0\1t", 9))));
  EXPECT_FALSE(subscribed_topics(bytes(std::string_view("\0\1\xff\xff\xff\xff", 6))));
}

// A record that no append takes would be refused again and again, for all members.
TEST_F(GroupTest, what_members_bring_along_has_a_size_and_who_is_refused_disturbs_nobody) {
  const auto with = [&](std::size_t size, std::string member_id = {}) {
    JoinRequest asked = request(std::move(member_id));
    asked.protocols = {{"range", Buffer(size)}};
    return asked;
  };
  const JoinAnswer leader = stable_leader();
  EXPECT_EQ(join(with(Group::kMemberSizeMax))->joined.value().error, ErrorCode::invalid_request);
  EXPECT_EQ(group->heartbeat({leader.member_id, std::nullopt, leader.generation}, now),
            ErrorCode::none);
  const std::size_t large = Group::kMemberSizeMax - 1'000;
  std::vector<std::shared_ptr<Seen>> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(join(with(large)));
  for (const auto& seen : waiting) EXPECT_FALSE(seen->joined) << "it waits for the leader";
  EXPECT_EQ(join(with(large))->joined.value().error, ErrorCode::group_max_size_reached);
  EXPECT_FALSE(join(with(10))->joined) << "there is room for this one";
  // What a member had before it may bring again.
  const auto again = join(request(leader.member_id));
  EXPECT_EQ(again->joined.value().error, ErrorCode::none);
}

TEST_F(GroupTest, assignments_have_a_size) {
  const auto seen = join(request());
  advance(options.initial_rebalance_delay);
  const JoinAnswer leader = seen->joined.value();
  const auto refused = sync(leader, {{leader.member_id, Buffer(Group::kAssignmentsSizeMax + 1)}});
  EXPECT_EQ(refused->synced.value().error, ErrorCode::invalid_request);
  const auto taken = sync(leader, {{leader.member_id, Buffer(Group::kAssignmentsSizeMax)}});
  EXPECT_EQ(taken->synced.value().error, ErrorCode::none);
}

}  // namespace group_test
}  // namespace adbrook::broker
