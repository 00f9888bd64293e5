#include "broker/group_coordinator.h"

#include <algorithm>

#include "broker/state_record.h"

namespace adbrook::broker {
namespace {

constexpr std::size_t kClientIdInMemberIdMax = 200;

// Why a group of the newer protocol takes no classic member in. One without members becomes a
// classic group for who is new, as soon as it is saved; a member id it does not know.
ErrorCode refusal_of_classic(bool has_members, bool is_new) {
  if (has_members) return ErrorCode::inconsistent_group_protocol;
  return is_new ? ErrorCode::coordinator_not_available : ErrorCode::unknown_member_id;
}

}  // namespace

ErrorCode coordinator_code(const log::AppendResult& result) {
  if (result) return ErrorCode::none;
  if (result.error().rule == log::AppendRule::unknown_partition ||
      result.error().kind == ErrorKind::not_found)
    return ErrorCode::unknown_topic_or_partition;
  return ErrorCode::coordinator_not_available;
}

Result<void> GroupCoordinator::restore(const std::string& name, std::optional<ByteView> value) {
  if (!value) {
    restored_.erase(name);
    return {};
  }
  auto group = decode_group(*value);
  if (!group) return pass(std::move(group.error()), "group '" + name + "'");
  restored_[name] = std::move(*group);
  return {};
}

void GroupCoordinator::begin() {
  const std::lock_guard lock(mutex_);
  const Nanos now = places_.clock.monotonic();
  for (auto& [name, kept] : restored_)
    groups_[name] = std::make_shared<Entry>(Group(name, options_, std::move(kept), now));
  restored_.clear();
  begin_consumers_locked(now);
  for (const std::string& name : places_.log.groups_with_offsets()) {
    if (is_own(name) || groups_.contains(name)) continue;
    // A group that only commits has no record; it counts as unused since its newest commit.
    Timestamp newest{0};
    for (const auto& offset : places_.log.group_offsets(name))
      newest = std::max(newest, offset.committed.commit_time);
    groups_[name] = std::make_shared<Entry>(Group(name, options_, newest));
  }
  for (const auto& [name, entry] : groups_) arm_locked(entry);
}

std::string GroupCoordinator::fresh_member_id(std::string_view client_id) {
  const Uuid id{places_.random.next(), places_.random.next()};
  return std::string(client_id.substr(0, kClientIdInMemberIdMax)) + "-" + id.to_string();
}

GroupCoordinator::EntryPtr GroupCoordinator::find_locked(const std::string& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second;
}

GroupCoordinator::EntryPtr GroupCoordinator::find_or_make_locked(const std::string& group) {
  if (auto entry = find_locked(group)) return entry;
  if (is_full_locked()) return nullptr;
  auto entry = std::make_shared<Entry>(Group(group, options_, places_.clock.now()));
  groups_[group] = entry;
  return entry;
}

// With the lock held: what the group wants is queued, what it answers is handed out.
void GroupCoordinator::settle_locked(const EntryPtr& entry, Steps& answers) {
  if (Group* classic = entry->classic()) {
    if (const auto unsaved = classic->take_unsaved(places_.clock.now()))
      save_locked(entry, *unsaved);
  } else if (const auto unsaved = entry->consumer()->take_unsaved(places_.clock.now())) {
    save_consumer_locked(entry, *unsaved);
  }
  std::visit(
      [&](auto& group) {
        for (io::Step& answer : group.take_answers()) answers.push_back(std::move(answer));
      },
      entry->group);
  arm_locked(entry);
}

void GroupCoordinator::save_locked(const EntryPtr& entry, const Group::Unsaved& unsaved) {
  log::Append what;
  what.batches.push_back(places_.topic.batch(
      {{encode_key(StateKind::group, entry->classic()->id()), encode_group(unsaved.snapshot)}}));
  places_.log.append(std::move(what), [weak = weak_from_this(), entry,
                                       token = unsaved.token](const log::AppendResult& result) {
    if (const auto self = weak.lock()) self->saved(entry, token, coordinator_code(result));
  });
}

void GroupCoordinator::saved(const EntryPtr& entry, std::int64_t token, ErrorCode error) {
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    if (Group* classic = entry->classic())
      classic->saved(token, error, places_.clock.monotonic());
    else
      entry->consumer()->saved(token, error);
    settle_locked(entry, answers);
  }
  run(answers);
}

// A timer that fires too early does nothing but set the next one; deadlines mostly move away.
void GroupCoordinator::arm_locked(const EntryPtr& entry) {
  const auto next = entry->ask([](const auto& group) { return group.next_deadline(); });
  if (!next || stopped_ || (entry->armed && *entry->armed <= *next)) return;
  entry->armed = next;
  const Nanos left = std::max(*next - places_.clock.monotonic(), Nanos(0));
  places_.executor.post_after(std::chrono::ceil<Millis>(left), [weak = weak_from_this(), entry] {
    if (const auto self = weak.lock()) self->tick(entry);
  });
}

void GroupCoordinator::tick(const EntryPtr& entry) {
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    entry->armed.reset();
    std::visit([&](auto& group) { group.tick(places_.clock.monotonic()); }, entry->group);
    settle_locked(entry, answers);
  }
  run(answers);
}

void GroupCoordinator::join(const std::string& group, JoinRequest request, JoinDone done) {
  const auto refuse = [&](ErrorCode error) {
    done({.error = error, .member_id = request.member_id});
  };
  if (group.empty()) return refuse(ErrorCode::invalid_group_id);
  if (is_own(group)) return refuse(ErrorCode::group_authorization_failed);
  Steps answers;
  ErrorCode refusal = ErrorCode::none;
  {
    const std::unique_lock lock(mutex_);
    const bool is_new = request.member_id.empty();
    EntryPtr entry = is_new ? find_or_make_locked(group) : find_locked(group);
    if (entry && is_new) entry = as_classic_locked(std::move(entry), group);
    if (entry && !entry->classic()) refusal = refusal_of_classic(entry->has_members(), is_new);
    if (entry && entry->classic()) {
      std::string fresh_id =
          fresh_member_id(request.instance_id ? *request.instance_id : request.client_id);
      entry->classic()->join(std::move(request), std::move(fresh_id), places_.clock.monotonic(),
                             std::move(done));
      settle_locked(entry, answers);
    }
  }
  if (refusal != ErrorCode::none) return refuse(refusal);
  if (done)
    return refuse(request.member_id.empty() ? ErrorCode::group_max_size_reached
                                            : ErrorCode::unknown_member_id);
  run(answers);
}

void GroupCoordinator::sync(const std::string& group, SyncRequest request, SyncDone done) {
  if (group.empty()) return done({.error = ErrorCode::invalid_group_id});
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    if (const EntryPtr entry = find_locked(group); entry && entry->classic()) {
      entry->classic()->sync(std::move(request), places_.clock.monotonic(), std::move(done));
      settle_locked(entry, answers);
    }
  }
  if (done) return done({.error = ErrorCode::unknown_member_id});
  run(answers);
}

ErrorCode GroupCoordinator::heartbeat(const std::string& group, const MemberClaim& claim) {
  if (group.empty()) return ErrorCode::invalid_group_id;
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(group);
  // A heartbeat only moves deadlines away, so the timers stay as they are.
  return entry && entry->classic() ? entry->classic()->heartbeat(claim, places_.clock.monotonic())
                                   : ErrorCode::unknown_member_id;
}

std::vector<ErrorCode> GroupCoordinator::leave(const std::string& group,
                                               const std::vector<MemberClaim>& claims) {
  std::vector<ErrorCode> codes(claims.size(), ErrorCode::unknown_member_id);
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    const EntryPtr entry = find_locked(group);
    if (!entry) return codes;
    for (std::size_t i = 0; i < claims.size(); ++i)
      codes[i] = entry->classic() ? entry->classic()->leave(claims[i], places_.clock.monotonic())
                                  : entry->consumer()->remove(claims[i]);
    settle_locked(entry, answers);
  }
  run(answers);
  return codes;
}

void GroupCoordinator::commit(const std::string& group, const MemberClaim& claim,
                              ConsumerGroup::Request request,
                              std::vector<log::OffsetCommit> offsets, Done done) {
  if (is_own(group)) return done(ErrorCode::group_authorization_failed);
  ErrorCode error = ErrorCode::none;
  {
    const std::lock_guard lock(mutex_);
    const EntryPtr entry = claim.generation < 0 && claim.member_id.empty()
                               ? find_or_make_locked(group)
                               : find_locked(group);
    if (entry)
      error = entry->classic() ? entry->classic()->check_commit(claim, places_.clock.monotonic())
                               : entry->consumer()->check_commit(claim, request);
    else
      error = claim.generation < 0 ? ErrorCode::unknown_member_id : ErrorCode::illegal_generation;
    if (error == ErrorCode::none) {
      log::Append what;
      what.offsets = std::move(offsets);
      return places_.log.append(std::move(what),
                                [done = std::move(done)](const log::AppendResult& result) mutable {
                                  done(coordinator_code(result));
                                });
    }
  }
  done(error);
}

ErrorCode GroupCoordinator::check_transactional_commit(const std::string& group,
                                                       const MemberClaim& claim) {
  if (is_own(group)) return ErrorCode::group_authorization_failed;
  const std::lock_guard lock(mutex_);
  const bool names_nobody = claim.generation < 0 && claim.member_id.empty() && !claim.instance_id;
  const EntryPtr entry = names_nobody ? find_or_make_locked(group) : find_locked(group);
  if (!entry)
    return names_nobody ? ErrorCode::group_max_size_reached : ErrorCode::unknown_member_id;
  return entry->ask([&](const auto& one) { return one.check_transactional_commit(claim); });
}

void GroupCoordinator::stop() {
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [name, entry] : groups_) {
      std::visit(
          [&](auto& group) {
            group.refuse_waiting(ErrorCode::coordinator_not_available);
            for (io::Step& answer : group.take_answers()) answers.push_back(std::move(answer));
          },
          entry->group);
    }
  }
  run(answers);
}

}  // namespace adbrook::broker
