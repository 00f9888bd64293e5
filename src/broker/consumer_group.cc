#include "broker/consumer_group.h"

#include <algorithm>

#include "base/assert.h"
#include "broker/topic_pattern.h"

namespace adbrook::broker {
namespace {

bool contains(const PartitionSet& set, Uuid topic, std::int32_t partition) {
  const auto found = set.find(topic);
  return found != set.end() && found->second.contains(partition);
}

// Who tells nothing may own more.
bool owns_only_held(const std::optional<PartitionSet>& owned, const ConsumerMember& member) {
  return owned && std::ranges::all_of(*owned, [&](const auto& entry) {
           return std::ranges::all_of(entry.second, [&](std::int32_t p) {
             return contains(member.assigned, entry.first, p) ||
                    contains(member.revoking, entry.first, p);
           });
         });
}

// Who did not hear the last answer says everything again. A subscription is names or a pattern.
bool says_all(const ConsumerHeartbeat& request) {
  return request.rebalance_timeout && (request.topics || request.pattern) && request.owned;
}

std::string number(std::int32_t epoch) { return std::to_string(epoch); }

// Subscriptions are kept with the group, each save of a member writes its own, and one save may
// have all of them: it must fit an append.
constexpr std::size_t kMemberTextMax = std::size_t{1} << 20;
constexpr std::size_t kGroupTextMax = std::size_t{8} << 20;
constexpr std::size_t kTextHead = 4;  // of each text in a record

std::size_t text_size(const std::vector<std::string>& texts) {
  std::size_t size = 0;
  for (const std::string& text : texts) size += kTextHead + text.size();
  return size;
}

// Of what a client chose freely.
std::size_t text_size(const ConsumerMember& member) {
  return text_size(member.topics) + member.pattern.size() + member.member_id.size() +
         member.instance_id.value_or("").size() + member.rack_id.value_or("").size() +
         member.client_id.size() + member.assignor.size();
}

}  // namespace

ConsumerGroup::ConsumerGroup(std::string id, const GroupOptions& options,
                             ConsumerGroupSnapshot kept, Nanos now)
    : id_(std::move(id)), options_(options) {
  std::ranges::stable_sort(kept.members, std::ranges::greater(), &ConsumerMember::epoch);
  for (ConsumerMember& member : kept.members) {
    if (claims_held(member)) {
      gone_.insert(member.member_id);
      continue;
    }
    if (member.instance_id) static_ids_[*member.instance_id] = member.member_id;
    set_held(member, true);
    Member& added = members_[member.member_id];
    text_size_ += added.text_size = text_size(member);
    added.session_end = now + options_.consumer_session_timeout;
    if (member.state == ConsumerState::revoking)
      added.revoke_deadline = now + member.rebalance_timeout;
    added.kept = std::move(member);
  }
  kept.members.clear();
  kept_ = std::move(kept);
  if (gone_.empty()) return;
  ++kept_.epoch;  // what the others are to have is dealt out anew
  group_changed_ = true;
}

std::string_view ConsumerGroup::state_name() const {
  if (members_.empty()) return "Empty";
  if (kept_.epoch > kept_.target_epoch) return "Assigning";
  const bool stable = std::ranges::all_of(members_, [&](const auto& entry) {
    const ConsumerMember& member = entry.second.kept;
    return member.state == ConsumerState::stable && member.epoch == kept_.target_epoch;
  });
  return stable ? "Stable" : "Reconciling";
}

ConsumerGroupSnapshot ConsumerGroup::snapshot() const {
  ConsumerGroupSnapshot copy = kept_;
  for (const auto& [id, member] : members_) copy.members.push_back(member.kept);
  return copy;
}

std::vector<std::string> ConsumerGroup::member_ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, member] : members_) ids.push_back(id);
  return ids;
}

void ConsumerGroup::answer(ConsumerHeartbeatDone done, ConsumerHeartbeatAnswer answer) {
  answers_.emplace_back(
      [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

// Nothing is told that a crash could take back: also who changed nothing waits for what others
// changed before.
void ConsumerGroup::answer_when_durable(ConsumerHeartbeatDone done, ConsumerHeartbeatAnswer told) {
  if (!unsaved() && !saving_) return answer(std::move(done), std::move(told));
  waiting_for_save_.push_back({std::move(done), std::move(told)});
}

std::optional<ConsumerGroup::Refusal> ConsumerGroup::check_request(
    const ConsumerHeartbeat& request) const {
  const auto invalid = [](std::string why) {
    return Refusal{ErrorCode::invalid_request, std::move(why)};
  };
  if (request.member_id.empty()) return invalid("MemberId can't be empty.");
  if (request.instance_id && request.instance_id->empty())
    return invalid("InstanceId can't be empty.");
  if (request.rack_id && request.rack_id->empty()) return invalid("RackId can't be empty.");
  if (request.epoch < kAwayEpoch) return invalid("MemberEpoch is invalid.");
  if (request.epoch == kAwayEpoch && !request.instance_id)
    return invalid("InstanceId can't be null.");
  if (request.assignor && !request.assignor->empty() && find_assignor(*request.assignor) == nullptr)
    return Refusal{ErrorCode::unsupported_assignor,
                   "ServerAssignor " + *request.assignor +
                       " is not supported. Supported assignors: uniform, range."};
  if (request.pattern && !request.pattern->empty())
    if (const auto pattern = TopicPattern::compile(*request.pattern); !pattern)
      return Refusal{ErrorCode::invalid_regular_expression, pattern.error().message};
  if (auto refusal = check_size(request)) return refusal;
  return request.epoch == kJoinEpoch ? check_join(request) : std::nullopt;
}

std::optional<ConsumerGroup::Refusal> ConsumerGroup::check_size(
    const ConsumerHeartbeat& request) const {
  const auto found = members_.find(request.member_id);
  const Member* known = found == members_.end() ? nullptr : &found->second;
  const ConsumerMember nobody;
  const ConsumerMember& kept = known ? known->kept : nobody;
  const auto size_of = [](const std::optional<std::string>& asked,
                          const std::optional<std::string>& before) {
    return asked ? asked->size() : before ? before->size() : 0;
  };
  const std::size_t size =
      text_size(request.topics ? *request.topics : kept.topics) +
      size_of(request.pattern, kept.pattern) + size_of(request.instance_id, kept.instance_id) +
      size_of(request.rack_id, kept.rack_id) + size_of(request.assignor, kept.assignor) +
      request.member_id.size() + request.client_id.size();
  if (size > kMemberTextMax)
    return Refusal{ErrorCode::invalid_request,
                   "The subscription has " + std::to_string(size) + " bytes; it may have " +
                       std::to_string(kMemberTextMax) + ". Subscribe by a pattern."};
  if (text_size_ - (known ? known->text_size : 0) + size > kGroupTextMax)
    return Refusal{ErrorCode::group_max_size_reached,
                   "The subscriptions of the group's members may have " +
                       std::to_string(kGroupTextMax) + " bytes. Subscribe by a pattern."};
  return std::nullopt;
}

std::optional<ConsumerGroup::Refusal> ConsumerGroup::check_join(
    const ConsumerHeartbeat& request) const {
  const auto invalid = [](std::string why) {
    return Refusal{ErrorCode::invalid_request, std::move(why)};
  };
  if (!request.rebalance_timeout)
    return invalid("RebalanceTimeoutMs must be provided in first request.");
  if (!request.owned || !request.owned->empty())
    return invalid("TopicPartitions must be empty when (re-)joining.");
  const bool names = request.topics && !request.topics->empty();
  const bool pattern = request.pattern && !request.pattern->empty();
  if (!names && !pattern)
    return invalid("SubscribedTopicNames or SubscribedTopicRegex must be set in first request.");
  const bool known = members_.contains(request.member_id) ||
                     (request.instance_id && static_ids_.contains(*request.instance_id));
  if (!known && members_.size() >= static_cast<std::size_t>(options_.size_max))
    return Refusal{ErrorCode::group_max_size_reached,
                   "The consumer group has reached its maximum capacity of " +
                       std::to_string(options_.size_max) + " members."};
  return std::nullopt;
}

// Whether the name of a static member is this one's, or free.
std::optional<ConsumerGroup::Refusal> ConsumerGroup::check_static(
    const ConsumerHeartbeat& request) const {
  if (!request.instance_id) return std::nullopt;
  const auto known = static_ids_.find(*request.instance_id);
  const bool joins = request.epoch == kJoinEpoch;
  if (known == static_ids_.end()) {
    if (joins) return std::nullopt;
    return Refusal{ErrorCode::unknown_member_id,
                   "Instance id " + *request.instance_id + " is unknown."};
  }
  if (known->second == request.member_id) return std::nullopt;
  if (!joins)
    return Refusal{ErrorCode::fenced_instance_id,
                   "Static member " + request.member_id + " with instance id " +
                       *request.instance_id + " was fenced by member " + known->second + "."};
  if (members_.find(known->second)->second.kept.epoch == kAwayEpoch) return std::nullopt;
  return Refusal{ErrorCode::unreleased_instance_id,
                 "Static member " + request.member_id + " with instance id " +
                     *request.instance_id +
                     " cannot join the group because the instance id is owned by " + known->second +
                     " member."};
}

// Who comes with the epoch before, and owns only what is still held for it, did not hear the last
// answer. Kafka fences such a member where that answer asked for partitions back; they are still
// its own until it lets go of them, so here it goes on. Who comes with 0 begins anew and owns
// nothing.
std::optional<ConsumerGroup::Refusal> ConsumerGroup::check_epoch(
    const ConsumerHeartbeat& request) const {
  const auto found = members_.find(request.member_id);
  if (request.epoch == kJoinEpoch) return std::nullopt;
  if (found == members_.end())
    return Refusal{ErrorCode::unknown_member_id,
                   "Member " + request.member_id + " is not a member of group " + id_ + "."};
  const ConsumerMember& member = found->second.kept;
  if (request.epoch < 0 || request.epoch == member.epoch) return std::nullopt;
  const bool unheard = request.epoch < member.epoch && request.epoch == member.previous_epoch &&
                       owns_only_held(request.owned, member);
  if (unheard) return std::nullopt;
  const std::string_view relation = request.epoch > member.epoch ? "greater" : "smaller";
  return Refusal{ErrorCode::fenced_member_epoch,
                 "The consumer group member has a " + std::string(relation) + " member epoch (" +
                     number(request.epoch) + ") than the one known by the group coordinator (" +
                     number(member.epoch) +
                     "). The member must abandon all its partitions and rejoin."};
}

void ConsumerGroup::heartbeat(ConsumerHeartbeat request, const TopicCatalogPtr& catalog, Nanos now,
                              ConsumerHeartbeatDone done) {
  save_failed_ = false;
  auto refusal = check_request(request);
  if (!refusal) refusal = check_static(request);
  if (!refusal) refusal = check_epoch(request);
  if (refusal)
    return answer(std::move(done), {.error = refusal->error, .message = refusal->message});
  if (request.epoch < 0) return leave(request, std::move(done));
  Member& member =
      request.epoch == kJoinEpoch ? join(request) : members_.find(request.member_id)->second;
  const ConsumerMember before = member.kept;
  const bool subscription_changed = update(member, request);
  look_at_topics(catalog, subscription_changed);
  if (kept_.epoch > kept_.target_epoch) deal_out();
  reconcile(member, request.owned, now);
  if (member.kept != before) changed_.insert(member.kept.member_id);
  member.session_end = now + options_.consumer_session_timeout;

  ConsumerHeartbeatAnswer told{.member_id = member.kept.member_id, .epoch = member.kept.epoch};
  const bool unheard = request.epoch != before.epoch || says_all(request);
  if (request.epoch == kJoinEpoch || unheard || member.kept.assigned != before.assigned)
    told.assignment = member.kept.assigned;
  answer_when_durable(std::move(done), std::move(told));
}

ConsumerGroup::Member& ConsumerGroup::join(const ConsumerHeartbeat& request) {
  const auto known =
      request.instance_id ? static_ids_.find(*request.instance_id) : static_ids_.end();
  if (known != static_ids_.end() && known->second != request.member_id)
    replace_static(std::string(known->second), request.member_id);
  const auto [found, fresh] = members_.try_emplace(request.member_id);
  if (fresh) {
    found->second.kept.member_id = request.member_id;
    gone_.erase(request.member_id);
    changed_.insert(request.member_id);
  }
  return found->second;
}

// The one that came back has another id and takes over what the one before had; both are closed to
// it, so nothing of it is still being revoked.
void ConsumerGroup::replace_static(const std::string& old_id, const std::string& new_id) {
  remove_member(new_id);
  auto node = members_.extract(old_id);
  ADBROOK_ASSERT(!node.empty(), "a static id names a member");
  node.key() = new_id;
  ConsumerMember& member = members_.insert(std::move(node)).position->second.kept;
  member.member_id = new_id;
  member.epoch = kJoinEpoch;
  member.previous_epoch = kJoinEpoch;
  static_ids_[*member.instance_id] = new_id;
  gone_.insert(old_id);
  changed_.erase(old_id);
  gone_.erase(new_id);
  changed_.insert(new_id);
}

// True when it subscribes to something else than before.
bool ConsumerGroup::update(Member& updated, const ConsumerHeartbeat& request) {
  ConsumerMember& member = updated.kept;
  if (request.instance_id && member.instance_id != request.instance_id) {
    if (member.instance_id) static_ids_.erase(*member.instance_id);
    member.instance_id = request.instance_id;
    static_ids_[*request.instance_id] = member.member_id;
  }
  if (request.rack_id) member.rack_id = request.rack_id;
  member.client_id = request.client_id;
  member.client_host = request.client_host;
  if (request.rebalance_timeout) member.rebalance_timeout = *request.rebalance_timeout;
  if (request.assignor) member.assignor = *request.assignor;
  bool changed = false;
  if (request.topics) {
    std::vector<std::string> topics = *request.topics;
    std::ranges::sort(topics);
    topics.erase(std::ranges::unique(topics).begin(), topics.end());
    changed = topics != member.topics;
    member.topics = std::move(topics);
  }
  if (request.pattern) {
    changed |= *request.pattern != member.pattern;
    member.pattern = *request.pattern;
  }
  if (changed) updated.subscribed = nullptr;
  text_size_ -= updated.text_size;
  text_size_ += updated.text_size = text_size(member);
  return changed;
}

void ConsumerGroup::leave(const ConsumerHeartbeat& request, ConsumerHeartbeatDone done) {
  Member& member = members_.find(request.member_id)->second;
  if (request.epoch == kAwayEpoch) {
    // Its partitions wait for it as long as its session does.
    set_held(member.kept, false);
    member.kept.epoch = kAwayEpoch;
    member.kept.revoking.clear();
    member.kept.state = ConsumerState::stable;
    member.revoke_deadline.reset();
    set_held(member.kept, true);
    changed_.insert(request.member_id);
  } else {
    remove_member(request.member_id);
  }
  answer_when_durable(std::move(done), {.member_id = request.member_id, .epoch = request.epoch});
}

void ConsumerGroup::remove_member(const std::string& member_id) {
  const auto node = members_.extract(member_id);
  if (node.empty()) return;
  const ConsumerMember& member = node.mapped().kept;
  text_size_ -= node.mapped().text_size;
  set_held(member, false);
  if (member.instance_id) static_ids_.erase(*member.instance_id);
  changed_.erase(member_id);
  gone_.insert(member_id);
  ++kept_.epoch;
  group_changed_ = true;
  look_again_ = true;
}

ErrorCode ConsumerGroup::remove(const MemberClaim& claim) {
  save_failed_ = false;
  std::string member_id = claim.member_id;
  if (member_id.empty() && claim.instance_id) {
    const auto known = static_ids_.find(*claim.instance_id);
    if (known == static_ids_.end()) return ErrorCode::unknown_member_id;
    member_id = known->second;
  }
  const auto found = members_.find(member_id);
  if (found == members_.end()) return ErrorCode::unknown_member_id;
  if (claim.instance_id && found->second.kept.instance_id != claim.instance_id)
    return ErrorCode::fenced_instance_id;
  remove_member(member_id);
  return ErrorCode::none;
}

ErrorCode ConsumerGroup::check_member(const MemberClaim& claim) const {
  const auto found = members_.find(claim.member_id);
  if (found == members_.end()) return ErrorCode::unknown_member_id;
  // One that is away has a negative epoch, and nobody speaks for it.
  const bool current = claim.generation >= 0 && claim.generation == found->second.kept.epoch;
  return current ? ErrorCode::none : ErrorCode::stale_member_epoch;
}

ErrorCode ConsumerGroup::check_commit(const MemberClaim& claim, Request request) const {
  if (claim.generation < 0 && members_.empty()) return ErrorCode::none;
  const ErrorCode error = check_member(claim);
  if (error == ErrorCode::unknown_member_id) return error;
  return request == Request::older ? ErrorCode::unsupported_version : error;
}

ErrorCode ConsumerGroup::check_fetch(const MemberClaim& claim) const {
  const bool names_nobody = claim.generation < 0 && claim.member_id.empty();
  return names_nobody ? ErrorCode::none : check_member(claim);
}

ErrorCode ConsumerGroup::check_transactional_commit(const MemberClaim& claim) const {
  if (claim.generation < 0 && claim.member_id.empty() && !claim.instance_id) return ErrorCode::none;
  const ErrorCode error = check_member(claim);
  return error == ErrorCode::stale_member_epoch ? ErrorCode::illegal_generation : error;
}

void ConsumerGroup::tick(Nanos now) {
  std::vector<std::string> lapsed;
  for (const auto& [id, member] : members_)
    if (member.session_end <= now || (member.revoke_deadline && *member.revoke_deadline <= now))
      lapsed.push_back(id);
  if (!lapsed.empty()) save_failed_ = false;
  for (const std::string& id : lapsed) remove_member(id);
}

std::optional<Nanos> ConsumerGroup::next_deadline() const {
  std::optional<Nanos> next;
  const auto consider = [&](Nanos deadline) {
    if (!next || deadline < *next) next = deadline;
  };
  for (const auto& [id, member] : members_) {
    consider(member.session_end);
    if (member.revoke_deadline) consider(*member.revoke_deadline);
  }
  return next;
}

void ConsumerGroup::finish(std::vector<Waiting> waiting, ErrorCode error) {
  for (Waiting& one : waiting) {
    if (error != ErrorCode::none)
      one.told = {.error = error, .message = "the group could not be saved; try again"};
    answer(std::move(one.done), std::move(one.told));
  }
}

void ConsumerGroup::refuse_waiting(ErrorCode error) {
  if (saving_) finish(std::exchange(saving_->waiting, {}), error);
  finish(std::exchange(waiting_for_save_, {}), error);
}

std::optional<ConsumerGroup::Unsaved> ConsumerGroup::take_unsaved(Timestamp now) {
  if (saving_ || save_failed_ || !unsaved()) return std::nullopt;
  if (members_.empty()) kept_.empty_since = now;
  Unsaved unsaved{.token = next_token_++};
  saving_ = Saving{.token = unsaved.token, .group = group_changed_};
  if (std::exchange(group_changed_, false)) unsaved.group = kept_;
  for (const std::string& id : std::exchange(changed_, {})) {
    unsaved.members.push_back(members_.find(id)->second.kept);
    saving_->members.push_back(id);
  }
  for (const std::string& id : std::exchange(gone_, {})) {
    unsaved.gone.push_back(id);
    saving_->members.push_back(id);
  }
  saving_->waiting = std::exchange(waiting_for_save_, {});
  return unsaved;
}

void ConsumerGroup::saved(std::int64_t token, ErrorCode error) {
  ADBROOK_ASSERT(saving_ && saving_->token == token, "one save is under way at a time");
  Saving save = std::move(*std::exchange(saving_, std::nullopt));
  finish(std::move(save.waiting), error);
  if (error == ErrorCode::none) {
    if (!unsaved()) finish(std::exchange(waiting_for_save_, {}), error);
    return;
  }
  // Memory is ahead of the log: all of it belongs to the next save.
  save_failed_ = true;
  group_changed_ |= save.group;
  for (const std::string& id : save.members) (members_.contains(id) ? changed_ : gone_).insert(id);
  finish(std::exchange(waiting_for_save_, {}), error);
}

}  // namespace adbrook::broker
