// The rounds of a group: who is waited for, and for how long, until a generation begins.
#include <algorithm>

#include "base/assert.h"
#include "broker/group.h"

namespace adbrook::broker {

void Group::add_member(JoinRequest request, std::string member_id, Nanos now, JoinDone done) {
  pending_.erase(member_id);
  if (members_.empty()) kept_.protocol_type = request.protocol_type;
  if (kept_.leader.empty()) kept_.leader = member_id;
  if (request.instance_id) static_ids_[*request.instance_id] = member_id;
  Member& member = members_[member_id];
  member.kept.member_id = std::move(member_id);
  member.kept.instance_id = request.instance_id;
  member.kept.client_id = request.client_id;
  member.kept.client_host = request.client_host;
  member.join_number = next_join_number_++;
  member.is_new = true;
  member.session_end = now + kNewMemberPatience;
  joined_since_delay_ = true;
  update_member(member, std::move(request), std::move(done));
  rebalance_if_possible(now);
}

void Group::update_member(Member& member, JoinRequest request, JoinDone done) {
  member.kept.protocols = std::move(request.protocols);
  member.kept.session_timeout = request.session_timeout;
  member.kept.rebalance_timeout = request.rebalance_timeout;
  if (!done) return;
  if (member.joining)  // it asked again, so nobody listens for the first answer
    refuse_join(std::exchange(member.joining, nullptr), ErrorCode::rebalance_in_progress,
                member.kept.member_id);
  member.joining = std::move(done);
}

// A member that waits is alive as long as it waits, unless it is new.
void Group::keep_session(Member& member, Nanos now) {
  if (!(member.is_new && member.joining)) member.session_end = now + member.kept.session_timeout;
}

std::vector<const Group::Member*> Group::in_order() const {
  std::vector<const Member*> ordered;
  for (const auto& [id, member] : members_) ordered.push_back(&member);
  std::ranges::sort(ordered, {}, &Member::join_number);
  return ordered;
}

Millis Group::longest_rebalance() const {
  Millis longest{0};
  for (const auto& [id, member] : members_)
    longest = std::max(longest, member.kept.rebalance_timeout);
  return longest;
}

// Each member votes for the first of its protocols that all know; the first member's list decides
// between equals.
std::string Group::select_protocol() const {
  const auto ordered = in_order();
  if (ordered.empty()) return {};
  const auto known_to_all = [&](const std::string& name) {
    return std::ranges::all_of(ordered, [&](const Member* member) {
      return std::ranges::find(member->kept.protocols, name, &GroupProtocol::name) !=
             member->kept.protocols.end();
    });
  };
  std::map<std::string, int> votes;
  for (const Member* member : ordered) {
    const auto choice = std::ranges::find_if(
        member->kept.protocols, [&](const GroupProtocol& p) { return known_to_all(p.name); });
    if (choice != member->kept.protocols.end()) ++votes[choice->name];
  }
  const GroupProtocol* best = nullptr;
  for (const GroupProtocol& candidate : ordered.front()->kept.protocols) {
    const auto counted = votes.find(candidate.name);
    if (counted == votes.end()) continue;
    if (best == nullptr || counted->second > votes.at(best->name)) best = &candidate;
  }
  return best == nullptr ? std::string() : best->name;
}

void Group::rebalance_if_possible(Nanos now) {
  if (state_ != State::preparing_rebalance) prepare_rebalance(now);
}

void Group::prepare_rebalance(Nanos now) {
  if (state_ == State::completing_rebalance) {
    for (auto& [id, member] : members_) {
      member.kept.assignment.clear();
      if (!member.syncing) continue;
      keep_session(member, now);
      answer_sync(std::exchange(member.syncing, nullptr),
                  {.error = ErrorCode::rebalance_in_progress});
    }
  }
  unsynced_.clear();
  sync_deadline_.reset();
  if (state_ == State::empty) {
    const Millis delay = options_.initial_rebalance_delay;
    initial_left_ = std::max(longest_rebalance() - delay, Millis(0));
    join_deadline_ = now + delay;
    joined_since_delay_ = false;
  } else {
    initial_left_.reset();
    join_deadline_ = now + longest_rebalance();
  }
  state_ = State::preparing_rebalance;
}

void Group::complete_if_all_joined(Nanos now) {
  if (state_ != State::preparing_rebalance || initial_left_ || !pending_.empty()) return;
  if (std::ranges::all_of(members_, [](const auto& entry) { return bool(entry.second.joining); }))
    complete_join(now);
}

// More members came while the first ones waited: wait for the next ones as long again, but not
// beyond the rebalance timeout.
void Group::initial_delay_over(Nanos now) {
  if (std::exchange(joined_since_delay_, false) && *initial_left_ > Millis(0)) {
    const Millis more = std::min(options_.initial_rebalance_delay, *initial_left_);
    *initial_left_ -= more;
    join_deadline_ = now + std::max(more, Millis(1));
    return;
  }
  initial_left_.reset();
  complete_join(now);
}

void Group::complete_join(Nanos now) {
  std::vector<std::string> missing;
  for (const auto& [id, member] : members_)
    if (!member.joining && !member.kept.instance_id) missing.push_back(id);
  for (const std::string& id : missing) remove_member(id);
  if (!members_.empty() && !elect_joined_leader()) {
    // Only static members are left and none of them joined: their sessions decide.
    join_deadline_ = now + std::max(longest_rebalance(), Millis(1));
    return;
  }
  next_generation(now);
}

bool Group::elect_joined_leader() {
  const auto leader = members_.find(kept_.leader);
  if (leader != members_.end() && leader->second.joining) return true;
  for (const Member* member : in_order()) {
    if (!member->joining) continue;
    kept_.leader = member->kept.member_id;
    return true;
  }
  return false;
}

void Group::next_generation(Nanos now) {
  join_deadline_.reset();
  initial_left_.reset();
  // Wraps before the number would be negative, which means "no generation" to clients.
  kept_.generation = kept_.generation == INT32_MAX ? 1 : kept_.generation + 1;
  kept_.protocol_name = select_protocol();
  unsynced_.clear();
  if (members_.empty()) {
    state_ = State::empty;
    kept_.leader.clear();
    kept_.protocol_name.clear();
    return want_save();
  }
  state_ = State::completing_rebalance;
  for (auto& [id, member] : members_) {
    member.kept.assignment.clear();
    if (member.joining)
      answer_join(std::exchange(member.joining, nullptr), current(member, id == kept_.leader));
    member.is_new = false;
    keep_session(member, now);
    unsynced_.insert(id);
  }
  sync_deadline_ = now + longest_rebalance();
}

void Group::drop_unsynced(Nanos now) {
  sync_deadline_.reset();
  if (state_ != State::completing_rebalance && state_ != State::stable) return;
  for (const std::string& id : std::exchange(unsynced_, {})) remove_member(id);
  prepare_rebalance(now);
  complete_if_all_joined(now);
}

void Group::remove_member(const std::string& member_id) {
  auto node = members_.extract(member_id);
  if (node.empty()) return;
  Member& member = node.mapped();
  if (member.joining)
    refuse_join(std::move(member.joining), ErrorCode::unknown_member_id, member_id);
  if (member.syncing)
    answer_sync(std::move(member.syncing), {.error = ErrorCode::unknown_member_id});
  if (member.kept.instance_id) static_ids_.erase(*member.kept.instance_id);
  unsynced_.erase(member_id);
  if (kept_.leader != member_id) return;
  const auto ordered = in_order();
  kept_.leader = ordered.empty() ? std::string() : ordered.front()->kept.member_id;
}

void Group::refuse_waiting(ErrorCode error) {
  for (auto& [id, member] : members_) {
    if (member.joining) refuse_join(std::exchange(member.joining, nullptr), error, id);
    if (member.syncing) answer_sync(std::exchange(member.syncing, nullptr), {.error = error});
  }
}

void Group::remove_and_rebalance(const std::string& member_id, Nanos now) {
  remove_member(member_id);
  rebalance_if_possible(now);
  complete_if_all_joined(now);
}

void Group::tick(Nanos now) {
  const std::size_t pending_before = pending_.size();
  std::erase_if(pending_, [&](const auto& entry) { return entry.second <= now; });
  if (pending_.size() != pending_before) complete_if_all_joined(now);

  std::vector<std::string> lapsed;
  for (auto& [id, member] : members_) {
    if (member.session_end > now) continue;
    if (member.waits() && !member.is_new)
      keep_session(member, now);
    else
      lapsed.push_back(id);
  }
  for (const std::string& id : lapsed) remove_and_rebalance(id, now);

  if (join_deadline_ && *join_deadline_ <= now) {
    if (initial_left_)
      initial_delay_over(now);
    else
      complete_join(now);
  }
  if (sync_deadline_ && *sync_deadline_ <= now) drop_unsynced(now);
}

std::optional<Nanos> Group::next_deadline() const {
  std::optional<Nanos> next;
  const auto consider = [&](const std::optional<Nanos>& deadline) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  };
  consider(join_deadline_);
  consider(sync_deadline_);
  for (const auto& [id, end] : pending_) consider(end);
  for (const auto& [id, member] : members_) consider(member.session_end);
  return next;
}

}  // namespace adbrook::broker
