// What the coordinator does for groups of the newer protocol.
#include <algorithm>

#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "broker/state_record.h"

namespace adbrook::broker {
namespace {

// How old the picture of all topics may be that members are dealt partitions from.
constexpr Millis kCatalogAge{1'000};
// Records of one save are cut into batches of about this size.
constexpr std::size_t kBatchSize = 1 << 20;

}  // namespace

Result<void> GroupCoordinator::restore_consumer_group(const std::string& name,
                                                      std::optional<ByteView> value) {
  RestoredConsumers& restored = restored_consumers_[name];
  restored.group.reset();
  if (!value) return {};
  auto group = decode_consumer_group(*value);
  if (!group) return pass(std::move(group.error()), "group '" + name + "'");
  restored.group = std::move(*group);
  return {};
}

Result<void> GroupCoordinator::restore_consumer_member(const std::string& name,
                                                       const std::string& member_id,
                                                       std::optional<ByteView> value) {
  RestoredConsumers& restored = restored_consumers_[name];
  restored.members.erase(member_id);
  if (!value) return {};
  auto member = decode_consumer_member(*value);
  if (!member) return pass(std::move(member.error()), "group '" + name + "'");
  member->member_id = member_id;
  restored.members[member_id] = std::move(*member);
  return {};
}

// Where there is a record of either kind, because the one that deletes the other was not kept, the
// one with members is the group.
void GroupCoordinator::begin_consumers_locked(Nanos now) {
  for (auto& [name, restored] : restored_consumers_) {
    if (!restored.group) continue;
    const EntryPtr classic = find_locked(name);
    if (classic && classic->has_members()) continue;
    for (auto& [id, member] : restored.members)
      restored.group->members.push_back(std::move(member));
    groups_[name] =
        std::make_shared<Entry>(ConsumerGroup(name, options_, std::move(*restored.group), now));
  }
  restored_consumers_.clear();
}

// A group ends only when all of it is in the log: what a save still to come would write, nothing
// would ever delete. If it is not, that save begins.
bool GroupCoordinator::may_end_locked(const EntryPtr& entry) {
  if (entry->has_members()) return false;
  ConsumerGroup* consumer = entry->consumer();
  if (!consumer || consumer->is_saved()) return true;
  consumer->save_again();
  if (const auto unsaved = consumer->take_unsaved(places_.clock.now()))
    save_consumer_locked(entry, *unsaved);
  return false;
}

GroupCoordinator::EntryPtr GroupCoordinator::as_classic_locked(EntryPtr entry,
                                                               const std::string& group) {
  if (entry->classic() || !may_end_locked(entry)) return entry;
  log::Append what;
  what.batches.push_back(
      places_.topic.batch({{encode_key(StateKind::consumer_group, group), std::nullopt}}));
  places_.log.append(std::move(what), [](const log::AppendResult&) {
    // If it was not kept, a restart finds both kinds and takes the one with members.
  });
  entry = std::make_shared<Entry>(Group(group, options_, places_.clock.now()));
  groups_[group] = entry;
  return entry;
}

// A classic group by this name has no members; its record goes.
void GroupCoordinator::take_in_consumer_locked(const std::string& group, const EntryPtr& entry) {
  if (const EntryPtr before = find_locked(group); before && before != entry) {
    log::Append what;
    what.batches.push_back(
        places_.topic.batch({{encode_key(StateKind::group, group), std::nullopt}}));
    places_.log.append(std::move(what), [](const log::AppendResult&) {
      // As above.
    });
  }
  groups_[group] = entry;
}

// The same object as long as nothing changed, so that groups need not compare.
TopicCatalogPtr GroupCoordinator::catalog_locked(bool fresh) {
  const Nanos now = places_.clock.monotonic();
  if (catalog_ && !fresh && now < catalog_until_) return catalog_;
  catalog_until_ = now + kCatalogAge;
  TopicCatalog catalog;
  for (const log::TopicDescription& topic : places_.log.topics())
    if (!is_internal_topic(topic.name)) catalog[topic.name] = {topic.id, topic.partition_count};
  if (!catalog_ || *catalog_ != catalog)
    catalog_ = std::make_shared<const TopicCatalog>(std::move(catalog));
  return catalog_;
}

void GroupCoordinator::consumer_heartbeat(const std::string& group, ConsumerHeartbeat request,
                                          ConsumerHeartbeatDone done) {
  const auto refuse = [&](ErrorCode error, std::string why) {
    done({.error = error, .message = std::move(why)});
  };
  if (group.empty()) return refuse(ErrorCode::invalid_request, "GroupId can't be empty.");
  // What no group would take is told before whether there is one.
  if (request.epoch < kAwayEpoch)
    return refuse(ErrorCode::invalid_request, "MemberEpoch is invalid.");
  if (is_own(group))
    return refuse(ErrorCode::group_authorization_failed, "The group is the engine's own.");
  const bool joins = request.epoch == kJoinEpoch;
  bool known = false;
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    if (request.wants_id && joins && request.member_id.empty())
      request.member_id = fresh_member_id(request.client_id);
    const EntryPtr found = find_locked(group);
    known = found != nullptr;
    EntryPtr entry = found;
    const bool becomes = joins && (!found || (found->classic() && !found->has_members()));
    if (becomes && !stopped_ && (found || !is_full_locked()))
      entry = std::make_shared<Entry>(ConsumerGroup(group, options_, places_.clock.now()));
    if (entry && entry->consumer()) {
      const bool fresh = joins || request.topics || request.pattern;
      entry->consumer()->heartbeat(std::move(request), catalog_locked(fresh),
                                   places_.clock.monotonic(), std::move(done));
      // A group that took nobody in is none.
      if (becomes && entry->has_members()) take_in_consumer_locked(group, entry);
      settle_locked(entry, answers);
    }
  }
  if (done)
    return refuse(
        joins && !known ? ErrorCode::group_max_size_reached : ErrorCode::group_id_not_found,
        joins && !known ? "There are as many groups as may be, see group.max.count."
                        : "Group " + group + " is not a consumer group.");
  run(answers);
}

ErrorCode GroupCoordinator::check_fetch(const std::string& group, const MemberClaim& claim) const {
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(group);
  return entry && entry->consumer() ? entry->consumer()->check_fetch(claim) : ErrorCode::none;
}

void GroupCoordinator::save_consumer_locked(const EntryPtr& entry,
                                            const ConsumerGroup::Unsaved& unsaved) {
  const std::string& id = entry->consumer()->id();
  std::vector<StateRecord> records;
  std::size_t size = 0;
  log::Append what;
  const auto put = [&](Buffer key, std::optional<Buffer> value) {
    size += key.size() + (value ? value->size() : 0);
    records.push_back({std::move(key), std::move(value)});
    if (size < kBatchSize) return;
    what.batches.push_back(places_.topic.batch(records));
    records.clear();
    size = 0;
  };
  if (unsaved.group)
    put(encode_key(StateKind::consumer_group, id), encode_consumer_group(*unsaved.group));
  for (const ConsumerMember& member : unsaved.members)
    put(encode_key(StateKind::consumer_member, id, member.member_id),
        encode_consumer_member(member));
  for (const std::string& gone : unsaved.gone)
    put(encode_key(StateKind::consumer_member, id, gone), std::nullopt);
  if (!records.empty()) what.batches.push_back(places_.topic.batch(records));
  places_.log.append(std::move(what), [weak = weak_from_this(), entry,
                                       token = unsaved.token](const log::AppendResult& result) {
    if (const auto self = weak.lock()) self->saved(entry, token, coordinator_code(result));
  });
}

}  // namespace adbrook::broker
