// The conservation check over topics that hold more than events: transactions of foreign producers
// leave markers and aborted records in the offsets, a deletion takes what lies in front.
#include "ads/audit.h"

#include <gtest/gtest.h>

#include "ads/click_topology.h"
#include "ads/event.h"
#include "ads/event_codec.h"
#include "bus/embedded_bus.h"
#include "io/random.h"
#include "log/log_test_bed.h"
#include "record/transaction_marker.h"
#include "stream/task_runner.h"

namespace adbrook::ads {
namespace audit_test {

constexpr Timestamp kNow{1'368'748'800'000};
constexpr std::string_view kGroup = "clicks";

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    EXPECT_TRUE(bed_.open());
    const auto topics = stream::topics_of(factory_, kGroup);
    for (const auto& names :
         {topics.sources, topics.internal, topics.outputs, std::vector{topics.changelog}})
      for (const std::string& name : names) EXPECT_TRUE(bed_.log->create_topic(name, 1, {}));
    bus_ = std::make_unique<bus::EmbeddedBus>(*bed_.log, bed_.executor);
  }
  ~AuditTest() override { stop(); }

  void start() {
    runner_ = std::make_unique<stream::TaskRunner>(
        stream::TaskRunnerPlaces{*bus_, bed_.disk, bed_.executor.clock(), bed_.executor, random_,
                                 *bed_.metrics, [](std::string_view) {}},
        std::string(kGroup), "state", factory_, stream::StreamOptions{});
    ASSERT_TRUE(runner_->start());
  }
  void stop() {
    if (!runner_) return;
    bool stopped = false;
    runner_->stop([&] { stopped = true; });
    for (int i = 0; i < 1000 && !stopped; ++i) run();
    EXPECT_TRUE(stopped);
    runner_.reset();
  }
  void run() {
    bed_.executor.run_until_idle();
    bed_.executor.advance(Millis(20));
    bed_.executor.run_until_idle();
  }

  void append(Buffer batch, log::BatchOrigin origin = log::BatchOrigin::engine) {
    log::Append what;
    what.batches.push_back({bed_.partition(kImpressionsTopic), std::move(batch), origin});
    bed_.append(std::move(what)).value();
  }
  // One impression that nobody has sent before.
  Buffer impression() {
    const Impression event{.id = {7, ++last_id_},
                           .timestamp = kNow + Millis(static_cast<std::int64_t>(last_id_)),
                           .campaign_id = 1,
                           .publisher_id = 2};
    Buffer value;
    encode(event, value);
    record::BatchBuilder builder;
    const auto key = event.id.text();
    builder.add(event.timestamp, as_bytes({key.data(), key.size()}), value);
    return builder.finish();
  }
  void append_in_transaction(std::int64_t producer, record::TransactionEnd end) {
    Buffer batch = impression();
    record::stamp_producer(batch, {.attributes = 16,
                                   .producer_id = producer,
                                   .producer_epoch = 0,
                                   .base_sequence = sequences_[producer]++});
    append(std::move(batch));
    append(record::build_transaction_marker(
               {.producer_id = producer, .producer_epoch = 0, .end = end}, kNow),
           log::BatchOrigin::coordinator);
  }

  Audit audit() {
    auto catch_up = runner_->catch_up();
    bool caught_up = false;
    for (int i = 0; i < 1000 && !caught_up; ++i) {
      run();
      caught_up = catch_up.done().value_or(false);
    }
    EXPECT_TRUE(caught_up) << runner_->trouble();
    std::optional<Audit> audit;
    EXPECT_TRUE(runner_->ask(0, [&](const stream::TaskView& task) {
      AuditBuilder builder(1);
      builder.add(task);
      audit = std::move(builder).finish(true, 0);
    }));
    for (int i = 0; i < 100 && !audit; ++i) run();
    return audit.value_or(Audit{.failures = {"the task did not answer"}});
  }
  void expect_counted(std::uint64_t count) {
    const Audit found = audit();
    EXPECT_TRUE(found.holds()) << found.failures.front();
    for (const AuditRow& row : found.rows)
      if (row.topic == kImpressionsTopic) {
        EXPECT_EQ(row.received, count);
        EXPECT_EQ(row.ended[static_cast<std::size_t>(stream::Outcome::counted)], count);
      }
  }

  stream::TopologyFactory factory_ = [](stream::Topology& topology) {
    define_click_topology(topology, {}, {});
  };
  log::LogBed bed_;
  io::SeededRandom random_{1};
  std::unique_ptr<bus::EmbeddedBus> bus_;
  std::unique_ptr<stream::TaskRunner> runner_;
  std::uint64_t last_id_ = 0;
  std::map<std::int64_t, std::int32_t> sequences_;
};

TEST_F(AuditTest, markers_and_aborted_records_are_not_received) {
  append(impression());
  append_in_transaction(1, record::TransactionEnd::abort);
  append_in_transaction(1, record::TransactionEnd::commit);
  append(impression());
  start();
  expect_counted(3);
  append_in_transaction(2, record::TransactionEnd::commit);
  append_in_transaction(1, record::TransactionEnd::abort);  // nothing follows it
  expect_counted(4);
  stop();
  start();
  expect_counted(4);
  append(impression());
  expect_counted(5);
}

TEST_F(AuditTest, a_group_that_begins_behind_a_deletion_counts_what_is_there) {
  for (int i = 0; i < 5; ++i) append(impression());
  std::optional<Result<Offset>> deleted;
  deleted = bed_.log->delete_records(bed_.partition(kImpressionsTopic), Offset{3});
  ASSERT_TRUE(deleted->has_value()) << deleted->error().message;
  start();
  expect_counted(2);
}

}  // namespace audit_test
}  // namespace adbrook::ads
