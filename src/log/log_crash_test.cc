// Random work on a simulated disk that crashes at random steps, also while it recovers; after each
// start everything is compared with a plain model. ADBROOK_CRASHES sets how many, ADBROOK_SEED
// which.
#include <cstdlib>
#include <functional>

#include "io/test_seed.h"
#include "log/log_crash_model.h"

namespace adbrook::log {
namespace log_crash_test {

constexpr std::uint64_t kCrashCountDefault = 2'000;
constexpr int kCrashesPerWorld = 8;
constexpr int kNestingMax = 3;

class CrashWorld {
 public:
  explicit CrashWorld(std::uint64_t seed) : bed_(seed), random_(seed * 31 + 7) {
    for (std::int64_t id = 0; id < 4; ++id)
      clients_.push_back({.id = id, .transactional = id % 2 == 1});
  }

  // Returns how many crashes there were.
  std::uint64_t run() {
    start();
    for (const char* topic : {"plain", "short", "relaxed", "keyed"}) make_topic(topic);
    while (crash_count_ < kCrashesPerWorld && !testing::Test::HasFailure()) live_and_die();
    return crash_count_;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }

  void start() {
    bed_.options.wal_file_bytes = {chance(2) ? 16 << 10 : 32 << 10};
    bed_.options.append_queue_bytes = {32 << 10};
    bed_.options.retention_check = Millis(chance(2) ? 1'000 : 300'000);
    bed_.compaction_limits.map = chance(3) ? Bytes{1} : 1_MiB;
    bed_.disk.set_capacity(std::nullopt);
    for (int nested = 0;; ++nested) {
      if (nested > 0 && nested <= kNestingMax && chance(2))
        bed_.disk.crash_at_step(bed_.disk.steps() + below(60));
      const auto opened = bed_.open();
      if (opened) return;
      if (!bed_.disk.dead()) {
        ADD_FAILURE() << "does not open: " << opened.error().message;
        return;
      }
      power_loss_or_kill();
    }
  }

  void power_loss_or_kill() {
    ++crash_count_;
    // A disk that died needs the power cycle.
    if (!bed_.disk.dead() && chance(2)) return bed_.kill();
    bed_.power_loss();
  }

  TopicConfig config(std::string_view topic) {
    TopicConfig config;
    config.segment_bytes = {static_cast<std::int64_t>(2'000 + below(6'000))};
    if (topic == "short") config.retention = Millis(5'000);
    if (topic == "churn") config.retention_bytes = {10'000};
    if (topic == "relaxed") config.durability = Durability::relaxed;
    if (topic != "keyed") return config;
    config.segment_bytes = {static_cast<std::int64_t>(1'000 + below(2'000))};
    config.given = compacted(Millis(2'000), chance(2) ? 0 : 0.3, chance(4));
    return config;
  }

  void make_topic(const std::string& topic) {
    const bool made = bed_.log->create_topic(topic, 2, config(topic)).has_value();
    if (made) note_topic(topic);
    if (!made) unsure_topic_ = topic;
  }
  void note_topic(const std::string& topic) {
    for (std::int32_t number = 0; number < 2; ++number)
      model_.partitions.push_back({.topic = topic,
                                   .number = number,
                                   .relaxed = topic == "relaxed",
                                   .compacted = topic == "keyed"});
  }
  bool has_topic(const std::string& topic) {
    for (const ModelPartition& partition : model_.partitions)
      if (partition.topic == topic && !partition.gone) return true;
    return false;
  }
  void forget_topic(const std::string& topic) {
    for (ModelPartition& partition : model_.partitions)
      if (partition.topic == topic) partition.gone = true;
  }
  void delete_topic(const std::string& topic) {
    if (bed_.log->delete_topic(topic)) return forget_topic(topic);
    unsure_topic_ = topic;
  }
  // A topic whose making or deletion was cut short is there or not.
  void settle_topic() {
    if (unsure_topic_.empty()) return;
    const bool there = bed_.log->partition(unsure_topic_, 0).has_value();
    if (there && !has_topic(unsure_topic_)) note_topic(unsure_topic_);
    if (!there) forget_topic(unsure_topic_);
    unsure_topic_.clear();
    for (const char* topic : {"plain", "short", "relaxed", "keyed"})
      if (!has_topic(topic)) make_topic(topic);
  }

  std::size_t any_partition() {
    for (;;) {
      const std::size_t index = below(model_.partitions.size());
      const ModelPartition& partition = model_.partitions[index];
      if (partition.gone || (mostly_relaxed_ && !partition.relaxed && !chance(20))) continue;
      return index;
    }
  }

  void append() {
    auto owned = std::make_unique<ModelAppend>();
    ModelAppend& made = *owned;
    Append what;
    const std::uint64_t batch_count = chance(mostly_relaxed_ ? 80 : 8) ? 0 : 1 + below(3);
    made.relaxed = batch_count > 0;
    for (std::uint64_t i = 0; i < batch_count; ++i) {
      const std::size_t index = any_partition();
      const ModelPartition& partition = model_.partitions[index];
      made.relaxed = made.relaxed && partition.relaxed;
      std::string value = std::to_string(++value_count_) + "/";
      value.resize(value.size() + (chance(6) ? below(2'500) : below(120)), 'x');
      ModelBatch batch{
          .partition = index, .value = std::move(value), .count = 1 + static_cast<int>(below(3))};
      give_key(batch);
      what.batches.push_back({bed_.partition(partition.topic, partition.number), bytes_of(batch)});
      made.batches.push_back(std::move(batch));
    }
    if (batch_count == 0 || chance(3)) {
      const std::size_t index = any_partition();
      const ModelPartition& partition = model_.partitions[index];
      const std::string group = chance(2) ? "one" : "two";
      const Offset offset{static_cast<std::int64_t>(++value_count_)};
      what.offsets.push_back({group, bed_.partition(partition.topic, partition.number), offset});
      made.offsets.push_back({group, index, offset});
    }
    model_.appends.push_back(std::move(owned));
    bed_.log->append(std::move(what),
                     [this, &made](Appended result) { model_.answered(made, result); });
  }

  // Few keys, so that most records are replaced; some records delete their key.
  void give_key(ModelBatch& batch) {
    if (!model_.partitions[batch.partition].compacted) return;
    batch.key = "k" + std::to_string(below(5));
    if (chance(5)) batch.value.clear();
  }

  // --- producers ---

  CrashClient& any_client() { return clients_[below(clients_.size())]; }

  void produce() {
    CrashClient& client = any_client();
    const std::size_t index = any_partition();
    if (client.under_way.contains(index) || client.ending) return;
    std::string value = std::to_string(++value_count_) + "/";
    value.resize(value.size() + below(300), 'x');
    ModelBatch batch{.partition = index,
                     .value = value,
                     .count = 1 + static_cast<int>(below(3)),
                     .producer = client.next(index)};
    give_key(batch);
    client.under_way.insert(index);
    send_as_client({batch}, {}, [this, &client, batch](const Appended& result) {
      client.under_way.erase(batch.partition);
      if (result)
        client.acknowledged(batch.partition, {batch.producer.sequence, batch.count, batch.value,
                                              result->front().base});
    });
  }

  // What the log has already: the answer is where it is, and nothing is added.
  void repeat() {
    CrashClient& client = any_client();
    const std::size_t index = any_partition();
    const auto sent = client.sent.find(index);
    if (client.ending || client.under_way.contains(index) || sent == client.sent.end() ||
        sent->second.empty())
      return;
    const ModelSent& batch = sent->second[below(sent->second.size())];
    TestProducer producer = client.next(index);
    producer.sequence = batch.sequence;
    Append what;
    const ModelPartition& partition = model_.partitions[index];
    what.batches.push_back({bed_.partition(partition.topic, partition.number),
                            producer_batch(producer, batch.value, batch.count)});
    client.under_way.insert(index);
    bed_.log->append(std::move(what), [&client, index, base = batch.base](const Appended& result) {
      client.under_way.erase(index);
      if (result) EXPECT_EQ(result->front().base, base) << "a repeated batch was taken again";
      expect_no_rule(result);
    });
  }

  // The markers in all partitions and the positions are one append.
  void end_transaction() {
    CrashClient& client = any_client();
    std::erase_if(client.touched, [&](std::size_t i) { return model_.partitions[i].gone; });
    if (client.ending || client.touched.empty() || !client.under_way.empty()) return;
    const bool heir = chance(4);
    const auto end =
        heir || chance(2) ? record::TransactionEnd::abort : record::TransactionEnd::commit;
    TestProducer producer{.id = client.id, .epoch = client.epoch};
    if (heir) ++producer.epoch;
    std::vector<ModelBatch> markers;
    for (const std::size_t index : client.touched)
      markers.push_back({.partition = index, .count = 1, .producer = producer, .end = end});
    std::vector<ModelOffset> offsets;
    if (chance(2)) offsets.push_back({"one", *client.touched.begin(), Offset{0}});
    client.ending = true;
    send_as_client(std::move(markers), std::move(offsets), [&client, heir](const Appended& result) {
      client.ending = false;
      if (!result) return;
      client.touched.clear();
      if (heir) client.begin_epoch();
    });
  }

  static void expect_no_rule(const Appended& result) {
    const bool broken = !result && result.error().rule != AppendRule::none &&
                        result.error().rule != AppendRule::unknown_partition;
    EXPECT_FALSE(broken) << result.error().message;
  }

  Buffer bytes_of(ModelBatch& batch) {
    if (!batch.end) {
      Buffer bytes = batch.key.empty() ? test_batch(batch.value, batch.count)
                                       : keyed_batch(batch.key, batch.value, batch.count);
      return batch.producer.id < 0 ? bytes : as_produced(batch.producer, std::move(bytes));
    }
    // The coordinator's epoch makes each marker's value another one.
    Buffer bytes = record::build_transaction_marker(
        {.producer_id = batch.producer.id,
         .producer_epoch = batch.producer.epoch,
         .end = *batch.end,
         .coordinator_epoch = static_cast<std::int32_t>(++value_count_)},
        {1000});
    batch.value = value_of(bytes);
    return bytes;
  }

  void send_as_client(std::vector<ModelBatch> batches, std::vector<ModelOffset> offsets,
                      std::function<void(const Appended&)> answered) {
    auto owned = std::make_unique<ModelAppend>();
    ModelAppend& made = *owned;
    made.relaxed = true;
    Append what;
    for (ModelBatch& batch : batches) {
      const ModelPartition& partition = model_.partitions[batch.partition];
      made.relaxed = made.relaxed && partition.relaxed;
      what.batches.push_back({bed_.partition(partition.topic, partition.number), bytes_of(batch),
                              batch.end ? BatchOrigin::coordinator : BatchOrigin::client});
    }
    for (ModelOffset& offset : offsets) {
      const ModelPartition& partition = model_.partitions[offset.partition];
      offset.offset = {static_cast<std::int64_t>(++value_count_)};
      what.offsets.push_back(
          {offset.group, bed_.partition(partition.topic, partition.number), offset.offset});
    }
    made.batches = std::move(batches);
    made.offsets = std::move(offsets);
    model_.appends.push_back(std::move(owned));
    bed_.log->append(std::move(what), [this, &made, answered](const Appended& result) {
      expect_no_rule(result);
      model_.answered(made, result);
      answered(result);
    });
  }

  void clients_learn() {
    for (CrashClient& client : clients_) {
      client.forget_all();
      for (int round = 0; round < 2; ++round)  // the first one finds the newest epoch
        for (std::size_t i = 0; i < model_.partitions.size(); ++i)
          if (!model_.partitions[i].gone) client.learn(i, model_.partitions[i].producers);
    }
  }

  // --- records and partitions that an administrator removes and adds ---

  void delete_records() {
    const std::size_t index = any_partition();
    ModelPartition& partition = model_.partitions[index];
    const auto id = bed_.log->partition(partition.topic, partition.number);
    if (!id) return;
    const Ends ends = bed_.log->ends(*id);
    const auto count = static_cast<std::uint64_t>(ends.visible - ends.start);
    const Offset before = ends.start + static_cast<std::int64_t>(below(count + 1));
    const auto deleted = bed_.log->delete_records(*id, before);
    model_.check_running(bed_, index);
    if (!deleted) partition.start_most = std::max(partition.start_most, before);
    if (!deleted) return;
    EXPECT_EQ(*deleted, before);
    partition.start_least = before;
  }

  void grow() {
    const auto topic = bed_.log->topic("plain");
    if (!topic || topic->partition_count == 4) return;
    const std::int32_t count = topic->partition_count + 1;
    if (bed_.log->create_partitions("plain", count)) settle_growth();
  }
  // Also of one that was cut short, which is there or not.
  void settle_growth() {
    const auto topic = bed_.log->topic("plain");
    std::int32_t known = 0;
    for (const ModelPartition& partition : model_.partitions)
      if (partition.topic == "plain" && !partition.gone) ++known;
    for (; topic && known < topic->partition_count; ++known)
      model_.partitions.push_back({.topic = "plain", .number = known});
  }

  void compact() {
    bed_.executor.advance(Millis(static_cast<std::int64_t>(below(1'500))));
    static_cast<void>(bed_.compact());
  }

  void retain() {
    bed_.executor.advance(Millis(static_cast<std::int64_t>(below(4'000))));
    const bool done = bed_.log->apply_retention().has_value();
    for (std::size_t i = 0; i < model_.partitions.size(); ++i) {
      model_.check_running(bed_, i);
      if (done) model_.partitions[i].start_least = model_.partitions[i].start_seen;
    }
  }

  // The disk fills up, has room again, or time goes on.
  void change_room() {
    if (chance(2)) return bed_.executor.advance(Millis(150));
    if (chance(2)) return bed_.disk.set_capacity(std::nullopt);
    bed_.disk.set_capacity(1ull << 40);
    const auto room = bed_.disk.free_bytes("data");
    if (room) bed_.disk.set_capacity((1ull << 40) - *room + below(200'000));
  }

  void one_thing() {
    const std::uint64_t what = below(106);
    if (what >= 104) return compact();
    if (what >= 103) return chance(2) ? delete_records() : grow();
    if (what >= 102) return repeat();
    if (what >= 100) return end_transaction();
    if (what < 25) return append();
    if (what < 45) return produce();
    if (what < 90) return static_cast<void>(bed_.executor.run_one());
    if (what < 94) return model_.check_running(bed_, any_partition());
    if (what < 96) return retain();
    if (what < 97) return change_room();
    if (what < 99) return has_topic("churn") ? delete_topic("churn") : make_topic("churn");
    if (chance(4)) static_cast<void>(bed_.log->close());
  }

  void plan_trouble() {
    bed_.disk.crash_at_step(bed_.disk.steps() + below(400));
    life_ = 50 + below(2'000);
    using io::DiskCall;
    if (!chance(6)) return;
    const DiskCall calls[] = {DiskCall::write,    DiskCall::sync,   DiskCall::allocate,
                              DiskCall::truncate, DiskCall::rename, DiskCall::sync_directory};
    bed_.disk.fail_call(calls[below(6)], below(40));
  }

  void live_and_die() {
    plan_trouble();
    for (std::uint64_t i = 0; i < life_ && !bed_.disk.dead(); ++i) {
      if (!bed_.log->trouble().empty() && chance(10)) break;
      if (!unsure_topic_.empty()) break;
      one_thing();
    }
    for (std::size_t i = 0; i < model_.partitions.size(); ++i) model_.check_running(bed_, i);
    power_loss_or_kill();
    start();
    if (testing::Test::HasFailure()) return;
    settle_topic();
    settle_growth();
    if (bed_.disk.dead() || !bed_.log->trouble().empty()) return;
    model_.check_after_start(bed_);
    clients_learn();
  }

  LogBed bed_;
  io::SeededRandom random_;
  CrashModel model_;
  std::vector<CrashClient> clients_;
  // Groups that are not synced are what the order of the entries is proven with.
  const bool mostly_relaxed_ = chance(4);
  std::string unsure_topic_;
  std::uint64_t value_count_ = 0;
  std::uint64_t crash_count_ = 0;
  std::uint64_t life_ = 0;  // things to do until the process is killed, if the disk lives that long
};

std::uint64_t wanted_crash_count() {
  const char* wanted = std::getenv("ADBROOK_CRASHES");
  return wanted == nullptr ? kCrashCountDefault : std::strtoull(wanted, nullptr, 10);
}

TEST(LogCrash, after_any_crash_the_log_holds_what_it_acknowledged_and_nothing_torn) {
  const std::uint64_t wanted = wanted_crash_count();
  const auto seeds = io::test_seeds(wanted / kCrashesPerWorld + 1);
  std::uint64_t crash_count = 0;
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE(io::seed_note(seed));
    crash_count += CrashWorld(seed).run();
    if (HasFailure()) {
      std::fprintf(stderr, "failed with %s\n", io::seed_note(seed).c_str());
      return;
    }
    if (crash_count >= wanted) break;
  }
  RecordProperty("crashes", static_cast<int>(crash_count));
  std::printf("%llu crashes\n", static_cast<unsigned long long>(crash_count));
}

}  // namespace log_crash_test
}  // namespace adbrook::log
