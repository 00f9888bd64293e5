#include "broker/consumer_assignor.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>

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

// Topics with the same subscribers: of them it does not matter which one a partition is of.
struct TopicClass {
  std::vector<Uuid> topics;
  std::vector<std::size_t> subscribers;
};

// Of all topics that somebody subscribes to. Most groups have one class, whatever they have of
// members and topics.
std::vector<TopicClass> classes_of(const AssignorInput& input) {
  std::map<const std::set<Uuid>*, std::size_t> numbers;
  std::vector<std::pair<const std::set<Uuid>*, std::vector<std::size_t>>> subscriptions;
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const std::set<Uuid>* topics = input.members[i].topics.get();
    const auto [number, fresh] = numbers.try_emplace(topics, subscriptions.size());
    if (fresh) subscriptions.emplace_back(topics, std::vector<std::size_t>());
    subscriptions[number->second].second.push_back(i);
  }
  std::map<std::vector<std::size_t>, TopicClass> classes;  // by the subscriptions they are in
  for (const auto& [topic, count] : input.partition_counts) {
    std::vector<std::size_t> in;
    for (std::size_t s = 0; s < subscriptions.size(); ++s)
      if (subscriptions[s].first->contains(topic)) in.push_back(s);
    if (!in.empty()) classes[std::move(in)].topics.push_back(topic);
  }
  std::vector<TopicClass> found;
  for (auto& [in, one] : classes) {
    for (const std::size_t s : in)
      one.subscribers.insert(one.subscribers.end(), subscriptions[s].second.begin(),
                             subscriptions[s].second.end());
    std::ranges::sort(one.subscribers);
    found.push_back(std::move(one));
  }
  return found;
}

class Uniform {
 public:
  explicit Uniform(const AssignorInput& input)
      : input_(input),
        classes_(classes_of(input)),
        dealt_(input.members.size()),
        loads_(input.members.size()) {
    // Topics with few subscribers first: theirs is the smaller choice.
    std::ranges::stable_sort(classes_, {}, [](const auto& one) { return one.subscribers.size(); });
    for (const TopicClass& one : classes_)
      for (const Uuid topic : one.topics) class_of_[topic] = &one;
  }

  Dealt deal() {
    keep_held();
    for (const TopicClass& one : classes_) deal_rest(one);
    // Each move makes the sum of squares smaller, so this ends.
    for (bool moved = true; moved;) {
      moved = false;
      for (const TopicClass& one : classes_) moved |= even_out(one);
    }
    return std::move(dealt_);
  }

 private:
  void give(std::size_t member, Uuid topic, std::int32_t partition) {
    dealt_[member][topic].insert(partition);
    ++loads_[member];
  }

  void keep_held() {
    for (std::size_t i = 0; i < input_.members.size(); ++i)
      for (const auto& [topic, partitions] : *input_.members[i].held) {
        const auto count = input_.partition_counts.find(topic);
        if (count == input_.partition_counts.end() || !input_.members[i].topics->contains(topic))
          continue;
        for (const std::int32_t partition : partitions)
          if (partition < count->second && taken_[topic].insert(partition).second)
            give(i, topic, partition);
      }
  }

  void deal_rest(const TopicClass& one) {
    ByLoad order(input_.members, loads_);
    for (const std::size_t member : one.subscribers) order.add(member);
    for (const Uuid topic : one.topics) {
      const std::set<std::int32_t>& taken = taken_[topic];
      for (std::int32_t p = 0; p < input_.partition_counts.at(topic); ++p) {
        if (taken.contains(p)) continue;
        const std::size_t member = order.least();
        order.remove(member);
        give(member, topic, p);
        order.add(member);
      }
    }
  }

  // Moves partitions of these topics from who has the most to who has the least of all topics.
  bool even_out(const TopicClass& one) {
    ByLoad receivers(input_.members, loads_);
    ByLoad givers(input_.members, loads_);
    for (const std::size_t member : one.subscribers) {
      receivers.add(member);
      if (last_of(member, one)) givers.add(member);
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
      move_one(from, to, *last_of(from, one));
      for (const std::size_t member : {from, to}) {
        receivers.add(member);
        if (last_of(member, one)) givers.add(member);
      }
      moved = true;
    }
    return moved;
  }

  void move_one(std::size_t from, std::size_t to, Uuid topic) {
    const auto entry = dealt_[from].find(topic);
    const auto last = std::prev(entry->second.end());
    give(to, topic, *last);
    entry->second.erase(last);
    if (entry->second.empty()) dealt_[from].erase(entry);
    --loads_[from];
  }

  // The last topic of the class of which the member has a partition.
  std::optional<Uuid> last_of(std::size_t member, const TopicClass& one) const {
    for (const auto& [topic, partitions] : dealt_[member] | std::views::reverse)
      if (class_of_.at(topic) == &one) return topic;
    return std::nullopt;
  }

  const AssignorInput& input_;
  std::vector<TopicClass> classes_;
  std::map<Uuid, const TopicClass*> class_of_;
  Dealt dealt_;
  std::vector<std::size_t> loads_;
  std::map<Uuid, std::set<std::int32_t>> taken_;
};

}  // namespace

Dealt deal_uniformly(const AssignorInput& input) { return Uniform(input).deal(); }

Dealt deal_in_ranges(const AssignorInput& input) {
  Dealt dealt(input.members.size());
  for (TopicClass& one : classes_of(input)) {
    std::ranges::stable_sort(one.subscribers, {},
                             [&](std::size_t i) { return input.members[i].name; });
    const auto takers = static_cast<std::int32_t>(one.subscribers.size());
    for (const Uuid topic : one.topics) {
      const std::int32_t count = input.partition_counts.at(topic);
      std::int32_t next = 0;
      for (std::int32_t i = 0; next < count; ++i) {
        const std::int32_t share = count / takers + (i < count % takers ? 1 : 0);
        PartitionSet& to = dealt[one.subscribers[static_cast<std::size_t>(i)]];
        for (std::int32_t taken = 0; taken < share; ++taken) to[topic].insert(next++);
      }
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
