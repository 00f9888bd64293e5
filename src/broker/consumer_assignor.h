// How the partitions of a group's topics are dealt out among its members, by the server (KIP-848).
// Pure functions of who subscribes to what and who has what already.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace adbrook::broker {

// Partitions, by the id of their topic. No topic is there with none of its partitions.
using PartitionSet = std::map<Uuid, std::set<std::int32_t>>;

// Shared by members who subscribe to the same: they are looked at as one.
using TopicIds = std::shared_ptr<const std::set<Uuid>>;

struct AssignorMember {
  std::string_view name;  // decides between equals: the instance id of a static member, else its id
  TopicIds topics;
  const PartitionSet* held;  // as it was dealt out the last time
};

// What members point to outlives it.
struct AssignorInput {
  std::vector<AssignorMember> members;
  std::map<Uuid, std::int32_t> partition_counts;  // of every topic that somebody subscribes to
};

// In the order of `AssignorInput::members`. Every partition of a topic that somebody subscribes to
// is given once, to a subscriber.
using Dealt = std::vector<PartitionSet>;

// As many for each as can be, moving no partition that need not move. Where all subscribe to the
// same topics the numbers differ by one at most.
Dealt deal_uniformly(const AssignorInput& input);
// Of each topic a run of neighbours for each, in the order of their names: the same numbers of two
// topics come to the same member.
Dealt deal_in_ranges(const AssignorInput& input);

// Null when there is no assignor of this name.
using Assignor = Dealt (*)(const AssignorInput&);
inline constexpr std::string_view kUniform = "uniform";
inline constexpr std::string_view kRange = "range";
Assignor find_assignor(std::string_view name);

}  // namespace adbrook::broker
