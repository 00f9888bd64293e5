#include "broker/consumer_assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "io/test_seed.h"

namespace adbrook::broker {
namespace consumer_assignor_test {

constexpr Uuid kT{1, 1};
constexpr Uuid kU{1, 2};

// Who a member is and what it has, as long as the test runs.
class World {
 public:
  AssignorMember member(std::string name, std::set<Uuid> topics, PartitionSet held = {}) {
    names_.push_back(std::move(name));
    return {.name = names_.back(),
            .topics = std::make_shared<const std::set<Uuid>>(std::move(topics)),
            .held = hold(std::move(held))};
  }
  const PartitionSet* hold(PartitionSet held) {
    held_.push_back(std::move(held));
    return &held_.back();
  }

 private:
  std::deque<std::string> names_;
  std::deque<PartitionSet> held_;
};

std::size_t load(const PartitionSet& set) {
  std::size_t sum = 0;
  for (const auto& [topic, partitions] : set) sum += partitions.size();
  return sum;
}

// Every partition of a topic with subscribers once, and only to a subscriber.
void expect_whole(const AssignorInput& input, const Dealt& dealt) {
  ASSERT_EQ(dealt.size(), input.members.size());
  std::map<Uuid, std::set<std::int32_t>> given;
  for (std::size_t i = 0; i < dealt.size(); ++i)
    for (const auto& [topic, partitions] : dealt[i]) {
      EXPECT_TRUE(input.members[i].topics->contains(topic)) << "given to nobody who wants it";
      EXPECT_FALSE(partitions.empty());
      for (const std::int32_t p : partitions)
        EXPECT_TRUE(given[topic].insert(p).second) << "given twice";
    }
  for (const auto& [topic, count] : input.partition_counts) {
    const bool wanted = std::ranges::any_of(
        input.members, [&](const AssignorMember& m) { return m.topics->contains(topic); });
    EXPECT_EQ(given[topic].size(), wanted ? static_cast<std::size_t>(count) : 0u);
  }
}

TEST(ConsumerAssignor, there_are_two) {
  EXPECT_EQ(find_assignor("uniform"), &deal_uniformly);
  EXPECT_EQ(find_assignor("range"), &deal_in_ranges);
  EXPECT_EQ(find_assignor("sticky"), nullptr);
}

TEST(ConsumerAssignor, ranges_are_neighbours_and_the_same_numbers_of_all_topics) {
  World world;
  const AssignorInput input{.members = {world.member("b", {kT, kU}), world.member("a", {kT, kU})},
                            .partition_counts = {{kT, 5}, {kU, 5}}};
  const Dealt dealt = deal_in_ranges(input);
  EXPECT_EQ(dealt[1], (PartitionSet{{kT, {0, 1, 2}}, {kU, {0, 1, 2}}}));
  EXPECT_EQ(dealt[0], (PartitionSet{{kT, {3, 4}}, {kU, {3, 4}}}));
}

TEST(ConsumerAssignor, who_comes_later_takes_no_more_than_its_share) {
  World world;
  AssignorInput input{.members = {world.member("a", {kT}, {{kT, {0, 1, 2, 3}}})},
                      .partition_counts = {{kT, 4}}};
  input.members.push_back(world.member("b", {kT}));
  const Dealt dealt = deal_uniformly(input);
  EXPECT_EQ(dealt[0], (PartitionSet{{kT, {0, 1}}}));
  EXPECT_EQ(dealt[1], (PartitionSet{{kT, {2, 3}}}));
}

TEST(ConsumerAssignor, who_has_too_few_choices_is_served_first) {
  World world;
  const AssignorInput input{.members = {world.member("a", {kT, kU}), world.member("b", {kU})},
                            .partition_counts = {{kT, 3}, {kU, 3}}};
  const Dealt dealt = deal_uniformly(input);
  EXPECT_EQ(dealt[0], (PartitionSet{{kT, {0, 1, 2}}}));
  EXPECT_EQ(dealt[1], (PartitionSet{{kU, {0, 1, 2}}}));
}

TEST(ConsumerAssignor, topics_that_are_gone_and_partitions_that_are_double_are_dropped) {
  World world;
  const AssignorInput input{.members = {world.member("a", {kT}, {{kT, {0, 7}}, {kU, {0}}}),
                                        world.member("b", {kT}, {{kT, {0, 1}}})},
                            .partition_counts = {{kT, 2}}};
  const Dealt dealt = deal_uniformly(input);
  expect_whole(input, dealt);
  EXPECT_EQ(dealt[0], (PartitionSet{{kT, {0}}}));
}

TEST(ConsumerAssignor, nobody_and_nothing_are_fine) {
  World world;
  for (const Assignor assignor : {&deal_uniformly, &deal_in_ranges}) {
    EXPECT_TRUE(assignor({}).empty());
    const AssignorInput lone{.members = {world.member("a", {})}, .partition_counts = {{kT, 3}}};
    expect_whole(lone, assignor(lone));
  }
}

// Groups that change at random, each dealt out from what it had before.
TEST(ConsumerAssignor, whatever_members_want_all_is_given_once_and_evenly) {
  for (const std::uint64_t seed : io::test_seeds(100)) {
    SCOPED_TRACE(io::seed_note(seed));
    io::SeededRandom random(seed);
    const bool all_alike = random.below(2) == 0;
    World world;
    AssignorInput input;
    for (std::uint64_t t = 0; t < 1 + random.below(5); ++t)
      input.partition_counts[Uuid{7, t}] = static_cast<std::int32_t>(random.below(12));
    for (int round = 0; round < 30; ++round) {
      if (input.members.empty() || random.below(2) == 0) {
        std::set<Uuid> topics;
        for (const auto& [topic, count] : input.partition_counts)
          if (all_alike || random.below(2) == 0) topics.insert(topic);
        AssignorMember added = world.member("m" + std::to_string(random.below(1'000)), topics);
        // Members with the same wishes may share them, or not.
        for (const AssignorMember& other : input.members)
          if (*other.topics == topics && random.below(2) == 0) added.topics = other.topics;
        input.members.push_back(std::move(added));
      } else {
        input.members.erase(input.members.begin() +
                            static_cast<std::ptrdiff_t>(random.below(input.members.size())));
      }
      expect_whole(input, deal_in_ranges(input));
      const Dealt dealt = deal_uniformly(input);
      expect_whole(input, dealt);
      std::size_t least = SIZE_MAX;
      std::size_t most = 0;
      for (std::size_t i = 0; i < dealt.size(); ++i) {
        least = std::min(least, load(dealt[i]));
        most = std::max(most, load(dealt[i]));
        input.members[i].held = world.hold(dealt[i]);
      }
      if (all_alike && !dealt.empty()) {
        EXPECT_LE(most, least + 1);
      }
      EXPECT_EQ(deal_uniformly(input), dealt) << "nothing moves without a reason";
    }
  }
}

}  // namespace consumer_assignor_test
}  // namespace adbrook::broker
