// A consumer group of the newer protocol (KIP-848) as a state machine: members tell what they
// subscribe to and what they own by heartbeats alone, the group deals the partitions out itself and
// leads each member there step by step. A partition goes to its next owner only after the one
// before said that it let go, or was thrown out. It follows Kafka's GroupMetadataManager.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "broker/consumer_assignor.h"
#include "broker/group.h"
#include "broker/group_options.h"
#include "io/executor.h"
#include "protocol/error_code.h"

namespace adbrook::broker {

struct TopicShape {
  Uuid id;
  std::int32_t partition_count = 0;
  friend bool operator==(const TopicShape&, const TopicShape&) = default;
};
// All topics that clients may consume, at one moment, by name.
using TopicCatalog = std::map<std::string, TopicShape, std::less<>>;
// Shared, so that groups which have seen one know it again.
using TopicCatalogPtr = std::shared_ptr<const TopicCatalog>;

// Member epochs with a meaning of their own.
inline constexpr std::int32_t kJoinEpoch = 0;
inline constexpr std::int32_t kLeaveEpoch = -1;
inline constexpr std::int32_t kAwayEpoch = -2;  // a static member that will come back

enum class ConsumerState : std::int8_t {
  stable = 0,      // it has what it was dealt, as far as that was there to have
  revoking = 1,    // it is to let go of partitions and has not said that it did
  unreleased = 2,  // somebody else has not yet let go of some of what it was dealt
};

// What is kept over a restart; also what tools are told.
struct ConsumerMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  Millis rebalance_timeout{0};
  std::vector<std::string> topics;  // sorted
  std::string pattern;              // empty: it subscribes by names alone
  std::string assignor;             // empty: it has no wish
  std::int32_t epoch = kJoinEpoch;
  std::int32_t previous_epoch = kJoinEpoch;
  ConsumerState state = ConsumerState::stable;
  PartitionSet assigned;
  PartitionSet revoking;  // still its own until it says otherwise
  PartitionSet target;
  friend bool operator==(const ConsumerMember&, const ConsumerMember&) = default;
};

struct ConsumerGroupSnapshot {
  std::int32_t epoch = 0;         // raised by each change of members, subscriptions and topics
  std::int32_t target_epoch = 0;  // the epoch for which was dealt out
  std::string assignor;
  Timestamp empty_since;
  TopicCatalog topics;  // those that were dealt out
  std::vector<ConsumerMember> members;
};

struct ConsumerHeartbeat {
  std::string member_id;
  bool wants_id = false;  // version 0: who joins without an id is given one
  std::int32_t epoch = kJoinEpoch;
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  // What is absent did not change since the last one.
  std::optional<Millis> rebalance_timeout;
  std::optional<std::vector<std::string>> topics;
  std::optional<std::string> pattern;
  std::optional<std::string> assignor;
  std::optional<PartitionSet> owned;
};

struct ConsumerHeartbeatAnswer {
  ErrorCode error = ErrorCode::none;
  std::string message;  // why, when there is an error
  std::string member_id;
  std::int32_t epoch = 0;
  std::optional<PartitionSet> assignment;  // absent: as the member knows it
};
using ConsumerHeartbeatDone = std::move_only_function<void(ConsumerHeartbeatAnswer)>;

// Owned by one thread (or by whoever holds its coordinator's lock). Time comes in with each call on
// the monotonic clock; answers, due or parked, come out of take_answers().
class ConsumerGroup {
 public:
  ConsumerGroup(std::string id, const GroupOptions& options, Timestamp now)
      : id_(std::move(id)), options_(options) {
    kept_.empty_since = now;
  }
  // As it was saved; every member has a whole session to be heard of again. Of members that claim
  // the same, which only a record left behind does, the one of the highest epoch is kept.
  ConsumerGroup(std::string id, const GroupOptions& options, ConsumerGroupSnapshot kept, Nanos now);

  // Joins, works, leaves. Answers when what it tells is durable.
  void heartbeat(ConsumerHeartbeat request, const TopicCatalogPtr& catalog, Nanos now,
                 ConsumerHeartbeatDone done);
  // An administrator takes a member out, by its id or its instance id.
  ErrorCode remove(const MemberClaim& claim);

  // Whether offsets of this claim may be committed or read. An older request cannot name an epoch.
  enum class Request : std::uint8_t { older, with_epoch };
  ErrorCode check_commit(const MemberClaim& claim, Request request) const;
  ErrorCode check_fetch(const MemberClaim& claim) const;
  // The same inside a transaction, where a claim may also name nobody.
  ErrorCode check_transactional_commit(const MemberClaim& claim) const;

  // Does what is due. Calls before next_deadline() do nothing.
  void tick(Nanos now);
  std::optional<Nanos> next_deadline() const;

  // Answers that are due since the last call; run them outside of every lock.
  std::vector<io::Step> take_answers() { return std::exchange(answers_, {}); }
  // Everybody who waits is refused with this, for good: the coordinator stops.
  void refuse_waiting(ErrorCode error);

  // What has to become durable since the last call, as one append.
  struct Unsaved {
    std::int64_t token;
    std::optional<ConsumerGroupSnapshot> group;  // without its members
    std::vector<ConsumerMember> members;
    std::vector<std::string> gone;  // member ids
  };
  std::optional<Unsaved> take_unsaved(Timestamp now);
  // One save is under way at a time; what changes meanwhile is in the next one. Any error but
  // `none` says that nothing was kept: it goes to all who wait, and the next request tries again.
  void saved(std::int64_t token, ErrorCode error);
  bool is_saved() const { return !saving_ && !unsaved(); }
  // What a failed save left is in the next one without waiting for a request.
  void save_again() { save_failed_ = false; }

  const std::string& id() const { return id_; }
  std::string_view state_name() const;
  bool has_members() const { return !members_.empty(); }
  Timestamp empty_since() const { return kept_.empty_since; }
  ConsumerGroupSnapshot snapshot() const;
  std::vector<std::string> member_ids() const;
  // True when a member consumes this topic.
  bool subscribes(const std::string& topic) const { return kept_.topics.contains(topic); }

 private:
  // What a subscription is of the topics in `seen_`; shared by all who have the same one.
  struct Subscribed {
    TopicCatalog topics;
    TopicIds ids;
  };
  using SubscribedPtr = std::shared_ptr<const Subscribed>;
  struct Member {
    ConsumerMember kept;
    std::size_t text_size = 0;  // as text_size() of `kept`
    SubscribedPtr subscribed;   // null until it is looked at
    Nanos session_end{0};
    std::optional<Nanos> revoke_deadline;
  };
  using Members = std::map<std::string, Member, std::less<>>;
  struct Refusal {
    ErrorCode error;
    std::string message;
  };

  // consumer_group.cc: members come, change and go
  std::optional<Refusal> check_request(const ConsumerHeartbeat& request) const;
  std::optional<Refusal> check_join(const ConsumerHeartbeat& request) const;
  std::optional<Refusal> check_size(const ConsumerHeartbeat& request) const;
  std::optional<Refusal> check_static(const ConsumerHeartbeat& request) const;
  std::optional<Refusal> check_epoch(const ConsumerHeartbeat& request) const;
  void leave(const ConsumerHeartbeat& request, ConsumerHeartbeatDone done);
  Member& join(const ConsumerHeartbeat& request);
  void replace_static(const std::string& old_id, const std::string& new_id);
  bool update(Member& member, const ConsumerHeartbeat& request);
  void remove_member(const std::string& member_id);
  ErrorCode check_member(const MemberClaim& claim) const;
  void answer(ConsumerHeartbeatDone done, ConsumerHeartbeatAnswer answer);
  void answer_when_durable(ConsumerHeartbeatDone done, ConsumerHeartbeatAnswer answer);
  bool unsaved() const { return group_changed_ || !changed_.empty() || !gone_.empty(); }

  // consumer_group_reconcile.cc: who is to have what, and the way there
  void look_at_topics(const TopicCatalogPtr& catalog, bool subscription_changed);
  SubscribedPtr subscribed(const ConsumerMember& member);
  void deal_out();
  std::string choose_assignor() const;
  void reconcile(Member& member, const std::optional<PartitionSet>& owned, Nanos now);
  void advance(Member& member, std::int32_t epoch, const std::optional<PartitionSet>& owned,
               Nanos now);
  void set_held(const ConsumerMember& member, bool held);
  bool claims_held(const ConsumerMember& member) const;

  const std::string id_;
  const GroupOptions& options_;
  ConsumerGroupSnapshot kept_;  // without its members
  Members members_;
  std::map<std::string, std::string, std::less<>> static_ids_;  // instance id → member id
  PartitionSet held_;  // what some member has, or has not yet let go of

  TopicCatalogPtr seen_;     // what kept_.topics was made from
  bool look_again_ = false;  // somebody left: its topics may be nobody's any more
  std::map<std::pair<std::vector<std::string>, std::string>, SubscribedPtr> subscriptions_;
  std::size_t text_size_ = 0;  // of all members

  std::vector<io::Step> answers_;
  bool group_changed_ = false;
  std::set<std::string> changed_;  // member ids, since the last save
  std::set<std::string> gone_;
  std::int64_t next_token_ = 1;
  struct Waiting {
    ConsumerHeartbeatDone done;
    ConsumerHeartbeatAnswer told;
  };
  void finish(std::vector<Waiting> waiting, ErrorCode error);
  std::vector<Waiting> waiting_for_save_;
  struct Saving {
    std::int64_t token;
    bool group;
    std::vector<std::string> members;
    std::vector<Waiting> waiting;
  };
  std::optional<Saving> saving_;
  bool save_failed_ = false;  // since the last request
};

}  // namespace adbrook::broker
