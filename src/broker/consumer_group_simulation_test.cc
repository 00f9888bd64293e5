// Members of the newer protocol that join, pause, wake, leave and crash at random, over saves that
// fail and restarts that forget memory, and what must hold whatever they do.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "broker/consumer_group.h"
#include "io/test_seed.h"

namespace adbrook::broker {
namespace consumer_group_simulation_test {

constexpr int kStepCount = 2'500;
constexpr Timestamp kWall{1'700'000'000'000};

// A client that follows the protocol as Kafka's clients do: it gives up what it is to lose, which
// takes a while, then takes what it is to have, then says so.
struct Client {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t epoch = kJoinEpoch;
  std::vector<std::string> topics;
  std::string pattern;
  bool named = false;  // it once told names: none is then an empty list, not an absent one
  PartitionSet owned;
  std::optional<PartitionSet> target;  // told, and not yet reached
  Nanos reaches_target{0};
  bool says_all = true;
  bool waits = false;
  bool gone = false;
  Nanos paused_until{0};
  Nanos next_heartbeat{0};
  int round = 0;  // answers to requests before this one are not heard
};
using ClientPtr = std::shared_ptr<Client>;

PartitionSet common(const PartitionSet& a, const PartitionSet& b) {
  PartitionSet both;
  for (const auto& [topic, partitions] : a) {
    const auto other = b.find(topic);
    if (other == b.end()) continue;
    for (const std::int32_t p : partitions)
      if (other->second.contains(p)) both[topic].insert(p);
  }
  return both;
}

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    change_topics();
    restart();
  }

  void run() {
    for (int i = 0; i < kStepCount && !testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
    calm_down();
  }

 private:
  bool chance(std::uint64_t of) { return random_.below(of) == 0; }

  void step() {
    now_ += Millis(static_cast<std::int64_t>(random_.below(400)));
    group_->tick(now_);
    const std::uint64_t what = random_.below(200);
    if (what < 6 && clients_.size() < 8) add_client();
    if (what == 6) pick().gone = true;  // crashed: says nothing
    if (what == 7) leave(pick(), kLeaveEpoch);
    if (what == 8 || what == 9)
      pick().paused_until = now_ + Millis(static_cast<std::int64_t>(random_.below(90'000)));
    if (what == 10) restart_static();
    if (what == 11) change_topics();
    if (what == 12) subscribe(pick());
    if (what < 16) fail_saves_ = chance(4);
    if (what == 17) restart();
    std::erase_if(clients_, [](const ClientPtr& c) { return c->gone; });
    for (const ClientPtr& client : clients_) act(client);
    settle();
  }

  // Nobody comes or goes any more: every partition must find one owner, who knows it.
  void calm_down() {
    fail_saves_ = false;
    add_client();
    for (const ClientPtr& client : clients_) client->paused_until = Nanos(0);
    for (int i = 0; i < 2'000; ++i) {
      now_ += Millis(200);
      group_->tick(now_);
      std::erase_if(clients_, [](const ClientPtr& c) { return c->gone; });
      for (const ClientPtr& client : clients_) act(client);
      settle();
    }
    check();
    EXPECT_EQ(group_->state_name(), "Stable");
    std::map<Uuid, std::multiset<std::int32_t>> owned;
    for (const ClientPtr& client : clients_)
      for (const auto& [topic, partitions] : client->owned)
        owned[topic].insert(partitions.begin(), partitions.end());
    for (const auto& [name, shape] : *catalog_) {
      const bool wanted =
          std::ranges::any_of(clients_, [&, n = name](const ClientPtr& c) { return wants(*c, n); });
      EXPECT_EQ(owned[shape.id].size(),
                wanted ? static_cast<std::size_t>(shape.partition_count) : 0u)
          << "of " << name;
    }
  }
  static bool wants(const Client& client, const std::string& topic) {
    return std::ranges::find(client.topics, topic) != client.topics.end() ||
           (client.pattern == "[bc]" && (topic == "b" || topic == "c"));
  }

  void add_client() {
    auto client = std::make_shared<Client>();
    client->member_id = "m" + std::to_string(next_name_++);
    if (chance(3)) client->instance_id = "static-" + std::to_string(next_name_++);
    subscribe(*client);
    clients_.push_back(std::move(client));
  }
  void subscribe(Client& client) {
    client.topics.clear();
    const bool by_pattern = chance(4);
    for (const char* name : {"a", "b", "c"})
      if (!by_pattern && !chance(3)) client.topics.emplace_back(name);
    client.named |= !client.topics.empty();
    client.pattern = client.topics.empty() || chance(4) ? "[bc]" : "";
    client.says_all = true;
  }
  void change_topics() {
    TopicCatalog topics;
    for (std::uint64_t i = 0; i < 3; ++i) {
      // One that is made anew has another id.
      if (chance(4)) ++topic_versions_[i];
      if (chance(5)) continue;
      topics[std::string(1, static_cast<char>('a' + i))] = {
          {i + 1, topic_versions_[i]}, static_cast<std::int32_t>(1 + random_.below(6))};
    }
    catalog_ = std::make_shared<const TopicCatalog>(std::move(topics));
  }

  void act(const ClientPtr& client) {
    if (client->paused_until > now_ || client->gone) return;
    reach_target(*client);
    if (client->next_heartbeat <= now_) beat(client);
  }
  void reach_target(Client& client) {
    if (!client.target || client.reaches_target > now_) return;
    client.owned = *std::exchange(client.target, std::nullopt);
    client.next_heartbeat = now_;  // says so at once
  }

  void beat(const ClientPtr& client) {
    client->next_heartbeat = now_ + Millis(3'000);
    // Who did not hear the last answer says everything again.
    if (client->waits) client->says_all = true;
    client->waits = true;
    const int round = ++client->round;
    ConsumerHeartbeat request{
        .member_id = client->member_id, .epoch = client->epoch, .instance_id = client->instance_id};
    if (client->says_all || client->epoch == kJoinEpoch) {
      request.rebalance_timeout = Millis(10'000);
      if (client->named) request.topics = client->topics;
      request.pattern = client->pattern;
    }
    if (client->epoch == kJoinEpoch) client->owned.clear();
    request.owned = client->owned;
    group_->heartbeat(std::move(request), catalog_, now_,
                      [this, client, round](const ConsumerHeartbeatAnswer& told) {
                        if (client->round == round && !chance(8)) heard(*client, told);
                      });
  }

  void heard(Client& client, const ConsumerHeartbeatAnswer& told) {
    client.waits = false;
    if (told.error == ErrorCode::none) {
      client.says_all = false;
      EXPECT_GE(told.epoch, client.epoch) << "an epoch went back";
      client.epoch = told.epoch;
      if (told.assignment) go_to(client, *told.assignment);
      return;
    }
    client.says_all = true;
    if (told.error == ErrorCode::fenced_member_epoch ||
        told.error == ErrorCode::unknown_member_id) {
      client.epoch = kJoinEpoch;
      client.owned.clear();
      client.target.reset();
    }
    if (told.error == ErrorCode::fenced_instance_id) client.gone = true;
  }
  // What it is to lose it owns until it has let go; only then it takes what is new.
  void go_to(Client& client, const PartitionSet& assignment) {
    client.target = assignment;
    const bool loses = common(client.owned, assignment) != client.owned;
    client.reaches_target = now_;
    if (loses) client.reaches_target += Millis(static_cast<std::int64_t>(random_.below(4'000)));
  }

  void leave(Client& client, std::int32_t epoch) {
    if (client.epoch > kJoinEpoch)
      group_->heartbeat(
          {.member_id = client.member_id, .epoch = epoch, .instance_id = client.instance_id},
          catalog_, now_, [](const ConsumerHeartbeatAnswer&) {});
    client.gone = true;
  }

  // A static member's process ends, saying so or not, and another one comes in its name.
  void restart_static() {
    for (const ClientPtr& client : clients_) {
      if (!client->instance_id || client->gone || client->paused_until > now_) continue;
      auto heir = std::make_shared<Client>();
      heir->member_id = "m" + std::to_string(next_name_++);
      heir->instance_id = client->instance_id;
      heir->topics = client->topics;
      heir->named = client->named;
      heir->pattern = client->pattern;
      if (chance(3))
        client->gone = true;
      else
        leave(*client, kAwayEpoch);
      clients_.push_back(std::move(heir));
      return;
    }
  }

  // Memory is gone; a save under way is there or not.
  void restart() {
    if (saving_ && chance(2)) keep(*saving_);
    saving_.reset();
    group_ = std::make_unique<ConsumerGroup>("g", options_, saved_, now_);
  }

  void settle() {
    for (bool more = true; more;) {
      auto answers = group_->take_answers();
      more = !answers.empty();
      for (auto& answer : answers) answer();
      if (!saving_) saving_ = group_->take_unsaved(kWall);
      // A save takes a while: it is answered at random.
      if (saving_ && chance(2)) {
        const ErrorCode error =
            fail_saves_ ? ErrorCode::coordinator_not_available : ErrorCode::none;
        if (!fail_saves_) keep(*saving_);
        const auto token = std::exchange(saving_, std::nullopt)->token;
        group_->saved(token, error);
        more = true;
      }
    }
  }
  void keep(const ConsumerGroup::Unsaved& unsaved) {
    if (unsaved.group) {
      auto members = std::move(saved_.members);
      EXPECT_GE(unsaved.group->epoch, saved_.epoch) << "the group's epoch went back";
      saved_ = *unsaved.group;
      saved_.members = std::move(members);
    }
    const auto forget = [&](const std::string& id) {
      std::erase_if(saved_.members, [&](const ConsumerMember& m) { return m.member_id == id; });
    };
    for (const std::string& id : unsaved.gone) forget(id);
    for (const ConsumerMember& member : unsaved.members) {
      forget(member.member_id);
      saved_.members.push_back(member);
    }
  }

  // Of clients whose epoch the group knows as its own, no two own a partition; and what one of them
  // owns is its own here too, so that nobody else is given it.
  void check() {
    std::map<Uuid, std::set<std::int32_t>> owned;
    std::map<std::string, ConsumerMember> members;
    for (ConsumerMember& member : group_->snapshot().members)
      members[member.member_id] = std::move(member);
    for (const ClientPtr& client : clients_) {
      const MemberClaim claim{.member_id = client->member_id, .generation = client->epoch};
      if (client->epoch <= 0 ||
          group_->check_commit(claim, ConsumerGroup::Request::with_epoch) != ErrorCode::none)
        continue;
      const ConsumerMember& known = members.at(client->member_id);
      for (const auto& [topic, partitions] : client->owned)
        for (const std::int32_t p : partitions) {
          EXPECT_TRUE(owned[topic].insert(p).second) << "partition " << p << " has two owners";
          const auto has = [&](const PartitionSet& set) {
            return set.contains(topic) && set.at(topic).contains(p);
          };
          EXPECT_TRUE(has(known.assigned) || has(known.revoking)) << "a revocation was lost";
        }
    }
    EXPECT_TRUE(!group_->has_members() || group_->next_deadline()) << "nothing would wake it";
  }

  Client& pick() {
    if (clients_.empty()) add_client();
    return *clients_[random_.below(clients_.size())];
  }

  io::SeededRandom random_;
  GroupOptions options_;
  Nanos now_{0};
  TopicCatalogPtr catalog_;
  std::map<std::uint64_t, std::uint64_t> topic_versions_;
  ConsumerGroupSnapshot saved_;
  std::unique_ptr<ConsumerGroup> group_;
  std::optional<ConsumerGroup::Unsaved> saving_;
  std::vector<ClientPtr> clients_;
  bool fail_saves_ = false;
  int next_name_ = 0;
};

TEST(ConsumerGroupSimulation, whatever_members_do_a_partition_has_one_owner) {
  for (const std::uint64_t seed : io::test_seeds(30)) {
    SCOPED_TRACE(io::seed_note(seed));
    Simulation(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace consumer_group_simulation_test
}  // namespace adbrook::broker
