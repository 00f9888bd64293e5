#include "stream/test_driver.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "record/batch.h"

namespace adbrook::stream {

namespace {

constexpr std::string_view kGroup = "test";
// More commit intervals than this without coming to rest mean that the topology feeds itself.
constexpr int kRoundsMax = 100'000;

}  // namespace

TestDriver::TestDriver(TopologyFactory factory, TestDriverOptions options)
    : factory_(std::move(factory)),
      options_(std::move(options)),
      executor_(options_.seed, options_.start),
      files_(options_.seed),
      random_(options_.seed),
      bus_(std::make_unique<MemoryBus>(executor_, executor_.clock())) {
  const TopologyTopics topics = topics_of(factory_, kGroup);
  for (const auto* names : {&topics.sources, &topics.internal, &topics.outputs})
    for (const std::string& name : *names) bus_->create_topic(name, options_.partition_count);
  bus_->create_topic(topics.changelog, options_.partition_count);
  start();
}

TestDriver::~TestDriver() { executor_.drop_all(); }

void TestDriver::start() {
  metrics_ = std::make_unique<Metrics>();
  TaskRunnerPlaces places{*bus_,
                          files_,
                          executor_.clock(),
                          executor_,
                          random_,
                          *metrics_,
                          [this](std::string_view text) { notes_.emplace_back(text); }};
  runner_ = std::make_unique<TaskRunner>(std::move(places), std::string(kGroup), "state", factory_,
                                         options_.stream);
  const auto started = runner_->start();
  ADBROOK_ASSERT(started.has_value(), "the driver created every topic the topology needs");
}

Timestamp TestDriver::now() { return executor_.clock().now(); }

void TestDriver::pipe(std::string_view topic, std::int32_t partition,
                      const std::vector<TestRecord>& records) {
  record::BatchBuilder builder;
  for (const TestRecord& record : records)
    builder.add(record.time.value_or(now()),
                record.key ? std::optional(as_bytes(*record.key)) : std::nullopt,
                record.value ? std::optional(as_bytes(*record.value)) : std::nullopt);
  if (!builder.empty()) bus_->append({std::string(topic), partition}, builder.finish());
}

void TestDriver::pipe(std::string_view topic, TestRecord record) {
  const std::int32_t partition =
      record.key ? kafka_partition(as_bytes(*record.key), options_.partition_count) : 0;
  pipe(topic, partition, {std::move(record)});
}

// Quiet is asked for between steps: nobody else runs then.
void TestDriver::run() {
  for (int round = 0; round < kRoundsMax; ++round) {
    executor_.run_until_idle();
    if (runner_->quiet()) return;
    executor_.advance(options_.stream.commit_interval);
  }
  ADBROOK_ASSERT(false, "a topology comes to rest when nothing is piped");
}

void TestDriver::advance(Millis by) {
  while (by > Millis(0)) {
    const Millis part = std::min(by, options_.stream.commit_interval);
    executor_.advance(part);
    executor_.run_until_idle();
    by -= part;
  }
  run();
}

std::vector<MemoryRecord> TestDriver::records(std::string_view topic) {
  std::vector<MemoryRecord> all;
  for (std::int32_t partition = 0; partition < options_.partition_count; ++partition)
    for (MemoryRecord& record : records(topic, partition)) all.push_back(std::move(record));
  return all;
}

std::vector<MemoryRecord> TestDriver::records(std::string_view topic, std::int32_t partition) {
  return bus_->records({std::string(topic), partition});
}

void TestDriver::ask(std::int32_t partition, Question question) {
  run();
  const bool taken = runner_->ask(partition, std::move(question));
  ADBROOK_ASSERT(taken, "the task works");
  run();
}

// What waits in the executor is a process's memory: it goes first, before its objects.
void TestDriver::crash() {
  executor_.drop_all();
  runner_.reset();
  bus_->forget_readers();
  files_.crash();
}

void TestDriver::restart() {
  ADBROOK_ASSERT(!runner_, "crashed or stopped before");
  start();
}

void TestDriver::stop() {
  bool stopped = false;
  runner_->stop([&stopped] { stopped = true; });
  run();
  ADBROOK_ASSERT(stopped, "a task that works can stop");
  executor_.drop_all();
  runner_.reset();
  bus_->forget_readers();
}

}  // namespace adbrook::stream
