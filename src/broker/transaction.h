// One transactional id as a state machine: its producer's epoch, what its open transaction touches,
// and how it ends. It follows Kafka's TransactionCoordinator (transaction version 1).
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
  ProducerIdentity previous;  // before the last change, so that a repeated request is known again
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

  using InitDone = std::move_only_function<void(ErrorCode, ProducerIdentity)>;
  using Done = std::move_only_function<void(ErrorCode)>;

  Transaction(std::string id, Timestamp now) : id_(std::move(id)) { kept_.last_used = now; }
  Transaction(std::string id, TransactionSnapshot kept, Nanos now);

  struct InitRequest {
    Millis timeout{0};
    ProducerIdentity expected;  // id -1: the producer names none
  };
  // Whether init() needs a producer id that was never used.
  bool needs_fresh_id() const {
    return kept_.producer.id < 0 || kept_.producer.epoch >= kProducerEpochMax;
  }
  // Aborts what the predecessor left open, then answers with an epoch that fences it.
  void init(const InitRequest& request, std::int64_t fresh_id, Timestamp now, InitDone done);

  void add_partitions(ProducerIdentity who, const std::vector<TopicPartition>& partitions,
                      Timestamp now, Nanos at, Done done);
  void add_group(ProducerIdentity who, const std::string& group, Timestamp now, Nanos at,
                 Done done);
  void add_offsets(ProducerIdentity who, const std::string& group,
                   const std::vector<std::pair<TopicPartition, PendingOffset>>& offsets,
                   Timestamp now, Done done);
  enum class Ending : std::uint8_t { abort, commit };
  void end(ProducerIdentity who, Ending ending, Timestamp now, Done done);

  // Whether this producer may write here inside its transaction now.
  ErrorCode check_write(ProducerIdentity who, const TopicPartition& partition) const;
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
  // Writes are answered in their order; an error other than none says that nothing was kept.
  void written(std::int64_t token, ErrorCode error, Timestamp now, Nanos at);

  const std::string& id() const { return id_; }
  const TransactionSnapshot& snapshot() const { return kept_; }
  // True when it may be forgotten: nothing is open and nothing waits.
  bool idle() const;

 private:
  struct Waiting {
    Done done;
    InitDone init;
    ProducerIdentity identity;  // what `init` is told
  };
  struct InFlight {
    std::int64_t token;
    std::optional<Ending> ending;
    std::vector<Waiting> waiting;
  };

  void answer(Done done, ErrorCode error);
  void answer(InitDone done, ErrorCode error, ProducerIdentity identity = {});
  ErrorCode check_identity(ProducerIdentity who) const;
  ErrorCode check_expected(ProducerIdentity expected) const;
  bool ends() const {
    return kept_.state == TransactionState::prepare_commit ||
           kept_.state == TransactionState::prepare_abort;
  }
  bool durable() const { return in_flight_.empty() && !write_wanted_ && !change_lost_; }
  void next_epoch(const InitRequest& request, std::int64_t fresh_id, Timestamp now, InitDone done);
  void begin(Timestamp now, Nanos at);
  void want_write(Timestamp now, Waiting waiting);
  void fence_and_abort(Timestamp now);
  void finish(Ending ending, Timestamp now);
  void reopen(Nanos at);

  const std::string id_;
  TransactionSnapshot kept_;
  std::optional<Nanos> deadline_;
  struct WaitingInit {
    InitRequest request;
    std::int64_t fresh_id;
    InitDone done;
  };
  std::optional<WaitingInit> waiting_init_;  // until the predecessor's transaction is aborted

  bool fencing_ = false;      // the abort under way takes the epoch from its producer
  bool change_lost_ = false;  // the last write failed, so memory is ahead of the log

  std::vector<io::Step> answers_;
  bool write_wanted_ = false;
  std::optional<Ending> ending_wanted_;
  std::int64_t next_token_ = 1;
  std::vector<Waiting> waiting_;
  std::vector<InFlight> in_flight_;
};

}  // namespace adbrook::broker
