// Producers of one transactional id in both versions, over a network that loses answers and, for
// the newer version, delivers requests late and twice. Partitions follow the log's own rules; some
// appends are refused before their turn. What readers of committed records see in the end must be
// what the producers were told.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "broker/transaction.h"
#include "io/test_seed.h"
#include "log/producers.h"

namespace adbrook::broker {
namespace transaction_simulation_test {

constexpr int kPartitionCount = 3;
constexpr int kStepCount = 8'000;
constexpr Millis kExpiration{86'400'000};
constexpr Timestamp kWall{1'700'000'000'000};
constexpr Millis kTimeout{20'000};

TopicPartition place_of(int partition) { return {"t", partition}; }

// One transaction of one producer, as its application knows it.
struct Work {
  bool asked_commit = false;
  bool told_committed = false;
  bool told_aborted = false;
  std::set<std::pair<int, std::int32_t>> taken;  // partition and sequence of acknowledged batches
};
using WorkPtr = std::shared_ptr<Work>;

struct Producer {
  enum class Does { inits, writes, ends, waits, gone };
  bool newer = false;
  ProducerIdentity who;
  Does does = Does::inits;
  Does before_wait = Does::inits;
  std::optional<Nanos> gives_up;  // when it takes the answer for lost
  WorkPtr work;
  std::map<int, std::int32_t> sequences;
  std::optional<int> unacknowledged;  // the partition of its last batch
  std::set<int> announced;
  Transaction::Ending ending = Transaction::Ending::abort;
  int round = 0;  // answers to requests before this one come too late to be heard
};
using ProducerPtr = std::shared_ptr<Producer>;

// Appends in their order, each whole or not at all.
struct Append {
  std::optional<Transaction::Write> write;
  struct Data {
    int partition;
    log::ProducerStamp stamp;
    WorkPtr work;
    Transaction::Done done;
  };
  std::optional<Data> data;
};

struct Entry {
  std::int64_t producer_id;
  std::optional<Transaction::Ending> marker;
  WorkPtr work;
  std::int32_t sequence = -1;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) { begin(); }

  void run() {
    for (int i = 0; i < kStepCount; ++i) step();
    for (const auto& producer : producers_) producer->does = Producer::Does::gone;
    network_.clear();
    failing_ = false;
    settle_all();
    now_ += kTimeout + Millis(1);  // what hangs is aborted, so that readers see an end
    transaction_->tick(now_, kWall);
    settle_all();
    check();
  }

 private:
  using Does = Producer::Does;
  bool chance(std::uint64_t of) { return random_.below(of) == 0; }

  void begin() { transaction_ = std::make_unique<Transaction>("tx", saved_, now_); }

  void step() {
    now_ += Millis(static_cast<std::int64_t>(random_.below(300)));
    transaction_->tick(now_, kWall);
    if (producers_.empty() || chance(60)) {
      producers_.push_back(std::make_shared<Producer>());
      producers_.back()->newer = !chance(3);
    }
    if (chance(200)) crash();
    if (chance(50)) failing_ = chance(3);
    std::erase_if(producers_, [&](const auto& p) { return p->does == Does::gone || chance(400); });
    for (const auto& producer : std::vector(producers_)) act(producer);
    deliver();
    settle(chance(3) ? 0 : 2);
  }

  // Memory is gone; what was appended stays, and its answers are lost. So is the network.
  void crash() {
    settle(static_cast<int>(random_.below(3)), /*answers=*/false);
    appends_.clear();
    transaction_->take_answers();
    begin();
  }

  void act(const ProducerPtr& producer) {
    if (producer->does == Does::waits && producer->gives_up <= now_) ask_again(*producer);
    switch (producer->does) {
      case Does::inits: return init(producer);
      case Does::writes: return chance(4) ? decide(producer) : write(producer);
      case Does::ends: return end(producer);
      default: return;
    }
  }

  void ask_again(Producer& producer) {
    producer.does = producer.before_wait;
    // A batch that may still be on its way is not left behind: its transaction is given up.
    if (producer.does != Does::writes || !producer.newer || !chance(3)) return;
    producer.ending = Transaction::Ending::abort;
    producer.does = Does::ends;
  }

  // Sends what the producer asks. Only the newer version stands requests that come late or twice.
  template <class Request>
  void send(const ProducerPtr& producer, Request request) {
    producer->before_wait = producer->does;
    producer->does = Does::waits;
    producer->gives_up = now_ + Millis(3'000);
    ++producer->round;
    if (!producer->newer) return request();
    const auto deliver_after = [&](Millis delay) { network_.emplace(now_ + delay, request); };
    deliver_after(Millis(static_cast<std::int64_t>(random_.below(chance(5) ? 20'000 : 100))));
    if (chance(4)) deliver_after(Millis(static_cast<std::int64_t>(random_.below(20'000))));
  }
  void deliver() {
    while (!network_.empty() && network_.begin()->first <= now_) {
      const auto request = network_.begin()->second;
      network_.erase(network_.begin());
      request();
    }
  }
  // Runs the producer's reaction unless the answer is lost or not waited for any more.
  template <class Heard>
  void hear(const ProducerPtr& producer, int round, Heard heard) {
    if (producer->does != Does::waits || producer->round != round || chance(6)) return;
    producer->does = producer->before_wait;
    heard(*producer);
  }

  void init(const ProducerPtr& producer) {
    send(producer, [this, producer, round = producer->round + 1] {
      const std::int64_t fresh = transaction_->needs_fresh_id() ? next_id_++ : -1;
      transaction_->init({.timeout = kTimeout}, fresh, kWall,
                         [this, producer, round](ErrorCode error, ProducerIdentity who) {
                           hear(producer, round, [&](Producer& p) {
                             if (error == ErrorCode::none) begin_work(p, who);
                           });
                         });
    });
  }
  static void begin_work(Producer& producer, ProducerIdentity who) {
    if (producer.who != who) producer.sequences.clear();
    producer.who = who;
    producer.does = Does::writes;
    producer.work = std::make_shared<Work>();
    producer.announced.clear();
    producer.unacknowledged.reset();
  }

  void decide(const ProducerPtr& producer) {
    const bool unsure = producer->unacknowledged.has_value();
    // Under version 1 an epoch numbers on, so a batch of unknown fate is sent until it is known.
    if (unsure && !producer->newer) return write(producer);
    producer->ending =
        unsure || chance(3) ? Transaction::Ending::abort : Transaction::Ending::commit;
    const bool nothing_sent = producer->work->taken.empty() && producer->announced.empty();
    if (!nothing_sent || (producer->newer && unsure)) producer->does = Does::ends;
  }

  void write(const ProducerPtr& producer) {
    const int partition =
        producer->unacknowledged.value_or(static_cast<int>(random_.below(kPartitionCount)));
    if (!producer->newer && !producer->announced.contains(partition))
      return announce(producer, partition);
    producer->unacknowledged = partition;
    const std::int32_t sequence = producer->sequences[partition];
    const log::ProducerStamp stamp{.id = producer->who.id,
                                   .epoch = producer->who.epoch,
                                   .first_sequence = sequence,
                                   .last_sequence = sequence,
                                   .transactional = true};
    send(producer, [this, producer, stamp, partition, work = producer->work,
                    round = producer->round + 1] {
      append({partition, stamp, work,
              [this, producer, stamp, partition, round, work](ErrorCode error) {
                hear(producer, round, [&](Producer& p) { written(p, stamp, partition, error); });
              }},
             producer->newer);
    });
  }
  static void written(Producer& producer, const log::ProducerStamp& stamp, int partition,
                      ErrorCode error) {
    if (error == ErrorCode::none) {
      producer.work->taken.insert({partition, stamp.first_sequence});
      ++producer.sequences[partition];
      producer.unacknowledged.reset();
    } else if (error == ErrorCode::invalid_producer_epoch && producer.newer) {
      producer.ending = Transaction::Ending::abort;
      producer.does = Does::ends;
    } else if (error == ErrorCode::invalid_producer_epoch || fences(error)) {
      producer.does = Does::gone;
    }
  }

  void announce(const ProducerPtr& producer, int partition) {
    send(producer, [this, producer, partition, round = producer->round + 1] {
      transaction_->add_partitions(producer->who, {place_of(partition)}, kWall, now_,
                                   [this, producer, partition, round](ErrorCode error) {
                                     hear(producer, round, [&](Producer& p) {
                                       if (error == ErrorCode::none) p.announced.insert(partition);
                                       if (fences(error)) p.does = Does::gone;
                                     });
                                   });
    });
  }
  static bool fences(ErrorCode error) {
    return error == ErrorCode::producer_fenced || error == ErrorCode::invalid_txn_state ||
           error == ErrorCode::invalid_producer_id_mapping;
  }

  void append(Append::Data data, bool joins) {
    const ProducerIdentity who{data.stamp.id, data.stamp.epoch};
    const TopicPartition place = place_of(data.partition);
    const ErrorCode error =
        joins ? transaction_->join_write(who, place, data.stamp.first_sequence, kWall, now_)
              : transaction_->check_write(who, place);
    if (error != ErrorCode::none) return data.done(error);
    Append whole{.data = std::move(data)};
    if (auto write = transaction_->take_write()) whole.write = std::move(*write);
    appends_.push_back(std::move(whole));
  }

  void end(const ProducerPtr& producer) {
    const bool commits = producer->ending == Transaction::Ending::commit;
    if (commits) producer->work->asked_commit = true;
    const Transaction::EndRequest request{producer->who, producer->ending, producer->newer};
    send(producer, [this, producer, request, work = producer->work, round = producer->round + 1] {
      const bool needs = request.raises_epoch && transaction_->needs_fresh_id();
      transaction_->end(
          request, needs ? next_id_++ : -1, kWall,
          [this, producer, work, round, request](ErrorCode error, ProducerIdentity next) {
            // What is answered holds, whether it arrives or not.
            const bool commit = request.ending == Transaction::Ending::commit;
            if (error == ErrorCode::none)
              (commit ? work->told_committed : work->told_aborted) = true;
            hear(producer, round, [&](Producer& p) {
              if (error == ErrorCode::none)
                begin_work(p, p.newer ? next : p.who);
              else if (fences(error))
                p.does = Does::gone;
            });
          });
    });
  }

  void settle_all() {
    for (int i = 0; i < 20; ++i) settle(1'000);
  }
  // Lets up to `count` appends happen.
  void settle(int count, bool answers = true) {
    take_from_transaction(answers);
    for (int i = 0; i < count && !appends_.empty(); ++i) {
      const bool early = failing_ && chance(4);
      const auto next = appends_.begin() +
                        static_cast<std::ptrdiff_t>(early ? random_.below(appends_.size()) : 0);
      Append append = std::move(*next);
      appends_.erase(next);
      const ErrorCode error = early ? ErrorCode::coordinator_not_available : happen(append);
      if (!answers) continue;
      if (append.write) transaction_->written(append.write->token, error, kWall, now_);
      if (append.data) append.data->done(error);
      take_from_transaction(answers);
    }
  }
  void take_from_transaction(bool answers) {
    if (auto write = transaction_->take_write()) appends_.push_back({.write = std::move(*write)});
    if (!answers) return;
    for (auto& answer : transaction_->take_answers()) answer();
    if (auto write = transaction_->take_write()) appends_.push_back({.write = std::move(*write)});
  }

  ErrorCode happen(const Append& append) {
    if (failing_ && chance(2)) return ErrorCode::coordinator_not_available;
    if (append.data) {
      const auto& data = *append.data;
      const auto known = states_[data.partition].check(data.stamp, kWall, kExpiration);
      if (!known) return code_of(known.error().rule);
      if (!*known)
        put(data.partition, data.stamp, {data.stamp.id, {}, data.work, data.stamp.first_sequence});
    }
    if (!append.write) return ErrorCode::none;
    saved_ = append.write->snapshot;
    if (append.write->end) put_markers(*append.write->end);
    return ErrorCode::none;
  }
  static ErrorCode code_of(log::AppendRule rule) {
    switch (rule) {
      case log::AppendRule::invalid_producer_epoch: return ErrorCode::invalid_producer_epoch;
      case log::AppendRule::out_of_order_sequence: return ErrorCode::out_of_order_sequence_number;
      default: return ErrorCode::invalid_txn_state;
    }
  }
  void put(int partition, const log::ProducerStamp& stamp, Entry entry) {
    const auto offset = static_cast<std::int64_t>(logs_[partition].size());
    states_[partition].apply(stamp, Offset{offset}, kWall);
    logs_[partition].push_back(std::move(entry));
  }
  void put_markers(const Transaction::Write::End& end) {
    const auto kind = end.ending == Transaction::Ending::commit ? record::TransactionEnd::commit
                                                                : record::TransactionEnd::abort;
    const record::TransactionMarker marker{
        .producer_id = end.producer.id, .producer_epoch = end.producer.epoch, .end = kind};
    for (const TopicPartition& place : end.partitions)
      put(place.partition, {.id = end.producer.id, .epoch = end.producer.epoch, .marker = marker},
          {.producer_id = end.producer.id, .marker = end.ending, .work = nullptr});
  }

  // What a reader makes of each partition, held against what the producers were told.
  void check() {
    std::map<WorkPtr, std::set<std::pair<int, std::int32_t>>> committed;
    std::map<WorkPtr, std::set<std::pair<int, std::int32_t>>> aborted;
    for (int partition = 0; partition < kPartitionCount; ++partition) {
      std::map<std::int64_t, std::vector<Entry>> open;
      for (const Entry& entry : logs_[partition]) {
        if (!entry.marker) {
          open[entry.producer_id].push_back(entry);
          continue;
        }
        auto& into = *entry.marker == Transaction::Ending::commit ? committed : aborted;
        for (const Entry& ended : open[entry.producer_id])
          EXPECT_TRUE(into[ended.work].insert({partition, ended.sequence}).second)
              << "a batch is there twice";
        open.erase(entry.producer_id);
      }
      for (const auto& [id, left] : open)
        for (const Entry& entry : left) EXPECT_FALSE(entry.work->told_committed) << "it hangs";
    }
    for (const auto& [work, batches] : committed) {
      EXPECT_FALSE(aborted.contains(work)) << "a transaction is torn";
      EXPECT_TRUE(work->asked_commit) << "nobody asked to commit it";
      EXPECT_FALSE(work->told_aborted) << "an aborted transaction is seen";
      EXPECT_TRUE(std::ranges::includes(batches, work->taken)) << "a committed batch is missing";
    }
    for (const auto& [work, batches] : aborted)
      EXPECT_FALSE(work->told_committed) << "a committed transaction is not seen";
  }

  io::SeededRandom random_;
  Nanos now_{0};
  TransactionSnapshot saved_;
  std::unique_ptr<Transaction> transaction_;
  std::vector<ProducerPtr> producers_;
  std::multimap<Nanos, std::function<void()>> network_;
  std::deque<Append> appends_;
  std::map<int, log::Producers> states_;
  std::map<int, std::vector<Entry>> logs_;
  std::int64_t next_id_ = 1;
  bool failing_ = false;
};

TEST(TransactionSimulation, readers_see_what_producers_were_told) {
  for (const std::uint64_t seed : io::test_seeds(150)) {
    SCOPED_TRACE(io::seed_note(seed));
    Simulation(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace transaction_simulation_test
}  // namespace adbrook::broker
