#include "broker/consumer_assignor.h"

#include <algorithm>

namespace adbrook::broker {
namespace {

// Members by how much they have, the one with the least first; equals by their name.
class ByLoad {
 public:
  ByLoad(const std::vector<AssignorMember>& members, const std::vector<std::size_t>& loads)
      : members_(members), loads_(loads), order_(Less{this}) {}

  void add(std::size_t member) { order_.insert(member); }
  bool empty() const { return order_.empty(); }
  std::size_t least() const { return *order_.begin(); }
  std::size_t most() const { return *order_.rbegin(); }
  void remove(std::size_t member) { order_.erase(member); }

 private:
  struct Less {
    const ByLoad* of;
    bool operator()(std::size_t a, std::size_t b) const {
      if (of->loads_[a] != of->loads_[b]) return of->loads_[a] < of->loads_[b];
      return std::tie(of->members_[a].name, a) < std::tie(of->members_[b].name, b);
    }
  };
  const std::vector<AssignorMember>& members_;
  const std::vector<std::size_t>& loads_;
  std::set<std::size_t, Less> order_;
};

class Uniform {
 public:
  explicit Uniform(const AssignorInput& input)
      : input_(input), dealt_(input.members.size()), loads_(input.members.size()) {}

  Dealt deal() {
    keep_held();
    // Topics with few subscribers first: theirs is the smaller choice.
    std::vector<Uuid> topics;
    for (const auto& [topic, count] : input_.partition_counts)
      if (!subscribers(topic).empty()) topics.push_back(topic);
    std::ranges::stable_sort(topics, {}, [&](Uuid topic) { return subscribers(topic).size(); });
    for (const Uuid topic : topics) deal_rest(topic);
    // Each move makes the sum of squares smaller, so this ends.
    for (bool moved = true; moved;) {
      moved = false;
      for (const Uuid topic : topics) moved |= even_out(topic);
    }
    for (PartitionSet& set : dealt_)
      std::erase_if(set, [](const auto& entry) { return entry.second.empty(); });
    return std::move(dealt_);
  }

 private:
  const std::vector<std::size_t>& subscribers(Uuid topic) {
    const auto [found, fresh] = subscribers_.try_emplace(topic);
    if (fresh)
      for (std::size_t i = 0; i < input_.members.size(); ++i)
        if (input_.members[i].topics.contains(topic)) found->second.push_back(i);
    return found->second;
  }

  void give(std::size_t member, Uuid topic, std::int32_t partition) {
    dealt_[member][topic].insert(partition);
    ++loads_[member];
  }

  void keep_held() {
    for (std::size_t i = 0; i < input_.members.size(); ++i)
      for (const auto& [topic, partitions] : input_.members[i].held) {
        const auto count = input_.partition_counts.find(topic);
        if (count == input_.partition_counts.end() || !input_.members[i].topics.contains(topic))
          continue;
        for (const std::int32_t partition : partitions)
          if (partition < count->second && taken_[topic].insert(partition).second)
            give(i, topic, partition);
      }
  }

  void deal_rest(Uuid topic) {
    ByLoad order(input_.members, loads_);
    for (const std::size_t member : subscribers(topic)) order.add(member);
    const std::set<std::int32_t>& taken = taken_[topic];
    for (std::int32_t p = 0; p < input_.partition_counts.at(topic); ++p) {
      if (taken.contains(p)) continue;
      const std::size_t member = order.least();
      order.remove(member);
      give(member, topic, p);
      order.add(member);
    }
  }

  // Moves partitions of this topic from who has the most to who has the least of all topics.
  bool even_out(Uuid topic) {
    ByLoad receivers(input_.members, loads_);
    ByLoad givers(input_.members, loads_);
    for (const std::size_t member : subscribers(topic)) {
      receivers.add(member);
      if (has(member, topic)) givers.add(member);
    }
    bool moved = false;
    while (!givers.empty()) {
      const std::size_t from = givers.most();
      const std::size_t to = receivers.least();
      if (loads_[from] < loads_[to] + 2) break;
      for (const std::size_t member : {from, to}) {
        givers.remove(member);
        receivers.remove(member);
      }
      auto& partitions = dealt_[from][topic];
      give(to, topic, *partitions.rbegin());
      partitions.erase(std::prev(partitions.end()));
      --loads_[from];
      for (const std::size_t member : {from, to}) {
        receivers.add(member);
        if (has(member, topic)) givers.add(member);
      }
      moved = true;
    }
    return moved;
  }

  bool has(std::size_t member, Uuid topic) const {
    const auto found = dealt_[member].find(topic);
    return found != dealt_[member].end() && !found->second.empty();
  }

  const AssignorInput& input_;
  Dealt dealt_;
  std::vector<std::size_t> loads_;
  std::map<Uuid, std::set<std::int32_t>> taken_;
  std::map<Uuid, std::vector<std::size_t>> subscribers_;
};

}  // namespace

Dealt deal_uniformly(const AssignorInput& input) { return Uniform(input).deal(); }

Dealt deal_in_ranges(const AssignorInput& input) {
  Dealt dealt(input.members.size());
  std::vector<std::size_t> order(input.members.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return input.members[i].name; });
  for (const auto& [topic, count] : input.partition_counts) {
    std::vector<std::size_t> subscribers;
    for (const std::size_t i : order)
      if (input.members[i].topics.contains(topic)) subscribers.push_back(i);
    const auto takers = static_cast<std::int32_t>(subscribers.size());
    std::int32_t next = 0;
    for (std::int32_t i = 0; i < takers; ++i) {
      const std::int32_t share = count / takers + (i < count % takers ? 1 : 0);
      for (std::int32_t taken = 0; taken < share; ++taken)
        dealt[subscribers[static_cast<std::size_t>(i)]][topic].insert(next++);
    }
  }
  return dealt;
}

Assignor find_assignor(std::string_view name) {
  if (name == kUniform) return &deal_uniformly;
  if (name == kRange) return &deal_in_ranges;
  return nullptr;
}

}  // namespace adbrook::broker
