// What each member of a consumer group is to have, and its way there.
#include <algorithm>

#include "base/assert.h"
#include "broker/consumer_group.h"
#include "broker/topic_pattern.h"

namespace adbrook::broker {
namespace {

// a without b; no topic stays without partitions.
PartitionSet minus(const PartitionSet& a, const PartitionSet& b) {
  PartitionSet rest;
  for (const auto& [topic, partitions] : a) {
    const auto other = b.find(topic);
    std::set<std::int32_t> left;
    for (const std::int32_t p : partitions)
      if (other == b.end() || !other->second.contains(p)) left.insert(p);
    if (!left.empty()) rest.emplace(topic, std::move(left));
  }
  return rest;
}

void add(PartitionSet& to, const PartitionSet& more) {
  for (const auto& [topic, partitions] : more)
    to[topic].insert(partitions.begin(), partitions.end());
}

// Who tells nothing may own all of it.
bool owns_any(const std::optional<PartitionSet>& owned, const PartitionSet& of) {
  return !owned || minus(*owned, of) != *owned;
}

}  // namespace

// Who subscribes to the same gets the same object.
ConsumerGroup::SubscribedPtr ConsumerGroup::subscribed(const ConsumerMember& member) {
  const auto [found, fresh] = subscriptions_.try_emplace({member.topics, member.pattern});
  if (!fresh) return found->second;
  auto made = std::make_shared<Subscribed>();
  for (const std::string& name : member.topics)
    if (const auto topic = seen_->find(name); topic != seen_->end()) made->topics.insert(*topic);
  // It was looked at when it came in; a record of another program might still hold anything.
  if (const auto pattern = TopicPattern::compile(member.pattern);
      pattern && !member.pattern.empty())
    for (const auto& topic : *seen_)
      if (pattern->matches(topic.first)) made->topics.insert(topic);
  std::set<Uuid> ids;
  for (const auto& [name, shape] : made->topics) ids.insert(shape.id);
  made->ids = std::make_shared<const std::set<Uuid>>(std::move(ids));
  found->second = std::move(made);
  return found->second;
}

// A change of what is subscribed, or of the topics behind it, begins a new epoch.
void ConsumerGroup::look_at_topics(const TopicCatalogPtr& catalog, bool subscription_changed) {
  const bool other_topics = catalog != seen_;
  if (!other_topics && !subscription_changed && !look_again_) return;
  look_again_ = false;
  seen_ = catalog;
  if (other_topics) subscriptions_.clear();
  TopicCatalog topics;
  std::set<const Subscribed*> looked_at;
  for (auto& [id, member] : members_) {
    if (other_topics || !member.subscribed) member.subscribed = subscribed(member.kept);
    if (looked_at.insert(member.subscribed.get()).second)
      topics.insert(member.subscribed->topics.begin(), member.subscribed->topics.end());
  }
  std::erase_if(subscriptions_, [](const auto& entry) { return entry.second.use_count() == 1; });
  if (topics == kept_.topics && !subscription_changed) return;
  kept_.topics = std::move(topics);
  ++kept_.epoch;
  group_changed_ = true;
}

// The wish of most members; between equals, and without any, the first in the list.
std::string ConsumerGroup::choose_assignor() const {
  std::size_t uniform = 0;
  std::size_t range = 0;
  for (const auto& [id, member] : members_) {
    uniform += member.kept.assignor == kUniform ? 1 : 0;
    range += member.kept.assignor == kRange ? 1 : 0;
  }
  return std::string(range > uniform ? kRange : kUniform);
}

void ConsumerGroup::deal_out() {
  AssignorInput input;
  for (const auto& [name, shape] : kept_.topics)
    input.partition_counts[shape.id] = shape.partition_count;
  for (const auto& [id, member] : members_) {
    const auto& name = member.kept.instance_id;
    input.members.push_back({.name = name ? std::string_view(*name) : std::string_view(id),
                             .topics = member.subscribed->ids,
                             .held = &member.kept.target});
  }
  kept_.assignor = choose_assignor();
  Dealt dealt = find_assignor(kept_.assignor)(input);
  std::size_t i = 0;
  for (auto& [id, member] : members_) {
    PartitionSet& target = dealt[i++];
    if (target == member.kept.target) continue;
    member.kept.target = std::move(target);
    changed_.insert(id);
  }
  kept_.target_epoch = kept_.epoch;
  group_changed_ = true;
}

void ConsumerGroup::set_held(const ConsumerMember& member, bool held) {
  for (const PartitionSet* set : {&member.assigned, &member.revoking})
    for (const auto& [topic, partitions] : *set)
      for (const std::int32_t p : partitions) {
        const bool did = held ? held_[topic].insert(p).second : held_[topic].erase(p) > 0;
        ADBROOK_ASSERT(did, "a partition has one owner at a time");
      }
}

bool ConsumerGroup::claims_held(const ConsumerMember& member) const {
  return minus(member.assigned, held_) != member.assigned ||
         minus(member.revoking, held_) != member.revoking ||
         minus(member.assigned, member.revoking) != member.assigned ||
         (member.instance_id && static_ids_.contains(*member.instance_id));
}

// One step towards the target, as far as what the member owns allows it.
void ConsumerGroup::reconcile(Member& member, const std::optional<PartitionSet>& owned, Nanos now) {
  const ConsumerMember& kept = member.kept;
  switch (kept.state) {
    case ConsumerState::stable:
      if (kept.epoch != kept_.target_epoch) advance(member, kept.epoch, owned, now);
      return;
    case ConsumerState::revoking:
      // It let go of all that was taken from it, so it leaves the epoch in which it had that.
      if (!owns_any(owned, kept.revoking)) advance(member, kept.epoch + 1, owned, now);
      return;
    case ConsumerState::unreleased: return advance(member, kept.epoch, owned, now);
  }
}

void ConsumerGroup::advance(Member& member, std::int32_t epoch,
                            const std::optional<PartitionSet>& owned, Nanos now) {
  ConsumerMember& kept = member.kept;
  set_held(kept, false);
  PartitionSet lost = minus(kept.assigned, kept.target);
  PartitionSet stays = minus(kept.assigned, lost);
  const PartitionSet wanted = minus(kept.target, stays);
  const PartitionSet free = minus(wanted, held_);
  member.revoke_deadline.reset();
  kept.revoking.clear();
  if (!lost.empty() && owns_any(owned, lost)) {
    kept.state = ConsumerState::revoking;
    kept.revoking = std::move(lost);
    member.revoke_deadline = now + kept.rebalance_timeout;
  } else {
    kept.state = free == wanted ? ConsumerState::stable : ConsumerState::unreleased;
    add(stays, free);
    epoch = kept_.target_epoch;
  }
  kept.assigned = std::move(stays);
  if (epoch != kept.epoch) kept.previous_epoch = std::exchange(kept.epoch, epoch);
  set_held(kept, true);
}

}  // namespace adbrook::broker
