// What administrators ask of groups, and what is forgotten with time.
#include <algorithm>

#include "broker/group_coordinator.h"
#include "broker/state_record.h"

namespace adbrook::broker {
namespace {

constexpr std::string_view kConsumer = "consumer";

// The engine reads by itself, without joining; it is shown as one static member.
GroupCoordinator::Described engine_group(const std::string& name) {
  GroupSnapshot snapshot{.protocol_type = std::string(kConsumer), .leader = name, .generation = 1};
  snapshot.members.push_back(
      {.member_id = name, .instance_id = name, .client_id = "adbrook", .client_host = "localhost"});
  return {"Stable", std::move(snapshot)};
}

}  // namespace

std::optional<GroupCoordinator::Described> GroupCoordinator::describe(
    const std::string& group) const {
  if (is_own(group)) return engine_group(group);
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(group);
  if (!entry) return std::nullopt;
  return Described{std::string(entry->group.state_name()), entry->group.snapshot()};
}

std::vector<GroupCoordinator::Listed> GroupCoordinator::list() const {
  std::vector<Listed> listed;
  for (const std::string& name : own_groups_)
    listed.push_back({name, "Stable", std::string(kConsumer)});
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : groups_)
    listed.push_back(
        {name, std::string(entry->group.state_name()), entry->group.snapshot().protocol_type});
  return listed;
}

// Deletes the offsets and, with them, the group's record.
void GroupCoordinator::forget_locked(const std::string& id,
                                     std::vector<log::OffsetDeletion> deletions, Done done) {
  groups_.erase(id);
  log::Append what;
  what.deletions = std::move(deletions);
  what.batches.push_back(places_.topic.batch({{encode_key(StateKind::group, id), std::nullopt}}));
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
      error = ErrorCode::non_empty_group;
      if (!entry->group.has_members()) {
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
    } else if (entry->group.has_members() && entry->group.snapshot().protocol_type != kConsumer) {
      answer.error = ErrorCode::non_empty_group;
    } else {
      log::Append what;
      for (const OffsetPlace& place : places) {
        const bool in_use = entry->group.subscribes(place.topic);
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

void GroupCoordinator::expire_group_locked(const std::string& id, Entry* entry) {
  const Timestamp now = places_.clock.now();
  const bool has_members = entry->group.has_members();
  const Timestamp kept_from = now - options_.offsets_retention;
  std::vector<log::OffsetDeletion> deletions;
  bool anything_left = false;
  for (const log::GroupOffset& offset : places_.log.group_offsets(id)) {
    const Timestamp unused_since =
        has_members ? offset.committed.commit_time
                    : std::max(offset.committed.commit_time, entry->group.empty_since());
    const bool in_use = has_members && entry->group.subscribes(offset.topic);
    const auto partition = places_.log.partition(offset.topic, offset.partition);
    if (in_use || unused_since > kept_from || !partition)
      anything_left = true;
    else
      deletions.push_back({id, *partition});
  }
  const bool forget = !has_members && !anything_left && entry->group.empty_since() <= kept_from;
  if (forget) return forget_locked(id, std::move(deletions), nullptr);
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
  for (const std::string& name : names) expire_group_locked(name, find_locked(name).get());
}

}  // namespace adbrook::broker
