// One transactional id as a state machine: its producer's epoch, what its open transaction touches,
// and how it ends. It follows Kafka's TransactionCoordinator, in two versions side by side: under
// the older one partitions are announced and an epoch lives until its producer is replaced; under
// the newer one (KIP-890) batches announce themselves and every end raises the epoch, so that what
// comes late from an ended transaction can touch no later one.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/time.h"
#include "io/executor.h"
#include "protocol/error_code.h"

namespace adbrook::broker {

using protocol::ErrorCode;

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct ProducerIdentity {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  friend bool operator==(ProducerIdentity, ProducerIdentity) = default;
};

// The last epoch that a producer is given; the one above it only fences.
inline constexpr std::int16_t kProducerEpochMax = INT16_MAX - 1;

// An offset that counts once the transaction is committed.
struct PendingOffset {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  friend bool operator==(const PendingOffset&, const PendingOffset&) = default;
};

enum class TransactionState : std::int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,  // the two are in memory only: the end of a transaction is one append
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
};
std::string_view to_string(TransactionState state);  // as Kafka's tools show it

// What is kept over a restart.
struct TransactionSnapshot {
  ProducerIdentity producer;
  // Before the last change of the epoch, so that a request whose answer was lost is known again;
  // nobody once the producer has used the new one.
  ProducerIdentity previous;
  Millis timeout{0};
  TransactionState state = TransactionState::empty;
  Timestamp started;
  Timestamp last_used;
  std::set<TopicPartition> partitions;
  // By group; a group without offsets was announced by AddOffsetsToTxn.
  std::map<std::string, std::map<TopicPartition, PendingOffset>> offsets;
};

// Owned by one thread (or by whoever holds its coordinator's lock). Answers come out of
// take_answers(), what must become durable out of take_write().
class Transaction {
 public:
  // A transaction that touches more is refused; each entry costs memory and part of a record.
  static constexpr std::size_t kPartitionsMax = 10'000;
  static constexpr std::size_t kOffsetsMax = 50'000;

  using IdentityDone = std::move_only_function<void(ErrorCode, ProducerIdentity)>;
  using Done = std::move_only_function<void(ErrorCode)>;

  Transaction(std::string id, Timestamp now) : id_(std::move(id)) { kept_.last_used = now; }
  Transaction(std::string id, TransactionSnapshot kept, Nanos now);

  struct InitRequest {
    Millis timeout{0};
    ProducerIdentity expected;  // id -1: the producer names none
  };
  // Whether init(), or an end that raises the epoch, needs a producer id that was never used.
  bool needs_fresh_id() const {
    return kept_.producer.id < 0 || kept_.producer.epoch >= kProducerEpochMax;
  }
  // Aborts what the predecessor left open, then answers with an epoch that fences it.
  void init(const InitRequest& request, std::int64_t fresh_id, Timestamp now, IdentityDone done);

  void add_partitions(ProducerIdentity who, const std::vector<TopicPartition>& partitions,
                      Timestamp now, Nanos at, Done done);
  void add_group(ProducerIdentity who, const std::string& group, Timestamp now, Nanos at,
                 Done done);
  // What a transaction was not told of: refused, or announced by its first use (version 2).
  enum class Unannounced : std::uint8_t { refused, joins };
  using Offsets = std::vector<std::pair<TopicPartition, PendingOffset>>;
  void add_offsets(ProducerIdentity who, const std::string& group, const Offsets& offsets,
                   Unannounced unannounced, Timestamp now, Nanos at, Done done);
  enum class Ending : std::uint8_t { abort, commit };
  struct EndRequest {
    ProducerIdentity who;
    Ending ending = Ending::abort;
    bool raises_epoch = false;  // version 2
  };
  // Answers with the identity for the next transaction; the same one unless the epoch is raised.
  void end(const EndRequest& request, std::int64_t fresh_id, Timestamp now, IdentityDone done);

  // Whether this producer may write here inside its transaction now.
  ErrorCode check_write(ProducerIdentity who, const TopicPartition& partition) const;
  // Version 2: the same, but a partition that was not announced joins, and opens the transaction
  // when none is open: by the batch of sequence 0, since each transaction is numbered anew. What
  // take_write() gives then belongs in the append of the batch: until it is
  // durable, every further batch for the partition carries it too.
  ErrorCode join_write(ProducerIdentity who, const TopicPartition& partition, std::int32_t sequence,
                       Timestamp now, Nanos at);
  bool has_pending_offset(const std::string& group, const TopicPartition& partition) const;

  // Aborts the transaction, and fences its producer, when it is open for too long.
  void tick(Nanos at, Timestamp now);
  std::optional<Nanos> next_deadline() const { return deadline_; }

  std::vector<io::Step> take_answers() { return std::exchange(answers_, {}); }

  // What must become durable as one append since the last call: the snapshot and, when it ends,
  // markers in all partitions and the offsets.
  struct Write {
    struct End {
      Ending ending = Ending::abort;
      ProducerIdentity producer;  // for the markers
      std::set<TopicPartition> partitions;
      std::map<std::string, std::map<TopicPartition, PendingOffset>> offsets;
    };
    std::int64_t token = 0;
    TransactionSnapshot snapshot;
    std::optional<End> end;
  };
  std::optional<Write> take_write();
  // An error other than none says that nothing was kept.
  void written(std::int64_t token, ErrorCode error, Timestamp now, Nanos at);

  const std::string& id() const { return id_; }
  const TransactionSnapshot& snapshot() const { return kept_; }
  // True when it may be forgotten: nothing is open and nothing waits.
  bool idle() const;

 private:
  struct Waiting {
    Done done;
    IdentityDone identity_done;
    ProducerIdentity identity;  // what `identity_done` is told
  };
  // An end that is decided and not yet durable.
  struct EndPlan {
    Ending ending;
    TransactionState before;    // where a failed write leads back to
    ProducerIdentity marker;    // whose markers end it
    ProducerIdentity next;      // who may begin the next transaction
    ProducerIdentity previous;  // who may ask again
  };
  struct InFlight {
    std::int64_t token;
    std::optional<EndPlan> plan;
    std::vector<Waiting> waiting;
  };

  void answer(Done done, ErrorCode error);
  void answer(IdentityDone done, ErrorCode error, ProducerIdentity identity = {});
  ErrorCode check_identity(ProducerIdentity who) const;
  ErrorCode check_expected(ProducerIdentity expected) const;
  bool ends() const {
    return kept_.state == TransactionState::prepare_commit ||
           kept_.state == TransactionState::prepare_abort;
  }
  // Each write has all of the state, so a later one makes good what was lost.
  bool change_lost() const { return lost_ > kept_until_; }
  bool durable() const { return in_flight_.empty() && !write_wanted_ && !change_lost(); }
  // The codes for an end that is not begun; nothing when it is to be.
  std::optional<ErrorCode> judge_end(const EndRequest& request) const;
  ErrorCode judge_repeated_end(Ending ending) const;
  EndPlan plan_end(const EndRequest& request, std::int64_t fresh_id) const;
  void next_epoch(const InitRequest& request, std::int64_t fresh_id, Timestamp now,
                  IdentityDone done);
  void begin(Timestamp now, Nanos at);
  void want_write(Timestamp now, Waiting waiting);
  enum class Fenced : std::uint8_t { by_heir, by_time };
  void fence_and_abort(Fenced fenced, Timestamp now);
  static void take_end(TransactionSnapshot& snapshot, const EndPlan& plan);
  void finish(const EndPlan& plan, Timestamp now);
  void reopen(const EndPlan& plan, Nanos at);

  const std::string id_;
  TransactionSnapshot kept_;
  std::optional<Nanos> deadline_;
  struct WaitingInit {
    InitRequest request;
    std::int64_t fresh_id;
    IdentityDone done;
  };
  std::optional<WaitingInit> waiting_init_;  // until the predecessor's transaction is aborted

  bool fencing_ = false;  // the abort under way takes the epoch from its producer
  // The last writes, by token, that failed and that were kept.
  std::int64_t lost_ = 0;
  std::int64_t kept_until_ = 0;

  std::vector<io::Step> answers_;
  bool write_wanted_ = false;
  std::optional<EndPlan> end_wanted_;
  std::int64_t next_token_ = 1;
  std::vector<Waiting> waiting_;
  std::vector<InFlight> in_flight_;
};

}  // namespace adbrook::broker
