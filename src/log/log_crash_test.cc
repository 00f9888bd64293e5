// Random work on a simulated disk that crashes at random steps, also while it recovers; after each
// start everything is compared with a plain model. ADBROOK_CRASHES sets how many, ADBROOK_SEED
// which.
#include <cstdlib>

#include "io/test_seed.h"
#include "log/log_crash_model.h"

namespace adbrook::log {
namespace {

constexpr std::uint64_t kCrashCountDefault = 2'000;
constexpr int kCrashesPerWorld = 8;
constexpr int kNestingMax = 3;

class CrashWorld {
 public:
  explicit CrashWorld(std::uint64_t seed) : bed_(seed), random_(seed * 31 + 7) {}

  // Returns how many crashes there were.
  std::uint64_t run() {
    start();
    for (const char* topic : {"plain", "short", "relaxed"}) make_topic(topic);
    while (crash_count_ < kCrashesPerWorld && !testing::Test::HasFailure()) live_and_die();
    return crash_count_;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }

  void start() {
    bed_.options.wal_file_bytes = {chance(2) ? 16 << 10 : 32 << 10};
    bed_.options.append_queue_bytes = {32 << 10};
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
    return config;
  }

  void make_topic(const std::string& topic) {
    const bool made = bed_.log->create_topic(topic, 2, config(topic)).has_value();
    if (made) note_topic(topic);
    if (!made) unsure_topic_ = topic;
  }
  void note_topic(const std::string& topic) {
    for (std::int32_t number = 0; number < 2; ++number)
      model_.partitions.push_back(
          {.topic = topic, .number = number, .relaxed = topic == "relaxed"});
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
    for (const char* topic : {"plain", "short", "relaxed"})
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
      const int count = 1 + static_cast<int>(below(3));
      what.batches.push_back(
          {bed_.partition(partition.topic, partition.number), test_batch(value, count)});
      made.batches.push_back({index, std::move(value), count});
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

  void retain() {
    bed_.executor.advance(Millis(static_cast<std::int64_t>(below(4'000))));
    const bool done = bed_.log->apply_retention().has_value();
    for (std::size_t i = 0; i < model_.partitions.size(); ++i) {
      model_.check_running(bed_, i);
      if (done) model_.partitions[i].start_least = model_.partitions[i].start_most;
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
    const std::uint64_t what = below(100);
    if (what < 45) return append();
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
    if (bed_.disk.dead() || !bed_.log->trouble().empty()) return;
    model_.check_after_start(bed_);
  }

  LogBed bed_;
  io::SeededRandom random_;
  CrashModel model_;
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

}  // namespace
}  // namespace adbrook::log
