// A classic consumer group as a state machine: who belongs to it, who leads, which generation it is
// in, when it rebalances. It follows Kafka's GroupCoordinator; the assignors are the clients'.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "broker/group_options.h"
#include "io/executor.h"
#include "protocol/error_code.h"

namespace adbrook::broker {

using protocol::ErrorCode;

// One assignor that a member offers, with bytes that only the members understand.
struct GroupProtocol {
  std::string name;
  Buffer metadata;
  friend bool operator==(const GroupProtocol&, const GroupProtocol&) = default;
};

// Who a request says it is from. An empty member id is somebody new (or, with an instance id, a
// static member by its name alone).
struct MemberClaim {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t generation = -1;
};

struct JoinRequest {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;
  Millis session_timeout{0};
  Millis rebalance_timeout{0};
  bool must_know_its_id = false;     // version 4 and above: an id is handed out first (KIP-394)
  bool may_skip_assignment = false;  // version 9 and above (KIP-814)
};

struct JoinAnswer {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    Buffer metadata;
  };
  ErrorCode error = ErrorCode::none;
  std::int32_t generation = -1;
  std::string protocol_type;
  std::string protocol_name;
  std::string leader;
  std::string member_id;
  bool skip_assignment = false;
  std::vector<Member> members;  // for the leader only
};
using JoinDone = std::move_only_function<void(JoinAnswer)>;

struct SyncRequest {
  MemberClaim claim;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<std::pair<std::string, Buffer>> assignments;  // by member id; from the leader only
};

struct SyncAnswer {
  ErrorCode error = ErrorCode::none;
  std::string protocol_type;
  std::string protocol_name;
  Buffer assignment;
};
using SyncDone = std::move_only_function<void(SyncAnswer)>;

// What is kept over a restart; also what DescribeGroups tells.
struct GroupSnapshot {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    Millis session_timeout{0};
    Millis rebalance_timeout{0};
    std::vector<GroupProtocol> protocols;
    Buffer assignment;
  };
  std::string protocol_type;
  std::string protocol_name;
  std::string leader;
  std::int32_t generation = 0;
  Timestamp empty_since;  // when the last member went; only then meaningful
  std::vector<Member> members;
};

// The topics that a consumer's metadata names, sorted; nothing when it is not a consumer's.
std::optional<std::vector<std::string>> subscribed_topics(ByteView metadata);

// Owned by one thread (or by whoever holds its coordinator's lock). Time comes in with each call on
// the monotonic clock; answers, due or parked, come out of take_answers().
class Group {
 public:
  enum class State : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable };

  // A new member that waits for a rebalance to end is given up after this long: nobody tells when
  // its connection broke.
  static constexpr Millis kNewMemberPatience{300'000};

  // In bytes. With these, a group fits the smallest append that a server may be set to take, 16
  // MiB.
  static constexpr std::size_t kMemberSizeMax = 1 << 20;
  static constexpr std::size_t kMembersSizeMax = 8 << 20;
  static constexpr std::size_t kAssignmentsSizeMax = 6 << 20;

  Group(std::string id, const GroupOptions& options, Timestamp now)
      : id_(std::move(id)), options_(options) {
    kept_.empty_since = now;
  }
  // As it was saved; every member has a whole session to be heard of again.
  Group(std::string id, const GroupOptions& options, GroupSnapshot kept, Nanos now);

  // `fresh_id` is what a member without an id will be called.
  void join(JoinRequest request, std::string fresh_id, Nanos now, JoinDone done);
  void sync(SyncRequest request, Nanos now, SyncDone done);
  ErrorCode heartbeat(const MemberClaim& claim, Nanos now);
  ErrorCode leave(const MemberClaim& claim, Nanos now);
  // Whether offsets of this claim may be committed; counts as a heartbeat.
  ErrorCode check_commit(const MemberClaim& claim, Nanos now);
  // The same inside a transaction, where a claim may also name nobody.
  ErrorCode check_transactional_commit(const MemberClaim& claim) const;

  // Does what is due. Calls before next_deadline() do nothing.
  void tick(Nanos now);
  std::optional<Nanos> next_deadline() const;

  // Answers that are due since the last call; run them outside of every lock.
  std::vector<io::Step> take_answers() { return std::exchange(answers_, {}); }

  // Everybody who waits is refused with this, for good: the coordinator stops.
  void refuse_waiting(ErrorCode error);

  // What has to become durable since the last call, with the token for saved(). Answers that
  // depend on it stay parked until then.
  struct Unsaved {
    std::int64_t token;
    GroupSnapshot snapshot;
  };
  std::optional<Unsaved> take_unsaved(Timestamp now);
  // Saves are answered in their order. Any error but `none` goes to those who waited for it.
  void saved(std::int64_t token, ErrorCode error, Nanos now);

  const std::string& id() const { return id_; }
  State state() const { return state_; }
  std::string_view state_name() const;
  std::int32_t generation() const { return kept_.generation; }
  // Everything about it; `members` is in the order in which they joined.
  GroupSnapshot snapshot() const;
  bool has_members() const { return !members_.empty() || !pending_.empty(); }
  Timestamp empty_since() const { return kept_.empty_since; }
  // True when a member consumes this topic, or may (its metadata is not a consumer's).
  bool subscribes(const std::string& topic) const;

 private:
  struct Member {
    GroupSnapshot::Member kept;
    std::int64_t join_number = 0;  // order of arrival
    Nanos session_end{0};
    bool is_new = false;
    JoinDone joining;  // set while it waits for the others
    SyncDone syncing;  // set while it waits for the leader
    bool waits() const { return joining || syncing; }
  };
  using Members = std::map<std::string, Member, std::less<>>;

  // group.cc: requests
  void join_as_new(JoinRequest request, std::string fresh_id, Nanos now, JoinDone done);
  void join_as_known(JoinRequest request, Nanos now, JoinDone done);
  void rejoin(Member& member, JoinRequest request, Nanos now, JoinDone done);
  void replace_static(const std::string& old_id, JoinRequest request, std::string fresh_id,
                      Nanos now, JoinDone done);
  void answer_replaced(const std::string& member_id, const std::string& old_leader,
                       bool may_skip_assignment, JoinDone done);
  void sync_completing(Member& member, SyncRequest request, Nanos now, SyncDone done);
  ErrorCode check_claim(const MemberClaim& claim) const;
  ErrorCode check_member(std::string_view member_id,
                         const std::optional<std::string>& instance_id) const;
  bool supports(const JoinRequest& request) const;
  bool over_size(const JoinRequest& request) const;
  ErrorCode check_bytes(const JoinRequest& request) const;
  void answer_join(JoinDone done, JoinAnswer answer);
  void answer_sync(SyncDone done, SyncAnswer answer);
  void refuse_join(JoinDone done, ErrorCode error, std::string member_id);
  JoinAnswer current(const Member& member, bool with_members) const;
  SyncAnswer current_assignment(const Member& member) const;

  // group_rebalance.cc: the rounds
  void add_member(JoinRequest request, std::string member_id, Nanos now, JoinDone done);
  void update_member(Member& member, JoinRequest request, JoinDone done);
  void rebalance_if_possible(Nanos now);
  void prepare_rebalance(Nanos now);
  void complete_if_all_joined(Nanos now);
  void complete_join(Nanos now);
  void next_generation(Nanos now);
  bool elect_joined_leader();
  void initial_delay_over(Nanos now);
  void drop_unsynced(Nanos now);
  void remove_member(const std::string& member_id);
  void remove_and_rebalance(const std::string& member_id, Nanos now);
  void keep_session(Member& member, Nanos now);
  Millis longest_rebalance() const;
  std::string select_protocol() const;
  std::vector<const Member*> in_order() const;
  void want_save() { save_wanted_ = true; }

  const std::string id_;
  const GroupOptions& options_;
  State state_ = State::empty;
  GroupSnapshot kept_;  // without its members
  Members members_;
  std::map<std::string, std::string, std::less<>> static_ids_;  // instance id → member id
  std::map<std::string, Nanos, std::less<>> pending_;  // ids handed out, and when they lapse
  std::set<std::string, std::less<>> unsynced_;        // joined this generation, not yet synced
  std::int64_t next_join_number_ = 0;

  // While preparing: when the wait for the others ends. While it is the initial delay, what may
  // still be added to it.
  std::optional<Nanos> join_deadline_;
  std::optional<Millis> initial_left_;
  bool joined_since_delay_ = false;
  std::optional<Nanos> sync_deadline_;

  std::vector<io::Step> answers_;
  bool save_wanted_ = false;
  std::int64_t next_token_ = 1;
  // What waits for the save that follows it: run with its result.
  using AfterSave = std::move_only_function<void(ErrorCode, Nanos)>;
  std::vector<AfterSave> waiting_for_save_;
  std::vector<std::pair<std::int64_t, std::vector<AfterSave>>> saving_;
};

}  // namespace adbrook::broker
