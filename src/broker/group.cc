#include "broker/group.h"

#include <algorithm>

#include "base/assert.h"

namespace adbrook::broker {
namespace {

// Of what a member brings along and its record keeps; for a request and for a member.
template <class Member>
std::size_t size_of(const Member& member) {
  std::size_t size = member.member_id.size() + member.client_id.size() +
                     (member.instance_id ? member.instance_id->size() : 0);
  for (const GroupProtocol& offered : member.protocols)
    size += offered.name.size() + offered.metadata.size();
  return size;
}

std::size_t assignments_size(const SyncRequest& request) {
  std::size_t size = 0;
  for (const auto& [id, assignment] : request.assignments) size += assignment.size();
  return size;
}

}  // namespace

Group::Group(std::string id, const GroupOptions& options, GroupSnapshot kept, Nanos now)
    : id_(std::move(id)), options_(options) {
  state_ = kept.members.empty() ? State::empty : State::stable;
  for (GroupSnapshot::Member& member : kept.members) {
    if (member.instance_id) static_ids_[*member.instance_id] = member.member_id;
    const std::string member_id = member.member_id;
    Member& added = members_[member_id];
    added.kept = std::move(member);
    added.join_number = next_join_number_++;
    keep_session(added, now);
  }
  kept.members.clear();
  kept_ = std::move(kept);
}

std::string_view Group::state_name() const {
  switch (state_) {
    case State::empty: return "Empty";
    case State::preparing_rebalance: return "PreparingRebalance";
    case State::completing_rebalance: return "CompletingRebalance";
    case State::stable: return "Stable";
  }
  return "Empty";
}

GroupSnapshot Group::snapshot() const {
  GroupSnapshot copy = kept_;
  for (const Member* member : in_order()) copy.members.push_back(member->kept);
  return copy;
}

bool Group::subscribes(const std::string& topic) const {
  const auto consumes = [&](const Member& member) {
    return std::ranges::any_of(member.kept.protocols, [&](const GroupProtocol& protocol) {
      const auto topics = subscribed_topics(protocol.metadata);
      return !topics || std::ranges::binary_search(*topics, topic);
    });
  };
  return std::ranges::any_of(members_, [&](const auto& entry) { return consumes(entry.second); });
}

void Group::answer_join(JoinDone done, JoinAnswer answer) {
  answers_.emplace_back(
      [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void Group::answer_sync(SyncDone done, SyncAnswer answer) {
  answers_.emplace_back(
      [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void Group::refuse_join(JoinDone done, ErrorCode error, std::string member_id) {
  answer_join(std::move(done), {.error = error, .member_id = std::move(member_id)});
}

// A member must offer something, of the group's kind, that all others offer too.
bool Group::supports(const JoinRequest& request) const {
  if (request.protocol_type.empty() || request.protocols.empty()) return false;
  if (members_.empty()) return true;
  if (request.protocol_type != kept_.protocol_type) return false;
  return std::ranges::any_of(request.protocols, [&](const GroupProtocol& offered) {
    return std::ranges::all_of(members_, [&](const auto& entry) {
      return std::ranges::any_of(entry.second.kept.protocols, [&](const GroupProtocol& known) {
        return known.name == offered.name;
      });
    });
  });
}

bool Group::over_size(const JoinRequest& request) const {
  if (members_.contains(request.member_id) || pending_.contains(request.member_id)) return false;
  if (request.instance_id && static_ids_.contains(*request.instance_id)) return false;
  return members_.size() + pending_.size() >= static_cast<std::size_t>(options_.size_max);
}

// A record that no append takes would be refused again and again, for all members.
ErrorCode Group::check_bytes(const JoinRequest& request) const {
  const std::size_t size = size_of(request);
  if (size > kMemberSizeMax) return ErrorCode::invalid_request;
  std::size_t before = 0;
  std::size_t total = 0;
  for (const auto& [id, member] : members_) {
    total += size_of(member.kept);
    if (id == request.member_id) before = size_of(member.kept);
  }
  return size <= before || total - before + size <= kMembersSizeMax
             ? ErrorCode::none
             : ErrorCode::group_max_size_reached;
}

void Group::join(JoinRequest request, std::string fresh_id, Nanos now, JoinDone done) {
  if (request.session_timeout < options_.session_timeout_min ||
      request.session_timeout > options_.session_timeout_max)
    return refuse_join(std::move(done), ErrorCode::invalid_session_timeout, request.member_id);
  if (over_size(request))
    return refuse_join(std::move(done), ErrorCode::group_max_size_reached, request.member_id);
  if (const ErrorCode error = check_bytes(request); error != ErrorCode::none)
    return refuse_join(std::move(done), error, request.member_id);
  if (!supports(request))
    return refuse_join(std::move(done), ErrorCode::inconsistent_group_protocol, request.member_id);
  if (request.member_id.empty())
    join_as_new(std::move(request), std::move(fresh_id), now, std::move(done));
  else
    join_as_known(std::move(request), now, std::move(done));
  complete_if_all_joined(now);
}

void Group::join_as_new(JoinRequest request, std::string fresh_id, Nanos now, JoinDone done) {
  if (request.instance_id) {
    const auto known = static_ids_.find(*request.instance_id);
    if (known != static_ids_.end())
      return replace_static(std::string(known->second), std::move(request), std::move(fresh_id),
                            now, std::move(done));
  } else if (request.must_know_its_id) {
    pending_[fresh_id] = now + request.session_timeout;
    return refuse_join(std::move(done), ErrorCode::member_id_required, std::move(fresh_id));
  }
  add_member(std::move(request), std::move(fresh_id), now, std::move(done));
}

void Group::join_as_known(JoinRequest request, Nanos now, JoinDone done) {
  std::string member_id = request.member_id;
  if (!request.instance_id && pending_.contains(member_id))
    return add_member(std::move(request), std::move(member_id), now, std::move(done));
  const ErrorCode error = check_member(member_id, request.instance_id);
  if (error != ErrorCode::none) return refuse_join(std::move(done), error, std::move(member_id));
  Member& member = members_.find(member_id)->second;
  keep_session(member, now);
  rejoin(member, std::move(request), now, std::move(done));
}

void Group::rejoin(Member& member, JoinRequest request, Nanos now, JoinDone done) {
  const bool leads = member.kept.member_id == kept_.leader;
  const bool unchanged = member.kept.protocols == request.protocols;
  // Who did not hear the answer of this round asks again; a follower of a stable group may ask
  // for where it stands. A leader that joins again wants a new assignment.
  if (unchanged && state_ == State::completing_rebalance)
    return answer_join(std::move(done), current(member, leads));
  if (unchanged && state_ == State::stable && !leads)
    return answer_join(std::move(done), current(member, false));
  update_member(member, std::move(request), std::move(done));
  rebalance_if_possible(now);
}

JoinAnswer Group::current(const Member& member, bool with_members) const {
  JoinAnswer answer{.generation = kept_.generation,
                    .protocol_type = kept_.protocol_type,
                    .protocol_name = kept_.protocol_name,
                    .leader = kept_.leader,
                    .member_id = member.kept.member_id};
  if (!with_members) return answer;
  for (const Member* other : in_order()) {
    const auto chosen =
        std::ranges::find(other->kept.protocols, kept_.protocol_name, &GroupProtocol::name);
    ADBROOK_ASSERT(chosen != other->kept.protocols.end(), "all members offer the chosen protocol");
    answer.members.push_back({other->kept.member_id, other->kept.instance_id, chosen->metadata});
  }
  return answer;
}

// A static member came back without its id: it takes over the place of the one that had its name,
// which is fenced from now on.
void Group::replace_static(const std::string& old_id, JoinRequest request, std::string fresh_id,
                           Nanos now, JoinDone done) {
  auto node = members_.extract(old_id);
  ADBROOK_ASSERT(!node.empty(), "a static id names a member");
  node.key() = fresh_id;
  Member& member = members_.insert(std::move(node)).position->second;
  member.kept.member_id = fresh_id;
  static_ids_[*request.instance_id] = fresh_id;
  if (member.joining)
    refuse_join(std::exchange(member.joining, nullptr), ErrorCode::fenced_instance_id, old_id);
  if (member.syncing)
    answer_sync(std::exchange(member.syncing, nullptr), {.error = ErrorCode::fenced_instance_id});
  if (unsynced_.erase(old_id) > 0) unsynced_.insert(fresh_id);
  const std::string old_leader = kept_.leader;
  if (old_leader == old_id) kept_.leader = fresh_id;
  keep_session(member, now);

  const auto consumed = [&](const Member& of) {
    const auto chosen =
        std::ranges::find(of.kept.protocols, kept_.protocol_name, &GroupProtocol::name);
    return chosen == of.kept.protocols.end() ? std::nullopt : subscribed_topics(chosen->metadata);
  };
  const auto before = consumed(member);
  const bool may_skip = request.may_skip_assignment;
  update_member(member, std::move(request), nullptr);
  const bool same =
      select_protocol() == kept_.protocol_name && before && consumed(member) == before;
  if (state_ != State::stable || !same) {
    member.joining = std::move(done);
    return rebalance_if_possible(now);
  }
  want_save();
  waiting_for_save_.emplace_back([this, fresh_id, old_leader, may_skip, done = std::move(done)](
                                     ErrorCode error, Nanos) mutable {
    if (error != ErrorCode::none) return refuse_join(std::move(done), error, fresh_id);
    answer_replaced(fresh_id, old_leader, may_skip, std::move(done));
  });
}

// A leader that came back may only be told so when it knows that it must not assign again; others
// are told the id that it had, and so take themselves for a follower.
void Group::answer_replaced(const std::string& member_id, const std::string& old_leader,
                            bool may_skip_assignment, JoinDone done) {
  const auto found = members_.find(member_id);
  if (found == members_.end() || state_ != State::stable)
    return refuse_join(std::move(done), ErrorCode::unknown_member_id, member_id);
  const bool leads = kept_.leader == member_id;
  JoinAnswer answer = current(found->second, leads && may_skip_assignment);
  if (leads && may_skip_assignment) answer.skip_assignment = true;
  if (leads && !may_skip_assignment) answer.leader = old_leader;
  answer_join(std::move(done), std::move(answer));
}

ErrorCode Group::check_member(std::string_view member_id,
                              const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const auto known = static_ids_.find(*instance_id);
    if (known == static_ids_.end()) return ErrorCode::unknown_member_id;
    if (known->second != member_id) return ErrorCode::fenced_instance_id;
  }
  return members_.contains(member_id) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

ErrorCode Group::check_claim(const MemberClaim& claim) const {
  const ErrorCode error = check_member(claim.member_id, claim.instance_id);
  if (error != ErrorCode::none) return error;
  return claim.generation == kept_.generation ? ErrorCode::none : ErrorCode::illegal_generation;
}

SyncAnswer Group::current_assignment(const Member& member) const {
  return {.protocol_type = kept_.protocol_type,
          .protocol_name = kept_.protocol_name,
          .assignment = member.kept.assignment};
}

void Group::sync(SyncRequest request, Nanos now, SyncDone done) {
  ErrorCode error = check_claim(request.claim);
  if (error == ErrorCode::none &&
      ((request.protocol_type && *request.protocol_type != kept_.protocol_type) ||
       (request.protocol_name && *request.protocol_name != kept_.protocol_name)))
    error = ErrorCode::inconsistent_group_protocol;
  if (error == ErrorCode::none && assignments_size(request) > kAssignmentsSizeMax)
    error = ErrorCode::invalid_request;
  if (error == ErrorCode::none && state_ == State::preparing_rebalance)
    error = ErrorCode::rebalance_in_progress;
  if (error != ErrorCode::none) return answer_sync(std::move(done), {.error = error});
  Member& member = members_.find(request.claim.member_id)->second;
  unsynced_.erase(member.kept.member_id);
  if (unsynced_.empty()) sync_deadline_.reset();
  keep_session(member, now);
  if (state_ == State::stable) return answer_sync(std::move(done), current_assignment(member));
  sync_completing(member, std::move(request), now, std::move(done));
}

void Group::sync_completing(Member& member, SyncRequest request, Nanos now, SyncDone done) {
  if (member.syncing)  // it asked again, so nobody listens for the first answer
    answer_sync(std::exchange(member.syncing, nullptr),
                {.error = ErrorCode::rebalance_in_progress});
  member.syncing = std::move(done);
  if (member.kept.member_id != kept_.leader) return;
  for (auto& [id, other] : members_) other.kept.assignment.clear();
  for (auto& [id, assignment] : request.assignments)
    if (const auto other = members_.find(id); other != members_.end())
      other->second.kept.assignment = std::move(assignment);
  want_save();
  waiting_for_save_.emplace_back([this, generation = kept_.generation](ErrorCode saved, Nanos at) {
    if (state_ != State::completing_rebalance || kept_.generation != generation) return;
    for (auto& [id, other] : members_) {
      if (!other.syncing) continue;
      keep_session(other, at);
      answer_sync(std::exchange(other.syncing, nullptr), saved == ErrorCode::none
                                                             ? current_assignment(other)
                                                             : SyncAnswer{.error = saved});
    }
    if (saved == ErrorCode::none)
      state_ = State::stable;
    else
      prepare_rebalance(at);
  });
  keep_session(member, now);
}

ErrorCode Group::heartbeat(const MemberClaim& claim, Nanos now) {
  const ErrorCode error = check_claim(claim);
  if (error != ErrorCode::none) return error;
  keep_session(members_.find(claim.member_id)->second, now);
  return state_ == State::preparing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

ErrorCode Group::leave(const MemberClaim& claim, Nanos now) {
  std::string member_id = claim.member_id;
  if (member_id.empty() && claim.instance_id) {
    // An admin names a static member without knowing its id.
    const auto known = static_ids_.find(*claim.instance_id);
    if (known == static_ids_.end()) return ErrorCode::unknown_member_id;
    member_id = known->second;
  }
  if (pending_.erase(member_id) > 0) {
    complete_if_all_joined(now);
    return ErrorCode::none;
  }
  const ErrorCode error = check_member(member_id, claim.instance_id);
  if (error == ErrorCode::none) remove_and_rebalance(member_id, now);
  return error;
}

ErrorCode Group::check_commit(const MemberClaim& claim, Nanos now) {
  if (claim.generation < 0 && claim.member_id.empty() && members_.empty()) return ErrorCode::none;
  const ErrorCode error = check_claim(claim);
  if (error != ErrorCode::none) return error;
  if (state_ == State::completing_rebalance) return ErrorCode::rebalance_in_progress;
  keep_session(members_.find(claim.member_id)->second, now);
  return ErrorCode::none;
}

ErrorCode Group::check_transactional_commit(const MemberClaim& claim) const {
  if (claim.generation < 0 && claim.member_id.empty() && !claim.instance_id) return ErrorCode::none;
  return check_claim(claim);
}

std::optional<Group::Unsaved> Group::take_unsaved(Timestamp now) {
  if (!std::exchange(save_wanted_, false)) return std::nullopt;
  if (members_.empty()) kept_.empty_since = now;
  saving_.emplace_back(next_token_, std::exchange(waiting_for_save_, {}));
  return Unsaved{next_token_++, snapshot()};
}

void Group::saved(std::int64_t token, ErrorCode error, Nanos now) {
  const auto answered =
      std::ranges::find_if(saving_, [&](const auto& save) { return save.first == token; });
  if (answered == saving_.end()) return;
  auto waiting = std::move(answered->second);
  saving_.erase(answered);
  for (AfterSave& step : waiting) step(error, now);
}

std::optional<std::vector<std::string>> subscribed_topics(ByteView metadata) {
  constexpr std::size_t kTopicsMax = 100'000;
  std::size_t at = 2;  // the version; the topics stand in the same place in all of them
  if (metadata.size() < at + 4) return std::nullopt;
  const auto count = load_be<std::int32_t>(metadata.data() + at);
  at += 4;
  if (count < 0 || static_cast<std::size_t>(count) > kTopicsMax) return std::nullopt;
  std::vector<std::string> topics;
  for (std::int32_t i = 0; i < count; ++i) {
    if (metadata.size() - at < 2) return std::nullopt;
    const auto size = load_be<std::int16_t>(metadata.data() + at);
    at += 2;
    if (size < 0 || metadata.size() - at < static_cast<std::size_t>(size)) return std::nullopt;
    topics.emplace_back(as_text(metadata.subspan(at, static_cast<std::size_t>(size))));
    at += static_cast<std::size_t>(size);
  }
  std::ranges::sort(topics);
  return topics;
}

}  // namespace adbrook::broker
