// Members that join, pause, wake, leave and crash at random, and what must hold whatever they do.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "broker/group.h"
#include "io/test_seed.h"

namespace adbrook::broker {
namespace group_simulation_test {

constexpr int kPartitionCount = 12;
constexpr int kStepCount = 3'000;
constexpr Timestamp kWall{1'700'000'000'000};

// A client that follows the protocol as Kafka's clients do, on the simulation's clock.
struct Client {
  enum class Phase { asks_id, joins, waits_join, syncs, waits_sync, works, gone };
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t generation = -1;
  bool leads = false;
  std::vector<std::string> others;  // for the leader
  std::set<int> owns;
  Phase phase = Phase::asks_id;
  Nanos paused_until{0};
  Nanos next_heartbeat{0};
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    options_.initial_rebalance_delay = Millis(100);
  }

  void run() {
    for (int i = 0; i < kStepCount && !testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
    calm_down();
  }

 private:
  void step() {
    now_ += Millis(static_cast<std::int64_t>(random_.below(200)));
    group_.tick(now_);
    settle();
    const std::uint64_t what = random_.below(100);
    if (what < 4 && clients_.size() < 8) {
      clients_.push_back(std::make_shared<Client>());
      if (random_.below(3) == 0) clients_.back()->instance_id = fresh_name("static-");
    } else if (what < 6 && !clients_.empty()) {
      pick()->phase = Client::Phase::gone;  // crashed: says nothing
    } else if (what < 8 && !clients_.empty()) {
      leave(*pick());
    } else if (what < 12 && !clients_.empty()) {
      pick()->paused_until = now_ + Millis(static_cast<std::int64_t>(random_.below(30'000)));
    } else if (what < 14) {
      restart_static();
    } else if (what < 16) {
      fail_saves_ = random_.below(4) == 0;
    }
    drop_gone();
    for (const auto& client : clients_) act(client);
    settle();
  }

  // Nobody comes or goes any more: the group must become stable with every partition owned once.
  void calm_down() {
    fail_saves_ = false;
    for (const auto& client : clients_) client->paused_until = Nanos(0);
    // One more than are left: those may all be zombies that are about to be fenced.
    clients_.push_back(std::make_shared<Client>());
    for (int i = 0; i < 4'000; ++i) {
      now_ += Millis(100);
      group_.tick(now_);
      drop_gone();
      for (const auto& client : clients_) act(client);
      settle();
    }
    drop_gone();
    check();
    EXPECT_EQ(group_.state(), Group::State::stable);
    std::multiset<int> owned;
    for (const auto& client : clients_) owned.insert(client->owns.begin(), client->owns.end());
    EXPECT_EQ(owned.size(), static_cast<std::size_t>(kPartitionCount));
    EXPECT_EQ(std::set<int>(owned.begin(), owned.end()).size(), owned.size());
  }

  void act(const std::shared_ptr<Client>& client) {
    if (client->paused_until > now_) return;
    switch (client->phase) {
      case Client::Phase::asks_id:
      case Client::Phase::joins: return join(client);
      case Client::Phase::syncs: return sync(client);
      case Client::Phase::works: return work(*client);
      default: return;
    }
  }

  void join(const std::shared_ptr<Client>& client) {
    client->phase = Client::Phase::waits_join;
    client->owns.clear();
    JoinRequest request{.member_id = client->member_id,
                        .instance_id = client->instance_id,
                        .client_id = "sim",
                        .protocol_type = "consumer",
                        .protocols = {{"range", {}}},
                        .session_timeout = Millis(6'000),
                        .rebalance_timeout = Millis(10'000),
                        .must_know_its_id = true};
    group_.join(std::move(request), fresh_name("m-"), now_,
                [this, client](JoinAnswer answer) { joined(*client, std::move(answer)); });
  }

  void joined(Client& client, JoinAnswer answer) {
    if (client.phase == Client::Phase::gone) return;
    client.phase = Client::Phase::joins;
    if (answer.error == ErrorCode::member_id_required) client.member_id = answer.member_id;
    if (answer.error == ErrorCode::unknown_member_id) client.member_id.clear();
    if (answer.error == ErrorCode::fenced_instance_id) client.phase = Client::Phase::gone;
    if (answer.error != ErrorCode::none) return;
    client.member_id = answer.member_id;
    client.generation = answer.generation;
    client.leads = answer.leader == answer.member_id && !answer.skip_assignment;
    client.others.clear();
    for (const auto& member : answer.members) client.others.push_back(member.member_id);
    client.phase = Client::Phase::syncs;
    if (!client.leads) return;
    // One generation has one leader.
    const auto [known, fresh] = leaders_.emplace(answer.generation, answer.member_id);
    EXPECT_TRUE(fresh || known->second == answer.member_id) << "two leaders of a generation";
  }

  void sync(const std::shared_ptr<Client>& client) {
    client->phase = Client::Phase::waits_sync;
    SyncRequest request{.claim = {client->member_id, client->instance_id, client->generation}};
    for (std::size_t i = 0; client->leads && i < client->others.size(); ++i) {
      Buffer mine;
      for (int p = 0; p < kPartitionCount; ++p)
        if (static_cast<std::size_t>(p) % client->others.size() == i)
          mine.push_back(static_cast<std::byte>(p));
      request.assignments.emplace_back(client->others[i], std::move(mine));
    }
    group_.sync(std::move(request), now_, [this, client](SyncAnswer answer) {
      if (client->phase == Client::Phase::gone) return;
      client->phase = Client::Phase::joins;
      if (answer.error == ErrorCode::unknown_member_id) client->member_id.clear();
      if (answer.error == ErrorCode::fenced_instance_id) client->phase = Client::Phase::gone;
      if (answer.error != ErrorCode::none) return;
      client->owns.clear();
      for (const std::byte p : answer.assignment) client->owns.insert(static_cast<int>(p));
      client->phase = Client::Phase::works;
      client->next_heartbeat = now_;
    });
  }

  // Heartbeats and commits; who may commit must own what it commits in the current generation.
  void work(Client& client) {
    if (client.next_heartbeat > now_) return;
    client.next_heartbeat = now_ + Millis(1'000);
    const MemberClaim claim{client.member_id, client.instance_id, client.generation};
    if (random_.below(2) == 0) {
      const ErrorCode error = group_.check_commit(claim, now_);
      EXPECT_TRUE(error != ErrorCode::none || client.generation == group_.generation())
          << "a stale generation committed";
      return heard(client, error);
    }
    heard(client, group_.heartbeat(claim, now_));
  }

  void heard(Client& client, ErrorCode error) {
    if (error == ErrorCode::none) return;
    client.phase = Client::Phase::joins;
    if (error == ErrorCode::unknown_member_id) client.member_id.clear();
    if (error == ErrorCode::fenced_instance_id) client.phase = Client::Phase::gone;
  }

  void leave(Client& client) {
    if (!client.member_id.empty())
      group_.leave({client.member_id, client.instance_id, client.generation}, now_);
    client.phase = Client::Phase::gone;
  }

  // A second process with the same instance id; the first may live on as a zombie.
  void restart_static() {
    for (const auto& client : clients_) {
      if (!client->instance_id || client->phase == Client::Phase::gone) continue;
      auto heir = std::make_shared<Client>();
      heir->instance_id = client->instance_id;
      if (random_.below(2) == 0) client->phase = Client::Phase::gone;
      clients_.push_back(std::move(heir));
      return;
    }
  }

  void settle() {
    for (bool more = true; more;) {
      auto answers = group_.take_answers();
      more = !answers.empty();
      for (auto& answer : answers) answer();
      if (const auto unsaved = group_.take_unsaved(kWall)) saves_.push_back(unsaved->token);
      // Saves take a while: they are answered at random, those that fail in any order.
      if (!saves_.empty() && random_.below(2) == 0) {
        const auto next = saves_.begin() + static_cast<std::ptrdiff_t>(
                                               fail_saves_ ? random_.below(saves_.size()) : 0);
        const auto token = *next;
        saves_.erase(next);
        group_.saved(token, fail_saves_ ? ErrorCode::coordinator_not_available : ErrorCode::none,
                     now_);
        more = true;
      }
    }
  }

  // Working members of the current generation never share a partition.
  void check() {
    std::set<int> owned;
    for (const auto& client : clients_) {
      if (client->phase != Client::Phase::works || client->generation != group_.generation())
        continue;
      const MemberClaim claim{client->member_id, client->instance_id, client->generation};
      if (group_.check_transactional_commit(claim) != ErrorCode::none) continue;
      for (const int p : client->owns)
        EXPECT_TRUE(owned.insert(p).second) << "partition " << p << " has two owners";
    }
    EXPECT_GE(group_.generation(), last_generation_) << "a generation went back";
    last_generation_ = group_.generation();
    EXPECT_TRUE(!group_.has_members() || group_.next_deadline()) << "nothing would wake it";
  }

  void drop_gone() {
    std::erase_if(clients_, [](const auto& c) { return c->phase == Client::Phase::gone; });
  }
  std::shared_ptr<Client> pick() { return clients_[random_.below(clients_.size())]; }
  std::string fresh_name(std::string_view prefix) {
    return std::string(prefix) + std::to_string(next_name_++);
  }

  io::SeededRandom random_;
  GroupOptions options_;
  Group group_{"g", options_, kWall};
  Nanos now_{0};
  std::vector<std::shared_ptr<Client>> clients_;
  std::map<std::int32_t, std::string> leaders_;
  std::vector<std::int64_t> saves_;
  bool fail_saves_ = false;
  int next_name_ = 0;
  std::int32_t last_generation_ = 0;
};

TEST(GroupSimulation, whatever_members_do_a_partition_has_one_owner) {
  for (const std::uint64_t seed : io::test_seeds(200)) {
    SCOPED_TRACE(io::seed_note(seed));
    Simulation(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace group_simulation_test
}  // namespace adbrook::broker
