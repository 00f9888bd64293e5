// What administrators ask of groups, and what is forgotten with time.
#include <algorithm>

#include "broker/group_coordinator.h"
#include "broker/state_record.h"

namespace adbrook::broker {
namespace {

constexpr std::string_view kConsumer = "consumer";
constexpr std::string_view kClassic = "classic";

// The engine reads by itself, without joining; it is shown as one static member.
GroupCoordinator::Described engine_group(const std::string& name) {
  GroupSnapshot snapshot{.protocol_type = std::string(kConsumer), .leader = name, .generation = 1};
  snapshot.members.push_back(
      {.member_id = name, .instance_id = name, .client_id = "adbrook", .client_host = "localhost"});
  return {"Stable", std::move(snapshot)};
}

// As the clients of the classic protocol write it: version, topics, no user data.
Buffer classic_assignment(const PartitionSet& assigned,
                          const std::map<Uuid, std::string>& topic_names) {
  Buffer bytes;
  const auto put = [&]<class I>(I value) {
    bytes.resize(bytes.size() + sizeof value);
    store_be(bytes.data() + bytes.size() - sizeof value, value);
  };
  put(std::int16_t{0});
  const std::size_t count_at = bytes.size();
  put(std::int32_t{0});
  std::int32_t count = 0;
  for (const auto& [topic, partitions] : assigned) {
    const auto name = topic_names.find(topic);
    if (name == topic_names.end()) continue;  // deleted since
    put(static_cast<std::int16_t>(name->second.size()));
    const ByteView text = as_bytes(name->second);
    bytes.insert(bytes.end(), text.begin(), text.end());
    put(static_cast<std::int32_t>(partitions.size()));
    for (const std::int32_t p : partitions) put(p);
    ++count;
  }
  store_be(bytes.data() + count_at, count);
  put(std::int32_t{-1});
  return bytes;
}

GroupSnapshot classic_view(const ConsumerGroupSnapshot& group) {
  GroupSnapshot view{.protocol_type = std::string(kConsumer),
                     .protocol_name = group.assignor,
                     .generation = group.epoch,
                     .empty_since = group.empty_since};
  std::map<Uuid, std::string> topic_names;
  for (const auto& [name, shape] : group.topics) topic_names[shape.id] = name;
  for (const ConsumerMember& member : group.members)
    view.members.push_back({.member_id = member.member_id,
                            .instance_id = member.instance_id,
                            .client_id = member.client_id,
                            .client_host = member.client_host,
                            .rebalance_timeout = member.rebalance_timeout,
                            .assignment = classic_assignment(member.assigned, topic_names)});
  return view;
}

}  // namespace

std::optional<GroupCoordinator::Described> GroupCoordinator::describe(
    const std::string& group) const {
  if (is_own(group)) return engine_group(group);
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(group);
  if (!entry) return std::nullopt;
  Described described{std::string(entry->ask([](const auto& one) { return one.state_name(); }))};
  if (const Group* classic = entry->classic())
    described.snapshot = classic->snapshot();
  else
    described.snapshot = classic_view(entry->consumer()->snapshot());
  return described;
}

std::optional<GroupCoordinator::ConsumerDescribed> GroupCoordinator::describe_consumer(
    const std::string& group) const {
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(group);
  if (!entry || !entry->consumer()) return std::nullopt;
  return ConsumerDescribed{std::string(entry->consumer()->state_name()),
                           entry->consumer()->snapshot()};
}

std::vector<GroupCoordinator::Listed> GroupCoordinator::list() const {
  std::vector<Listed> listed;
  for (const std::string& name : own_groups_)
    listed.push_back({name, "Stable", std::string(kConsumer), std::string(kClassic)});
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : groups_) {
    const Group* classic = entry->classic();
    listed.push_back({name,
                      std::string(entry->ask([](const auto& one) { return one.state_name(); })),
                      classic ? classic->snapshot().protocol_type : std::string(kConsumer),
                      std::string(classic ? kClassic : kConsumer)});
  }
  return listed;
}

// Deletes the offsets and, with them, the group's record.
void GroupCoordinator::forget_locked(const std::string& id,
                                     std::vector<log::OffsetDeletion> deletions, Done done) {
  const EntryPtr entry = find_locked(id);
  groups_.erase(id);
  const StateKind kind = entry->classic() ? StateKind::group : StateKind::consumer_group;
  log::Append what;
  what.deletions = std::move(deletions);
  what.batches.push_back(places_.topic.batch({{encode_key(kind, id), std::nullopt}}));
  places_.log.append(std::move(what),
                     [done = std::move(done)](const log::AppendResult& result) mutable {
                       if (done) done(coordinator_code(result));
                     });
}

void GroupCoordinator::remove(const std::string& group, Done done) {
  if (is_own(group)) return done(ErrorCode::non_empty_group);
  ErrorCode error = ErrorCode::group_id_not_found;
  {
    const std::lock_guard lock(mutex_);
    if (const EntryPtr entry = find_locked(group)) {
      error =
          entry->has_members() ? ErrorCode::non_empty_group : ErrorCode::coordinator_not_available;
      if (may_end_locked(entry)) {
        std::vector<log::OffsetDeletion> deletions;
        for (const log::GroupOffset& offset : places_.log.group_offsets(group))
          if (const auto partition = places_.log.partition(offset.topic, offset.partition))
            deletions.push_back({group, *partition});
        return forget_locked(group, std::move(deletions), std::move(done));
      }
    }
  }
  done(error);
}

void GroupCoordinator::delete_offsets(const std::string& group, std::vector<OffsetPlace> places,
                                      std::move_only_function<void(OffsetsDeleted)> done) {
  OffsetsDeleted answer;
  {
    const std::lock_guard lock(mutex_);
    const EntryPtr entry = is_own(group) ? nullptr : find_locked(group);
    if (!entry) {
      answer.error = is_own(group) ? ErrorCode::non_empty_group : ErrorCode::group_id_not_found;
    } else if (entry->has_members() && entry->classic() &&
               entry->classic()->snapshot().protocol_type != kConsumer) {
      answer.error = ErrorCode::non_empty_group;
    } else {
      log::Append what;
      for (const OffsetPlace& place : places) {
        const bool in_use = entry->subscribes(place.topic);
        answer.places.push_back(in_use ? ErrorCode::group_subscribed_to_topic : ErrorCode::none);
        if (!in_use) what.deletions.push_back({group, place.partition});
      }
      if (!what.deletions.empty())
        return places_.log.append(
            std::move(what), [done = std::move(done),
                              answer = std::move(answer)](const log::AppendResult& result) mutable {
              answer.error = coordinator_code(result);
              done(std::move(answer));
            });
    }
  }
  done(std::move(answer));
}

void GroupCoordinator::expire_group_locked(const std::string& id, const EntryPtr& entry) {
  const Timestamp now = places_.clock.now();
  const bool has_members = entry->has_members();
  const Timestamp kept_from = now - options_.offsets_retention;
  std::vector<log::OffsetDeletion> deletions;
  bool anything_left = false;
  for (const log::GroupOffset& offset : places_.log.group_offsets(id)) {
    const Timestamp unused_since =
        has_members ? offset.committed.commit_time
                    : std::max(offset.committed.commit_time, entry->empty_since());
    const bool in_use = has_members && entry->subscribes(offset.topic);
    const auto partition = places_.log.partition(offset.topic, offset.partition);
    if (in_use || unused_since > kept_from || !partition)
      anything_left = true;
    else
      deletions.push_back({id, *partition});
  }
  const bool forget = !has_members && !anything_left && entry->empty_since() <= kept_from;
  if (forget && may_end_locked(entry)) return forget_locked(id, std::move(deletions), nullptr);
  if (deletions.empty()) return;
  log::Append what;
  what.deletions = std::move(deletions);
  places_.log.append(std::move(what), [](const log::AppendResult&) {
    // What could not be forgotten now is found again by the next look.
  });
}

void GroupCoordinator::expire() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, entry] : groups_) names.push_back(name);
  for (const std::string& name : names) expire_group_locked(name, find_locked(name));
}

}  // namespace adbrook::broker
