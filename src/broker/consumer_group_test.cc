#include "broker/consumer_group.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/topic_pattern.h"

namespace adbrook::broker {
namespace consumer_group_test {

constexpr Uuid kT{1, 1};
constexpr Uuid kU{1, 2};
constexpr Timestamp kWall{1'700'000'000'000};

using Answer = ConsumerHeartbeatAnswer;
using Parts = std::set<std::int32_t>;

// One group whose saves succeed, fail or wait as the test says.
class ConsumerGroupTest : public testing::Test {
 protected:
  std::shared_ptr<std::optional<Answer>> start(ConsumerHeartbeat request) {
    auto told = std::make_shared<std::optional<Answer>>();
    request.client_id = "app";
    group->heartbeat(std::move(request), catalog, now, [told](Answer answer) { *told = answer; });
    settle();
    return told;
  }
  Answer ask(ConsumerHeartbeat request) {
    const auto told = start(std::move(request));
    EXPECT_TRUE(*told) << "it is not answered";
    return told->value_or(Answer{});
  }
  static ConsumerHeartbeat join_request(const std::string& id,
                                        std::vector<std::string> topics = {"t"}) {
    return {.member_id = id,
            .epoch = kJoinEpoch,
            .rebalance_timeout = Millis(60'000),
            .topics = std::move(topics),
            .owned = PartitionSet{}};
  }
  Answer join(const std::string& id, std::vector<std::string> topics = {"t"}) {
    return ask(join_request(id, std::move(topics)));
  }
  Answer beat(const std::string& id, std::int32_t epoch,
              std::optional<PartitionSet> owned = std::nullopt) {
    return ask({.member_id = id, .epoch = epoch, .owned = std::move(owned)});
  }
  Answer leave(const std::string& id, std::int32_t epoch = kLeaveEpoch,
               std::optional<std::string> instance = std::nullopt) {
    return ask({.member_id = id, .epoch = epoch, .instance_id = std::move(instance)});
  }
  static ConsumerHeartbeat static_request(const std::string& id, const std::string& instance) {
    ConsumerHeartbeat request = join_request(id);
    request.instance_id = instance;
    return request;
  }
  void settle() {
    for (bool more = true; more;) {
      auto answers = group->take_answers();
      more = !answers.empty();
      for (auto& answer : answers) answer();
      if (hold_saves) continue;
      if (auto unsaved = group->take_unsaved(kWall)) {
        if (save_error == ErrorCode::none) keep(*unsaved);
        group->saved(unsaved->token, save_error);
        more = true;
      }
    }
  }
  void keep(const ConsumerGroup::Unsaved& unsaved) {
    if (unsaved.group) {
      auto members = std::move(saved.members);
      saved = *unsaved.group;
      saved.members = std::move(members);
    }
    const auto forget = [&](const std::string& id) {
      std::erase_if(saved.members, [&](const ConsumerMember& m) { return m.member_id == id; });
    };
    for (const std::string& id : unsaved.gone) forget(id);
    for (const ConsumerMember& member : unsaved.members) {
      forget(member.member_id);
      saved.members.push_back(member);
    }
  }
  void restart() { group = std::make_unique<ConsumerGroup>("g", options, saved, now); }
  void advance(Millis by) {
    now += by;
    group->tick(now);
    settle();
  }
  void set_topics(TopicCatalog topics) {
    catalog = std::make_shared<const TopicCatalog>(std::move(topics));
  }

  GroupOptions options;
  Nanos now{0};
  TopicCatalogPtr catalog =
      std::make_shared<const TopicCatalog>(TopicCatalog{{"t", {kT, 4}}, {"u", {kU, 2}}});
  bool hold_saves = false;
  ErrorCode save_error = ErrorCode::none;
  ConsumerGroupSnapshot saved;
  std::unique_ptr<ConsumerGroup> group = std::make_unique<ConsumerGroup>("g", options, kWall);
};

TEST_F(ConsumerGroupTest, the_first_member_gets_everything_at_once) {
  const Answer told = join("a");
  EXPECT_EQ(told.error, ErrorCode::none) << told.message;
  EXPECT_EQ(told.member_id, "a");
  EXPECT_EQ(told.epoch, 1);
  EXPECT_EQ(told.assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
  EXPECT_EQ(group->state_name(), "Stable");
  EXPECT_EQ(beat("a", 1).assignment, std::nullopt) << "nothing changed";
}

TEST_F(ConsumerGroupTest, a_partition_moves_when_its_owner_has_let_go) {
  join("a");
  const Answer second = join("b");
  EXPECT_EQ(second.epoch, 2);
  EXPECT_EQ(second.assignment, PartitionSet{}) << "they are not released";
  EXPECT_EQ(group->state_name(), "Reconciling");
  const Answer revoked = beat("a", 1);
  EXPECT_EQ(revoked.assignment, (PartitionSet{{kT, {0, 1}}}));
  EXPECT_EQ(revoked.epoch, 1) << "it stays until it has let go";
  EXPECT_EQ(beat("b", 2).assignment, std::nullopt);
  EXPECT_EQ(beat("a", 1, PartitionSet{{kT, {0, 1, 2}}}).epoch, 1) << "it has 2 still";
  EXPECT_EQ(beat("a", 1, PartitionSet{{kT, {0, 1}}}).epoch, 2);
  EXPECT_EQ(beat("b", 2).assignment, (PartitionSet{{kT, {2, 3}}}));
  EXPECT_EQ(group->state_name(), "Stable");
}

TEST_F(ConsumerGroupTest, who_does_not_let_go_in_time_is_thrown_out) {
  join("a");
  join("b");
  beat("a", 1);
  for (int i = 0; i < 5; ++i) {
    advance(Millis(12'000));
    if (i < 4) {
      EXPECT_EQ(beat("a", 1).error, ErrorCode::none);
    }
    beat("b", 2);
  }
  EXPECT_EQ(beat("a", 1).error, ErrorCode::unknown_member_id);
  EXPECT_EQ(beat("b", 3).assignment, std::nullopt) << "it was told by its own heartbeat";
  EXPECT_EQ(group->snapshot().members.at(0).assigned, (PartitionSet{{kT, {0, 1, 2, 3}}}));
}

TEST_F(ConsumerGroupTest, who_is_not_heard_of_is_thrown_out) {
  join("a");
  join("b");
  advance(Millis(44'000));
  beat("b", 2);
  advance(Millis(1'000));
  EXPECT_EQ(beat("b", 2).assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
  EXPECT_EQ(beat("a", 1).error, ErrorCode::unknown_member_id);
  advance(Millis(45'000));
  EXPECT_EQ(group->state_name(), "Empty");
  EXPECT_FALSE(group->next_deadline());
}

TEST_F(ConsumerGroupTest, a_leaver_frees_its_partitions_at_once) {
  join("a");
  join("b");
  beat("a", 1);
  const Answer left = leave("a");
  EXPECT_EQ(left.error, ErrorCode::none);
  EXPECT_EQ(left.epoch, kLeaveEpoch);
  EXPECT_EQ(beat("b", 2).assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
  EXPECT_EQ(leave("a").error, ErrorCode::unknown_member_id);
}

TEST_F(ConsumerGroupTest, epochs_that_are_not_its_own_fence_a_member) {
  join("a");
  EXPECT_EQ(beat("a", 2).error, ErrorCode::fenced_member_epoch);
  EXPECT_EQ(beat("x", 1).error, ErrorCode::unknown_member_id);
  join("b");
  beat("a", 1);
  beat("a", 1, PartitionSet{{kT, {0, 1}}});
  EXPECT_EQ(beat("a", 1).error, ErrorCode::fenced_member_epoch) << "it does not say what it has";
  EXPECT_EQ(beat("a", 1, PartitionSet{{kT, {0, 2}}}).error, ErrorCode::fenced_member_epoch);
  const Answer again = beat("a", 1, PartitionSet{{kT, {0, 1}}});
  EXPECT_EQ(again.error, ErrorCode::none) << "the answer was lost";
  EXPECT_EQ(again.epoch, 2);
  EXPECT_EQ(join("a").assignment, (PartitionSet{{kT, {0, 1}}})) << "it begins anew";
}

// Its full request has no names: a subscription is by names or by a pattern.
TEST_F(ConsumerGroupTest, a_member_by_pattern_that_missed_an_answer_is_told_again) {
  const auto by_pattern = [](std::int32_t epoch, PartitionSet owned) {
    return ConsumerHeartbeat{.member_id = "a",
                             .epoch = epoch,
                             .rebalance_timeout = Millis(60'000),
                             .pattern = "t",
                             .owned = std::move(owned)};
  };
  const PartitionSet all{{kT, {0, 1, 2, 3}}};
  EXPECT_EQ(ask(by_pattern(kJoinEpoch, {})).assignment, all);
  join("b");
  ask(by_pattern(1, all));  // its answer is lost
  const Answer again = ask(by_pattern(1, all));
  EXPECT_EQ(again.error, ErrorCode::none);
  EXPECT_EQ(again.assignment, (PartitionSet{{kT, {0, 1}}}));
  EXPECT_EQ(beat("a", 1, PartitionSet{{kT, {0, 1}}}).epoch, 2);
  // One that says nothing of its subscription, but has not heard of its epoch.
  const Answer late = beat("a", 1, PartitionSet{{kT, {0, 1}}});
  EXPECT_EQ(late.epoch, 2);
  EXPECT_EQ(late.assignment, (PartitionSet{{kT, {0, 1}}}));
}

TEST_F(ConsumerGroupTest, subscriptions_have_a_size_and_who_is_refused_disturbs_nobody) {
  const auto names = [](std::size_t count) {
    std::vector<std::string> topics{"t"};
    for (std::size_t i = 0; i < count; ++i)
      topics.push_back(std::to_string(i) + std::string(240, 'x'));
    return topics;
  };
  join("good");
  const auto refused = join("large", names(140'000));
  EXPECT_EQ(refused.error, ErrorCode::invalid_request);
  EXPECT_NE(refused.message.find("1048576"), std::string::npos) << refused.message;
  EXPECT_EQ(group->member_ids(), std::vector<std::string>{"good"});
  EXPECT_EQ(beat("good", 1).error, ErrorCode::none);
  std::size_t joined = 0;
  while (joined < 20 && join("m" + std::to_string(joined), names(4'000)).error == ErrorCode::none)
    ++joined;
  EXPECT_EQ(joined, 8U);
  EXPECT_EQ(join("small").error, ErrorCode::none) << "there is room for this one";
  ConsumerHeartbeat more = join_request("small", names(4'000));
  EXPECT_EQ(ask(more).error, ErrorCode::group_max_size_reached);
  EXPECT_EQ(join("m0", names(3'990)).error, ErrorCode::none) << "its own size counts once";
  leave("m0");
  EXPECT_EQ(ask(more).error, ErrorCode::none);
  restart();
  EXPECT_EQ(join("late", names(4'000)).error, ErrorCode::group_max_size_reached);
}

TEST_F(ConsumerGroupTest, a_static_member_that_is_away_keeps_its_partitions) {
  const Answer first = ask(static_request("a1", "a"));
  EXPECT_EQ(first.assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
  EXPECT_EQ(ask(static_request("a2", "a")).error, ErrorCode::unreleased_instance_id);
  EXPECT_EQ(leave("a1", kAwayEpoch, "a").epoch, kAwayEpoch);
  const auto epoch = group->snapshot().epoch;
  const Answer back = ask(static_request("a2", "a"));
  EXPECT_EQ(back.assignment, first.assignment);
  EXPECT_EQ(back.epoch, first.epoch);
  EXPECT_EQ(group->snapshot().epoch, epoch) << "nothing is dealt out anew";
  ConsumerHeartbeat zombie{.member_id = "a1", .epoch = 1, .instance_id = "a"};
  EXPECT_EQ(ask(zombie).error, ErrorCode::fenced_instance_id);
  EXPECT_EQ(leave("a1", kLeaveEpoch, "a").error, ErrorCode::fenced_instance_id);
  zombie.instance_id = "other";
  EXPECT_EQ(ask(zombie).error, ErrorCode::unknown_member_id);
  restart();
  EXPECT_EQ(beat("a2", 1).error, ErrorCode::none);
}

TEST_F(ConsumerGroupTest, a_static_member_that_stays_away_loses_its_place) {
  ask(static_request("a1", "a"));
  leave("a1", kAwayEpoch, "a");
  const MemberClaim away{.member_id = "a1", .generation = kAwayEpoch};
  EXPECT_EQ(group->check_commit(away, ConsumerGroup::Request::with_epoch),
            ErrorCode::stale_member_epoch);
  EXPECT_EQ(group->check_fetch(away), ErrorCode::stale_member_epoch);
  EXPECT_EQ(group->check_transactional_commit(away), ErrorCode::illegal_generation);
  join("b");
  advance(Millis(45'000));
  EXPECT_FALSE(group->has_members());
  EXPECT_EQ(ask(static_request("a2", "a")).assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
}

TEST_F(ConsumerGroupTest, topics_that_grow_or_come_begin_a_new_epoch) {
  join("a", {"t", "later"});
  set_topics({{"t", {kT, 6}}});
  const Answer grown = beat("a", 1);
  EXPECT_EQ(grown.epoch, 2);
  EXPECT_EQ(grown.assignment, (PartitionSet{{kT, {0, 1, 2, 3, 4, 5}}}));
  set_topics({{"t", {kT, 6}}, {"later", {kU, 1}}});
  EXPECT_EQ(beat("a", 2).assignment, (PartitionSet{{kT, {0, 1, 2, 3, 4, 5}}, {kU, {0}}}));
  restart();
  EXPECT_EQ(beat("a", 3).epoch, 3) << "the same topics are no change after a restart";
  set_topics({{"later", {kU, 1}}});
  EXPECT_EQ(beat("a", 3, PartitionSet{{kU, {0}}}).assignment, (PartitionSet{{kU, {0}}}));
}

TEST_F(ConsumerGroupTest, a_pattern_subscribes_to_what_it_matches_as_a_whole) {
  ConsumerHeartbeat request = join_request("a");
  request.topics = std::nullopt;
  request.pattern = "[tu]";
  EXPECT_EQ(ask(request).assignment, (PartitionSet{{kT, {0, 1, 2, 3}}, {kU, {0, 1}}}));
  set_topics({{"t", {kT, 1}}, {"tu", {kU, 1}}});
  EXPECT_EQ(beat("a", 1, PartitionSet{}).assignment, (PartitionSet{{kT, {0}}}));
  ConsumerHeartbeat other{.member_id = "a", .epoch = 2, .pattern = "t.*"};
  EXPECT_EQ(ask(other).assignment, (PartitionSet{{kT, {0}}, {kU, {0}}}));
  request.pattern = "(";
  EXPECT_EQ(ask(request).error, ErrorCode::invalid_regular_expression);
  request.pattern = std::string(TopicPattern::kSizeMax + 1, 'a');
  EXPECT_EQ(ask(request).error, ErrorCode::invalid_regular_expression);
}

TEST_F(ConsumerGroupTest, who_missed_an_answer_is_told_its_assignment_again) {
  ConsumerHeartbeat by_pattern = join_request("a");
  by_pattern.topics = std::nullopt;
  by_pattern.pattern = "t";
  ask(by_pattern);
  join("b");
  EXPECT_EQ(beat("a", 1).assignment, (PartitionSet{{kT, {0, 1}}})) << "this one is lost";
  by_pattern.epoch = 1;
  by_pattern.owned = PartitionSet{{kT, {0, 1, 2, 3}}};
  EXPECT_EQ(ask(by_pattern).assignment, (PartitionSet{{kT, {0, 1}}}));
  EXPECT_EQ(beat("a", 1, PartitionSet{{kT, {0, 1}}}).epoch, 2) << "and this one";
  const Answer again = beat("a", 1, PartitionSet{{kT, {0, 1}}});
  EXPECT_EQ(again.assignment, (PartitionSet{{kT, {0, 1}}})) << "its epoch says so";
  EXPECT_EQ(beat("a", 2, PartitionSet{{kT, {0, 1}}}).assignment, std::nullopt);
}

TEST_F(ConsumerGroupTest, most_members_choose_the_assignor) {
  ConsumerHeartbeat request = join_request("a");
  request.assignor = "range";
  ask(request);
  EXPECT_EQ(group->snapshot().assignor, "range");
  request = join_request("b");
  request.assignor = "uniform";
  ask(request);
  EXPECT_EQ(group->snapshot().assignor, "uniform");
  request.assignor = "sticky";
  EXPECT_EQ(ask(request).error, ErrorCode::unsupported_assignor);
}

TEST_F(ConsumerGroupTest, requests_that_make_no_sense_are_refused_with_a_reason) {
  const auto refused = [&](ConsumerHeartbeat request) {
    const Answer told = ask(std::move(request));
    EXPECT_FALSE(told.message.empty());
    return told.error == ErrorCode::invalid_request;
  };
  ConsumerHeartbeat request = join_request("a");
  request.owned = std::nullopt;
  EXPECT_TRUE(refused(request));
  request.owned = PartitionSet{{kT, {0}}};
  EXPECT_TRUE(refused(request));
  request = join_request("a", {});
  EXPECT_TRUE(refused(request));
  request = join_request("a");
  request.rebalance_timeout = std::nullopt;
  EXPECT_TRUE(refused(request));
  EXPECT_TRUE(refused(join_request("")));
  EXPECT_TRUE(refused({.member_id = "a", .epoch = -3}));
  EXPECT_TRUE(refused({.member_id = "a", .epoch = kAwayEpoch}));
  EXPECT_FALSE(group->has_members());
  options.size_max = 1;
  join("a");
  EXPECT_EQ(join("b").error, ErrorCode::group_max_size_reached);
  EXPECT_EQ(join("a").error, ErrorCode::none);
}

TEST_F(ConsumerGroupTest, nothing_is_told_before_it_is_durable) {
  hold_saves = true;
  const auto joined = start(join_request("a"));
  EXPECT_FALSE(*joined);
  const auto other = start(join_request("b"));
  EXPECT_FALSE(*other);
  hold_saves = false;
  settle();
  ASSERT_TRUE(*joined && *other);
  EXPECT_EQ((*joined)->assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
  EXPECT_EQ(saved.members.size(), 2u);
}

TEST_F(ConsumerGroupTest, a_save_that_failed_is_tried_again_by_the_next_request) {
  save_error = ErrorCode::coordinator_not_available;
  EXPECT_EQ(join("a").error, ErrorCode::coordinator_not_available);
  EXPECT_TRUE(saved.members.empty());
  save_error = ErrorCode::none;
  EXPECT_EQ(join("a").epoch, 1);
  save_error = ErrorCode::coordinator_not_available;
  EXPECT_EQ(leave("a").error, ErrorCode::coordinator_not_available);
  save_error = ErrorCode::none;
  EXPECT_EQ(join("b").assignment, (PartitionSet{{kT, {0, 1, 2, 3}}}));
  EXPECT_EQ(saved.members.size(), 1u);
}

TEST_F(ConsumerGroupTest, members_go_on_after_a_restart) {
  join("a");
  join("b");
  beat("a", 1);
  restart();
  EXPECT_EQ(group->state_name(), "Reconciling");
  EXPECT_EQ(beat("a", 1, PartitionSet{{kT, {0, 1}}}).epoch, 2);
  EXPECT_EQ(beat("b", 2).assignment, (PartitionSet{{kT, {2, 3}}}));
  restart();
  EXPECT_EQ(group->state_name(), "Stable");
  advance(Millis(45'000));
  EXPECT_FALSE(group->has_members());
  EXPECT_TRUE(saved.members.empty());
}

TEST_F(ConsumerGroupTest, a_record_left_behind_costs_nobody_its_partitions) {
  join("a");
  ask(static_request("s2", "s"));
  beat("a", 1);
  beat("a", 1, PartitionSet{{kT, {0, 1}}});
  const auto held = beat("s2", 2).assignment;
  EXPECT_EQ(held, (PartitionSet{{kT, {2, 3}}}));
  ConsumerMember ghost{.member_id = "0", .epoch = 1, .assigned = {{kT, {0, 2}}}};
  saved.members.push_back(ghost);
  ghost = {.member_id = "s1", .instance_id = "s", .epoch = 1};
  saved.members.push_back(ghost);
  ghost = {.member_id = "1", .epoch = 1, .assigned = {{kU, {0}}}, .revoking = {{kU, {0}}}};
  saved.members.push_back(ghost);
  restart();
  EXPECT_EQ(group->member_ids(), (std::vector<std::string>{"a", "s2"}));
  EXPECT_EQ(beat("0", 1).error, ErrorCode::unknown_member_id);
  EXPECT_EQ(beat("a", 2, PartitionSet{{kT, {0, 1}}}).error, ErrorCode::none);
  EXPECT_EQ(beat("s2", 2, held).error, ErrorCode::none);
  EXPECT_EQ(saved.members.size(), 2u) << "the records are deleted";
  EXPECT_EQ(group->state_name(), "Stable");
}

TEST_F(ConsumerGroupTest, offsets_are_committed_by_members_of_this_epoch) {
  using Request = ConsumerGroup::Request;
  EXPECT_EQ(group->check_commit({}, Request::older), ErrorCode::none) << "it is empty";
  join("a");
  const MemberClaim mine{.member_id = "a", .generation = 1};
  const MemberClaim stale{.member_id = "a", .generation = 0};
  EXPECT_EQ(group->check_commit(mine, Request::with_epoch), ErrorCode::none);
  EXPECT_EQ(group->check_commit(mine, Request::older), ErrorCode::unsupported_version);
  EXPECT_EQ(group->check_commit(stale, Request::with_epoch), ErrorCode::stale_member_epoch);
  EXPECT_EQ(group->check_commit({}, Request::with_epoch), ErrorCode::unknown_member_id);
  EXPECT_EQ(group->check_fetch({}), ErrorCode::none);
  EXPECT_EQ(group->check_fetch(mine), ErrorCode::none);
  EXPECT_EQ(group->check_fetch(stale), ErrorCode::stale_member_epoch);
  EXPECT_EQ(group->check_transactional_commit({}), ErrorCode::none);
  EXPECT_EQ(group->check_transactional_commit(mine), ErrorCode::none);
  EXPECT_EQ(group->check_transactional_commit(stale), ErrorCode::illegal_generation);
}

TEST_F(ConsumerGroupTest, nobody_commits_for_a_member_that_is_away) {
  ask(static_request("a1", "a"));
  leave("a1", kAwayEpoch, "a");
  const MemberClaim away{.member_id = "a1", .instance_id = "a", .generation = kAwayEpoch};
  EXPECT_EQ(group->check_commit(away, ConsumerGroup::Request::with_epoch),
            ErrorCode::stale_member_epoch);
  EXPECT_EQ(group->check_fetch(away), ErrorCode::stale_member_epoch);
  EXPECT_EQ(group->check_transactional_commit(away), ErrorCode::illegal_generation);
}

TEST_F(ConsumerGroupTest, an_administrator_takes_members_out) {
  join("a");
  ask(static_request("s1", "s"));
  EXPECT_EQ(group->remove({.member_id = "x"}), ErrorCode::unknown_member_id);
  EXPECT_EQ(group->remove({.member_id = "a", .instance_id = "s"}), ErrorCode::fenced_instance_id);
  EXPECT_EQ(group->remove({.member_id = "", .instance_id = "s"}), ErrorCode::none);
  EXPECT_EQ(group->remove({.member_id = "a"}), ErrorCode::none);
  EXPECT_FALSE(group->has_members());
}

}  // namespace consumer_group_test
}  // namespace adbrook::broker
