// Members of the newer protocol over a broker that loses its power at random moments: what they
// were told is true afterwards, and what they committed is there.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "broker/broker_test_bed.h"
#include "io/test_seed.h"
#include "protocol/k08_offset_commit.h"
#include "protocol/k09_offset_fetch.h"
#include "protocol/k68_consumer_group_heartbeat.h"

namespace adbrook::broker {
namespace consumer_group_crash_test {

using namespace protocol;  // NOLINT: tests name many messages

constexpr int kStepCount = 250;
constexpr std::int32_t kPartitionCount = 5;
constexpr std::int16_t kNamesLast = 9;  // newer versions name topics by id

// One that says everything in each heartbeat and takes up at once what it is told.
struct Client {
  std::string member_id;
  std::int32_t epoch = kJoinEpoch;
  std::set<std::int32_t> owned;
  AnsweredPtr<ConsumerGroupHeartbeatResponse> waits;
  int unheard = 0;  // answers in a row that a crash took; each may have raised its epoch
};

class CrashSimulation {
 public:
  explicit CrashSimulation(std::uint64_t seed) : random_(seed) {
    EXPECT_TRUE(bed_.log.log->create_topic("t", kPartitionCount, {}));
  }

  void run() {
    for (int i = 0; i < kStepCount && !testing::Test::HasFailure(); ++i) {
      step();
      hear();
      check_owners();
    }
    calm_down();
  }

 private:
  void step() {
    const std::uint64_t what = random_.below(100);
    if (what < 6 && clients_.size() < 4)
      clients_.push_back({.member_id = "m" + std::to_string(next_name_++)});
    else if (what < 8)
      leave();
    else if (what < 14)
      crash();
    else if (what < 60)
      beat();
    else if (what < 75)
      commit();
    else
      for (std::uint64_t n = random_.below(8); n > 0; --n) bed_.log.executor.run_one();
  }

  Client* pick() { return clients_.empty() ? nullptr : &clients_[random_.below(clients_.size())]; }
  void beat() {
    if (Client* client = pick(); client && !client->waits) send(*client);
  }
  void send(Client& client) {
    ConsumerGroupHeartbeatRequest request{.group_id = "g",
                                          .member_id = client.member_id,
                                          .member_epoch = client.epoch,
                                          .rebalance_timeout_ms = 60'000};
    request.subscribed_topic_names = {{"t"}};
    request.topic_partitions.emplace();
    if (!client.owned.empty())
      request.topic_partitions->push_back(
          {bed_.log.log->topic("t")->id, {client.owned.begin(), client.owned.end()}});
    client.waits = bed_.start_request<ConsumerGroupHeartbeatResponse>(request, 1);
  }
  void hear() {
    for (Client& client : clients_) {
      if (!client.waits || !client.waits->kind) continue;
      const auto told = std::exchange(client.waits, nullptr);
      const int unheard = std::exchange(client.unheard, 0);
      // The broker knows the epoch before the last one, so only a second lost answer fences.
      if ((*told)->error_code == ErrorCode::fenced_member_epoch && unheard > 1) {
        client.epoch = kJoinEpoch;
        client.owned.clear();
        continue;
      }
      EXPECT_EQ((*told)->error_code, ErrorCode::none)
          << (*told)->error_message.value_or("") << ": it was told epoch " << client.epoch;
      if (testing::Test::HasFailure()) return;
      EXPECT_GE((*told)->member_epoch, client.epoch);
      client.epoch = (*told)->member_epoch;
      client.owned.clear();
      for (const auto& topic : (*told)->assignment->topic_partitions)
        client.owned.insert(topic.partitions.begin(), topic.partitions.end());
    }
  }
  // Says so and is gone; whether it was heard does not matter to the others in the end.
  void leave() {
    Client* client = pick();
    if (!client || client->waits || client->epoch <= kJoinEpoch) return;
    bed_.start_request<ConsumerGroupHeartbeatResponse>(
        ConsumerGroupHeartbeatRequest{
            .group_id = "g", .member_id = client->member_id, .member_epoch = kLeaveEpoch},
        1);
    clients_.erase(clients_.begin() + (client - clients_.data()));
  }

  void commit() {
    const Client* client = pick();
    if (!client || client->owned.empty()) return;
    Position& position = positions_[*client->owned.begin()];
    OffsetCommitRequest request{.group_id = "g",
                                .generation_id_or_member_epoch = client->epoch,
                                .member_id = client->member_id};
    request.topics.push_back({.name = "t"});
    request.topics[0].partitions.push_back(
        {.partition_index = *client->owned.begin(), .committed_offset = ++position.asked});
    const auto answered = bed_.start_request<OffsetCommitResponse>(request, kNamesLast);
    if (random_.below(2) == 0) return;  // its answer is not heard
    bed_.log.executor.run_until_idle();
    const ErrorCode error = answered->message.topics.at(0).partitions.at(0).error_code;
    // An epoch that is being raised is told with the next heartbeat.
    EXPECT_TRUE(error == ErrorCode::none || (error == ErrorCode::stale_member_epoch));
    if (error == ErrorCode::none) position.kept = position.asked;
  }
  std::int64_t committed(std::int32_t partition) {
    OffsetFetchRequest request;
    auto& asked = request.groups.emplace_back();
    asked.group_id = "g";
    asked.topics->push_back({.name = "t", .partition_indexes = {partition}});
    const auto answer = bed_.ask<OffsetFetchResponse>(request, kNamesLast);
    return answer->groups.at(0).topics.at(0).partitions.at(0).committed_offset;
  }

  void crash() {
    bed_.crash_at_once();
    for (Client& client : clients_)
      if (std::exchange(client.waits, nullptr)) ++client.unheard;
    for (const auto& [partition, position] : positions_) {
      const std::int64_t found = committed(partition);
      EXPECT_GE(found, position.kept) << "a commit was lost, partition " << partition;
      EXPECT_LE(found, position.asked);
    }
  }

  void check_owners() {
    std::set<std::int32_t> owned;
    for (const Client& client : clients_)
      for (const std::int32_t p : client.owned)
        EXPECT_TRUE(owned.insert(p).second) << "partition " << p << " has two owners";
  }

  // Those whose leave got lost are taken for crashed, and time takes them out.
  void calm_down() {
    if (clients_.empty()) clients_.push_back({.member_id = "last"});
    for (int i = 0; i < 30 && !testing::Test::HasFailure(); ++i) {
      bed_.advance(Millis(2'000));
      for (Client& client : clients_)
        if (!client.waits) send(client);
      bed_.log.executor.run_until_idle();
      hear();
      check_owners();
    }
    std::size_t owned = 0;
    for (const Client& client : clients_) owned += client.owned.size();
    EXPECT_EQ(owned, static_cast<std::size_t>(kPartitionCount));
  }

  struct Position {
    std::int64_t kept = -1;  // acknowledged
    std::int64_t asked = 0;
  };
  io::SeededRandom random_;
  BrokerBed bed_;
  std::vector<Client> clients_;
  std::map<std::int32_t, Position> positions_;
  int next_name_ = 0;
};

TEST(ConsumerGroupCrash, what_members_were_told_is_true_after_any_crash) {
  for (const std::uint64_t seed : io::test_seeds(20)) {
    SCOPED_TRACE(io::seed_note(seed));
    CrashSimulation(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace consumer_group_crash_test
}  // namespace adbrook::broker
