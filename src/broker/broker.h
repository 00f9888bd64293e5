// Kafka's server side without its sockets: takes whole requests, answers them from the log, the
// groups and the transactions. Tests give it requests and a log in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "broker/api_table.h"
#include "broker/arrivals.h"
#include "broker/broker_options.h"
#include "broker/call.h"
#include "broker/group_coordinator.h"
#include "broker/producer_ids.h"
#include "broker/state_topic.h"
#include "broker/transaction_coordinator.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/random.h"
#include "log/log.h"

namespace adbrook::broker {

// What the broker stands on; all of it outlives the broker.
struct BrokerPlaces {
  log::Log& log;
  io::Clock& clock;
  io::Random& random;
  io::Executor& executor;
  io::Executor&
      slow_executor;  // for steps that wait for the disk: topics are made and changed there
  Metrics& metrics;
  std::function<void(std::string_view)> note;  // sentences for people, from any thread
};

// What belongs to the engine, beside which clients work.
struct EngineOwned {
  std::set<std::string> groups;            // nobody else may join them or commit for them
  std::set<std::string> topics;            // nobody may delete them or change their partitions
  std::set<std::string> topics_it_writes;  // nobody else may produce to them
};

// What is on its way to clients.
struct FetchedUnderWay {
  std::atomic<std::int64_t> bytes = 0;  // in memory
  std::atomic<std::int64_t> files = 0;  // that are sent from, perhaps each with a descriptor
};

// Thread-safe. Steps that it posted must not run after it is gone.
class Broker {
 public:
  // Makes the topics of its own state when they are missing, and reads them: returns when groups
  // and transactions are as they were.
  static Result<std::unique_ptr<Broker>> open(BrokerPlaces places, BrokerOptions options,
                                              GroupOptions groups, EngineOwned owned);
  ~Broker();

  // Answers one request: `frame` is everything behind its size prefix. `respond` runs once, perhaps
  // inside this call, perhaps on another thread. What makes no sense hangs up.
  void handle(std::shared_ptr<RequestFrame> frame, std::shared_ptr<const Client> client,
              RawCall::Respond respond);
  // Hangs up whoever waits for records, members or an append; nothing waits from now on.
  void stop();

  const BrokerOptions& options() const { return options_; }
  const GroupOptions& group_options() const { return group_options_; }
  // Also true for the topics of the broker's own state.
  bool is_protected(const std::string& topic) const;
  bool is_read_only(const std::string& topic) const;
  const ApiTable& apis() const { return apis_; }
  log::Log& log() { return places_.log; }
  io::Clock& clock() { return places_.clock; }
  io::Random& random() { return places_.random; }
  io::Executor& executor() { return places_.executor; }
  io::Executor& slow_executor() { return places_.slow_executor; }
  Metrics& metrics() { return places_.metrics; }
  void note(const std::string& sentence) { places_.note(sentence); }

  Arrivals& arrivals() { return *arrivals_; }
  GroupCoordinator& groups() { return *groups_; }
  TransactionCoordinator& transactions() { return *transactions_; }
  ProducerIds& producer_ids() { return *producer_ids_; }
  // 22 characters, the same for the life of the data directory.
  const std::string& cluster_id() const { return cluster_id_; }
  std::int32_t node_id() const { return static_cast<std::int32_t>(options_.node_id); }
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  // Shared with answers that outlive this.
  const std::shared_ptr<FetchedUnderWay>& fetched_under_way() { return fetched_under_way_; }

 private:
  Broker(BrokerPlaces places, BrokerOptions options, GroupOptions groups, EngineOwned owned);
  Result<void> restore();
  void expire_step();

  BrokerPlaces places_;
  const BrokerOptions options_;
  const GroupOptions group_options_;
  const EngineOwned owned_;
  ApiTable apis_;
  std::map<std::int16_t, Counter*> request_counts_;  // by API key; filled once
  Counter& refused_requests_;
  std::string cluster_id_;
  std::unique_ptr<StateTopic> group_topic_;
  std::unique_ptr<StateTopic> transaction_topic_;
  // Shared with their timers and appends under way.
  std::shared_ptr<Arrivals> arrivals_;
  std::shared_ptr<GroupCoordinator> groups_;
  std::shared_ptr<ProducerIds> producer_ids_;
  std::shared_ptr<TransactionCoordinator> transactions_;
  std::atomic<bool> stopping_{false};
  std::shared_ptr<FetchedUnderWay> fetched_under_way_ = std::make_shared<FetchedUnderWay>();
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for timers of its own
};

inline constexpr std::string_view kGroupTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionTopic = "__transaction_state";
inline bool is_internal_topic(std::string_view name) {
  return name == kGroupTopic || name == kTransactionTopic;
}

// In api_list.cc: every API that is answered here.
ApiTable all_apis();

// In k18_api_versions.cc: to a client that asked for the list in a version that is not known, in
// the oldest version, so that it can try again.
void answer_unknown_api_versions(Broker& broker, RawCall call);

}  // namespace adbrook::broker
