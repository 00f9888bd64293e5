#include "bus/embedded_bus.h"

#include <gtest/gtest.h>

#include "log/log_test_bed.h"
#include "record/transaction_marker.h"

namespace adbrook::bus {
namespace {

class EmbeddedBusTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.log->create_topic("in", 2, {}));
    ASSERT_TRUE(bed.log->create_topic("out", 1, {}));
    bus = std::make_unique<EmbeddedBus>(*bed.log, bed.executor);
  }
  Result<void> commit(Commit what) {
    std::optional<Result<void>> result;
    bus->commit(std::move(what), [&](Result<void> done) { result = std::move(done); });
    bed.executor.run_until_idle();
    return result.value();
  }

  log::LogBed bed;
  std::unique_ptr<EmbeddedBus> bus;
};

TEST_F(EmbeddedBusTest, a_commit_puts_outputs_and_positions_there_together) {
  Commit what{.group = "task"};
  what.outputs.push_back({{"out", 0}, log::test_batch("result")});
  what.positions.push_back({{"in", 1}, Offset{7}});
  ASSERT_TRUE(commit(std::move(what)));
  EXPECT_EQ(bus->committed("task", {"in", 1}).value(), Offset{7});
  EXPECT_EQ(bus->committed("task", {"in", 0}).value(), Offset{-1});
  EXPECT_EQ(bus->ends({"out", 0})->end, Offset{1});
  const auto fetched = bus->fetch({"out", 0}, Offset{0}, 1000);
  ASSERT_TRUE(fetched);
  ASSERT_EQ(fetched->batches.size(), 1u);
  EXPECT_EQ(log::value_of(fetched->bytes), "result");
  EXPECT_EQ(fetched->batches[0].append_time, bed.executor.clock().now());
}

TEST_F(EmbeddedBusTest, a_commit_to_an_unknown_partition_keeps_nothing) {
  Commit what{.group = "task"};
  what.outputs.push_back({{"out", 0}, log::test_batch("result")});
  what.outputs.push_back({{"out", 1}, log::test_batch("result")});
  EXPECT_EQ(commit(std::move(what)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(bus->ends({"out", 0})->end, Offset{0});
}

TEST_F(EmbeddedBusTest, a_reader_is_woken_by_the_record_it_waits_for) {
  bool woken = false;
  bus->when_readable({"out", 0}, Offset{0}, [&] { woken = true; });
  bed.executor.run_until_idle();
  EXPECT_FALSE(woken);
  Commit what;
  what.outputs.push_back({{"out", 0}, log::test_batch("result")});
  ASSERT_TRUE(commit(std::move(what)));
  EXPECT_TRUE(woken);
}

TEST_F(EmbeddedBusTest, readers_see_committed_records_only_and_get_past_everything_else) {
  const log::PartitionId out = bed.partition("out");
  const auto send = [&](std::int64_t id, std::int32_t sequence, std::string_view value) {
    bed.append(out,
               log::producer_batch({.id = id, .sequence = sequence, .transactional = true}, value))
        .value();
  };
  const auto end = [&](std::int64_t id, record::TransactionEnd how) {
    log::Append what;
    what.batches.push_back(
        {out,
         record::build_transaction_marker({.producer_id = id, .producer_epoch = 0, .end = how}, {}),
         log::BatchOrigin::coordinator});
    bed.append(std::move(what)).value();
  };
  send(1, 0, "aborted");                              // 0
  send(2, 0, "committed");                            // 1
  end(2, record::TransactionEnd::commit);             // 2
  bed.append(out, log::test_batch("plain")).value();  // 3
  EXPECT_EQ(bus->ends({"out", 0})->end, Offset{0});
  bool woken = false;
  bus->when_readable({"out", 0}, Offset{0}, [&] { woken = true; });
  end(1, record::TransactionEnd::abort);  // 4
  EXPECT_TRUE(woken);
  EXPECT_EQ(bus->ends({"out", 0})->end, Offset{5});

  std::vector<std::string> values;
  Offset from;
  for (int fetches = 0; from < Offset{5} && fetches < 10; ++fetches) {
    const auto fetched = bus->fetch({"out", 0}, from, 1);
    ASSERT_TRUE(fetched);
    for (const auto& batch : fetched->batches)
      values.push_back(
          log::value_of(ByteView(fetched->bytes).subspan(batch.index_begin, batch.size)));
    ASSERT_GT(fetched->next, from);
    from = fetched->next;
  }
  EXPECT_EQ(values, (std::vector<std::string>{"committed", "plain"}));
  const auto at_end = bus->fetch({"out", 0}, Offset{5}, 1);
  ASSERT_TRUE(at_end);
  EXPECT_TRUE(at_end->batches.empty());
  EXPECT_EQ(at_end->next, Offset{5});
}

TEST_F(EmbeddedBusTest, partitions_are_counted_and_unknown_topics_said_so) {
  EXPECT_EQ(bus->partition_count("in").value(), 2);
  EXPECT_EQ(bus->partition_count("none").error().kind, ErrorKind::not_found);
  EXPECT_EQ(bus->ends({"none", 0}).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace adbrook::bus
