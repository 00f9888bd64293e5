// One task of a topology as a machine that never stops: takes the steps of a changelog without a
// checkpoint, so that what a crashed and restarted task wrote can be compared with what it writes.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stream/changelog.h"
#include "stream/input_reader.h"
#include "stream/test_driver.h"
#include "stream/topology.h"

namespace adbrook::stream {

// What a record is, wherever it lies.
struct Written {
  std::int64_t time;
  std::string key, value;
  friend auto operator<=>(const Written&, const Written&) = default;
};
using Outputs = std::map<bus::Partition, std::vector<Written>>;

inline void add_batch(std::vector<Written>& to, ByteView batch) {
  auto reader = record::BatchReader::open(batch, 64_MiB).value();
  record::RecordView view;
  while (reader.next(view).value())
    to.push_back({view.timestamp.ms, std::string(as_text(view.key.value_or(ByteView{}))),
                  std::string(as_text(view.value.value_or(ByteView{})))});
}

class UninterruptedTask {
 public:
  UninterruptedTask(TestDriver& driver, const TopologyFactory& define, std::int32_t partition,
                    std::int32_t partition_count, const StreamOptions& options)
      : driver_(driver),
        topology_(partition, partition_count, 0xFEED + static_cast<std::uint64_t>(partition),
                  options.watermarks()) {
    define(topology_);
    for (const auto& input : topology_.inputs())
      readers_.emplace_back(driver.bus(), bus::Partition{input->topic(), partition});
  }

  void take_all(Outputs& outputs) {
    for (const auto& logged : driver_.records("test-changelog", topology_.partition())) {
      const CommitRecord record = decode_commit_record(as_bytes(logged.value)).value();
      if (record.written_count > 0) continue;  // the whole commit comes behind its parts
      for (const Step& step : record.steps) take(step);
      ASSERT_EQ(topology_.context().watermark, record.watermark);
      ASSERT_EQ(topology_.context().counts.digest(), record.digest);
      std::vector<bus::Commit::Output> batches;
      for (const auto& sink : topology_.sinks()) sink->take(batches);
      for (const auto& batch : batches) add_batch(outputs[batch.partition], batch.batch);
    }
  }
  const OutcomeCounts& counts() const { return topology_.context().counts; }

 private:
  void take(const Step& step) {
    if (step.kind == Step::Kind::clock) {
      for (Operator* part : topology_.parts()) part->on_clock(step.watermark);
      return topology_.pass_time();
    }
    Input& input = *topology_.inputs()[step.input];
    if (step.kind == Step::Kind::advance) {
      input.time().advance(step.watermark);
    } else {
      InputReader& reader = readers_[step.input];
      ASSERT_EQ(reader.position(), step.first) << "steps of an input follow each other";
      const auto taken = reader.take_until(step.end);
      ASSERT_TRUE(taken.has_value()) << taken.error().message;
      ASSERT_TRUE(input.take(taken->batches).has_value());
    }
    const Timestamp before = topology_.context().watermark;
    topology_.pass_time();
    ASSERT_GE(topology_.context().watermark, before);
  }

  TestDriver& driver_;
  Topology topology_;
  std::vector<InputReader> readers_;
};

// What lies in a topic's partition against what the uninterrupted tasks wrote there. Of a topic
// that several tasks write to, `sorted`: only their own records keep their order.
inline void expect_written(TestDriver& driver, const bus::Partition& place, Outputs& expected,
                           bool sorted) {
  std::vector<Written> found;
  for (const MemoryRecord& record : driver.records(place.topic, place.number))
    found.push_back({record.time.ms, record.key.value_or(""), record.value});
  std::vector<Written>& wanted = expected[place];
  if (sorted) {
    std::ranges::sort(found);
    std::ranges::sort(wanted);
  }
  EXPECT_TRUE(found == wanted) << place.topic << " " << place.number << ": " << found.size()
                               << " records, " << wanted.size() << " expected";
}

}  // namespace adbrook::stream
