// All groups, of the classic and of the newer protocol: gives each request to its group's state
// machine, keeps what must survive a restart in the log, and owns the timers. A group is of the
// protocol of its members; one without members takes that of whoever joins next.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/consumer_group.h"
#include "broker/group.h"
#include "broker/group_options.h"
#include "broker/state_topic.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"
#include "log/log.h"

namespace adbrook::broker {

// The code for an append that was refused, to somebody who talks to a coordinator.
ErrorCode coordinator_code(const log::AppendResult& result);

// Thread-safe.
class GroupCoordinator : public std::enable_shared_from_this<GroupCoordinator> {
 public:
  struct Places {
    log::Log& log;
    io::Clock& clock;
    io::Random& random;
    io::Executor& executor;
    const StateTopic& topic;
  };
  using Done = std::move_only_function<void(ErrorCode)>;

  // `own_groups` are the engine's: they are listed, and nobody else may use them.
  GroupCoordinator(Places places, const GroupOptions& options, std::set<std::string> own_groups)
      : places_(places), options_(options), own_groups_(std::move(own_groups)) {}

  // Takes one record of the topic; later ones of a name replace earlier ones.
  Result<void> restore(const std::string& name, std::optional<ByteView> value);
  Result<void> restore_consumer_group(const std::string& name, std::optional<ByteView> value);
  Result<void> restore_consumer_member(const std::string& name, const std::string& member_id,
                                       std::optional<ByteView> value);
  // All records are seen: members have a session from now on.
  void begin();

  void join(const std::string& group, JoinRequest request, JoinDone done);
  void sync(const std::string& group, SyncRequest request, SyncDone done);
  ErrorCode heartbeat(const std::string& group, const MemberClaim& claim);
  // The one request of members of the newer protocol.
  void consumer_heartbeat(const std::string& group, ConsumerHeartbeat request,
                          ConsumerHeartbeatDone done);
  // One code per claim.
  std::vector<ErrorCode> leave(const std::string& group, const std::vector<MemberClaim>& claims);

  // Answers when the offsets are durable, or with the code of what is wrong with the claim.
  void commit(const std::string& group, const MemberClaim& claim, ConsumerGroup::Request request,
              std::vector<log::OffsetCommit> offsets, Done done);
  // Whether this claim may read the group's offsets.
  ErrorCode check_fetch(const std::string& group, const MemberClaim& claim) const;
  // For offsets inside a transaction; makes the group when there is none.
  ErrorCode check_transactional_commit(const std::string& group, const MemberClaim& claim);

  // One of the newer protocol is told as a classic one with its topics' names, for tools that know
  // no other.
  struct Described {
    std::string state;
    GroupSnapshot snapshot;
  };
  std::optional<Described> describe(const std::string& group) const;
  struct ConsumerDescribed {
    std::string state;
    ConsumerGroupSnapshot snapshot;
  };
  // Nothing when there is none of the newer protocol by this name.
  std::optional<ConsumerDescribed> describe_consumer(const std::string& group) const;
  struct Listed {
    std::string id;
    std::string state;
    std::string protocol_type;
    std::string type;  // "classic" or "consumer"
  };
  std::vector<Listed> list() const;

  // Forgets a group without members, and its offsets.
  void remove(const std::string& group, Done done);
  struct OffsetPlace {
    std::string topic;
    log::PartitionId partition;
  };
  // Whether offsets of these topics may be deleted one by one: none, group_id_not_found,
  // non_empty_group, and per place none or group_subscribed_to_topic.
  struct OffsetsDeleted {
    ErrorCode error = ErrorCode::none;
    std::vector<ErrorCode> places;
  };
  void delete_offsets(const std::string& group, std::vector<OffsetPlace> places,
                      std::move_only_function<void(OffsetsDeleted)> done);

  // Forgets offsets that nobody used for offsets.retention.ms, and groups that have none.
  void expire();
  // Refuses all who wait.
  void stop();

 private:
  // Shared with the timers and saves under way of a group that may be removed meanwhile.
  struct Entry {
    explicit Entry(Group made) : group(std::move(made)) {}
    explicit Entry(ConsumerGroup made) : group(std::move(made)) {}

    Group* classic() { return std::get_if<Group>(&group); }
    ConsumerGroup* consumer() { return std::get_if<ConsumerGroup>(&group); }
    // What both kinds know of themselves.
    template <class Ask>
    auto ask(Ask ask_one) const {
      return std::visit(ask_one, group);
    }
    bool has_members() const {
      return ask([](const auto& one) { return one.has_members(); });
    }
    Timestamp empty_since() const {
      return ask([](const auto& one) { return one.empty_since(); });
    }
    bool subscribes(const std::string& topic) const {
      return ask([&](const auto& one) { return one.subscribes(topic); });
    }

    std::variant<Group, ConsumerGroup> group;
    std::optional<Nanos> armed;  // the earliest timer that is under way
  };
  using EntryPtr = std::shared_ptr<Entry>;
  using Steps = std::vector<io::Step>;

  EntryPtr find_locked(const std::string& group) const;
  // Null when there are too many.
  EntryPtr find_or_make_locked(const std::string& group);
  bool is_full_locked() const {
    return groups_.size() >= static_cast<std::size_t>(options_.count_max);
  }
  void begin_consumers_locked(Nanos now);
  bool may_end_locked(const EntryPtr& entry);
  // A consumer group without members becomes a classic one, offsets and all.
  EntryPtr as_classic_locked(EntryPtr entry, const std::string& group);
  void take_in_consumer_locked(const std::string& group, const EntryPtr& entry);
  TopicCatalogPtr catalog_locked(bool fresh);
  void settle_locked(const EntryPtr& entry, Steps& answers);
  void save_locked(const EntryPtr& entry, const Group::Unsaved& unsaved);
  void save_consumer_locked(const EntryPtr& entry, const ConsumerGroup::Unsaved& unsaved);
  void arm_locked(const EntryPtr& entry);
  void saved(const EntryPtr& entry, std::int64_t token, ErrorCode error);
  void tick(const EntryPtr& entry);
  void expire_group_locked(const std::string& id, const EntryPtr& entry);
  void forget_locked(const std::string& id, std::vector<log::OffsetDeletion> deletions, Done done);
  static void run(Steps& answers) {
    for (io::Step& answer : answers) answer();
  }
  bool is_own(const std::string& group) const { return own_groups_.contains(group); }
  std::string fresh_member_id(std::string_view client_id);

  const Places places_;
  const GroupOptions& options_;
  const std::set<std::string> own_groups_;
  std::map<std::string, GroupSnapshot> restored_;  // until begin()
  struct RestoredConsumers {
    std::optional<ConsumerGroupSnapshot> group;
    std::map<std::string, ConsumerMember> members;
  };
  std::map<std::string, RestoredConsumers> restored_consumers_;  // until begin()

  // One lock for all groups: a request holds it for moments. Appends are queued under it, so that
  // the log has them in the order in which the groups decided.
  mutable std::mutex mutex_;
  std::map<std::string, EntryPtr> groups_;
  TopicCatalogPtr catalog_;
  Nanos catalog_until_{0};  // then it is looked at anew
  bool stopped_ = false;
};

}  // namespace adbrook::broker
