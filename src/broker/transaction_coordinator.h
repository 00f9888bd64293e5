// All transactional ids: gives each request to its state machine, writes what it decides as one
// append with the markers of all partitions, and owns the timers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker_options.h"
#include "broker/producer_ids.h"
#include "broker/state_topic.h"
#include "broker/transaction.h"
#include "io/clock.h"
#include "io/executor.h"
#include "log/log.h"

namespace adbrook::broker {

// Thread-safe.
class TransactionCoordinator : public std::enable_shared_from_this<TransactionCoordinator> {
 public:
  // Transactional ids that are known at once; each costs memory and a record.
  static constexpr std::size_t kCountMax = 200'000;

  struct Places {
    log::Log& log;
    io::Clock& clock;
    io::Executor& executor;
    const StateTopic& topic;
    ProducerIds& producer_ids;
  };
  using Done = Transaction::Done;
  using IdentityDone = Transaction::IdentityDone;

  TransactionCoordinator(Places places, const BrokerOptions& options)
      : places_(places), options_(options) {}

  // Takes one record of the topic; later ones of an id replace earlier ones.
  Result<void> restore(const std::string& id, std::optional<ByteView> value);
  // All records are seen: open transactions have their timeout from now on.
  void begin();

  void init(const std::string& id, Transaction::InitRequest request, IdentityDone done);
  void add_partitions(const std::string& id, ProducerIdentity who,
                      const std::vector<TopicPartition>& partitions, Done done);
  void add_group(const std::string& id, ProducerIdentity who, const std::string& group, Done done);
  void add_offsets(const std::string& id, ProducerIdentity who, const std::string& group,
                   const Transaction::Offsets& offsets, Transaction::Unannounced unannounced,
                   Done done);
  void end(const std::string& id, const Transaction::EndRequest& request, IdentityDone done);

  // Queues a batch of a transaction if it may be written now. The look and the append are one: no
  // marker can come between them. Any other code means that nothing was queued and `done` never
  // runs. A partition that joins by its first batch is durable with that batch, in one append.
  struct Batch {
    ProducerIdentity who;
    TopicPartition place;
    std::int32_t sequence = 0;  // of its first record
    Transaction::Unannounced unannounced = Transaction::Unannounced::refused;
  };
  ErrorCode append(const std::string& id, const Batch& batch, log::Append what,
                   log::AppendDone done);
  // Whether a batch of this producer would be taken there, without writing anything.
  ErrorCode verify(const std::string& id, ProducerIdentity who, const TopicPartition& place) const;
  // True while a transaction is open that may still move this offset.
  bool has_pending_offset(const std::string& group, const TopicPartition& partition) const;

  std::optional<TransactionSnapshot> describe(const std::string& id) const;
  struct Listed {
    std::string id;
    TransactionSnapshot snapshot;
  };
  std::vector<Listed> list() const;

  // Forgets ids that were not used for transactional.id.expiration.ms.
  void expire();
  void stop();

 private:
  // Shared with the timers and writes under way of an id that may be forgotten meanwhile.
  struct Entry {
    explicit Entry(Transaction made) : transaction(std::move(made)) {}
    Transaction transaction;
    std::optional<Nanos> armed;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  using Steps = std::vector<io::Step>;

  EntryPtr find_locked(const std::string& id) const;
  void init_with(const std::string& id, const Transaction::InitRequest& request,
                 std::int64_t fresh_id, IdentityDone done);
  void end_with(const std::string& id, const Transaction::EndRequest& request,
                std::int64_t fresh_id, IdentityDone done);
  // Calls `step` with a producer id that was never used, or with -1 when none is needed.
  template <class Step>
  void with_fresh_id(bool needed, IdentityDone done, Step step);
  // Runs `change` on the transaction, or answers that there is no such id.
  template <class AnyDone, class Change>
  void with(const std::string& id, AnyDone done, Change change);
  void settle_locked(const EntryPtr& entry, Steps& answers);
  void write_locked(const EntryPtr& entry, Transaction::Write write);
  log::BatchToAppend record_of(const EntryPtr& entry, const Transaction::Write& write) const;
  void add_end(log::Append& what, const Transaction::Write::End& end) const;
  void arm_locked(const EntryPtr& entry);
  void written(const EntryPtr& entry, std::int64_t token, ErrorCode error);
  void tick(const EntryPtr& entry);
  static void run(Steps& answers) {
    for (io::Step& answer : answers) answer();
  }

  const Places places_;
  const BrokerOptions& options_;
  std::map<std::string, TransactionSnapshot> restored_;  // until begin()

  // One lock for all: appends are queued under it, so that the log has data and markers in the
  // order in which they were allowed.
  mutable std::mutex mutex_;
  std::map<std::string, EntryPtr> transactions_;
  std::set<EntryPtr> with_offsets_;  // those that may still move a group's offsets
  bool stopped_ = false;
};

}  // namespace adbrook::broker
