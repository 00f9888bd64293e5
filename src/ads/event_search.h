// Reads topics from the outside, record by record, for those who ask about single events. Works in
// short steps between which the threads are free for others.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ads/click_service.h"
#include "ads/click_topology.h"
#include "bus/bus.h"
#include "io/executor.h"
#include "record/batch.h"

namespace adbrook::ads {

// The key of what belongs to an event is its id as text; so is its partition.
std::int32_t partition_of(Uuid id, std::int32_t partition_count);

struct ScannedRecord {
  const bus::Partition& partition;
  Timestamp append_time;
  const record::RecordView& record;
};

enum class ScanVerdict { go_on, stop };

// What to read and whom to show it; everything in the topics when the scan comes to a partition.
struct Scan {
  struct Part {
    bus::Partition partition;
    Offset from{0};  // below the first kept one: from there
  };
  std::vector<Part> parts;
  // Whether a batch is worth opening; absent: all are.
  std::function<bool(const record::BatchHeader&, Timestamp append_time)> wants;
  std::function<ScanVerdict(const ScannedRecord&)> each;
};

// Everything that a group has processed, by partition, as of one moment.
using Positions = std::map<bus::Partition, Offset>;

// Where a record was first received: the partition and the offset in it.
using OriginPlace = std::pair<std::int32_t, std::int64_t>;

// Thread-safe. The bus and the executor outlive it, and it outlives every answer.
class EventSearch {
 public:
  // Searches at the same time; each costs a thread's time and up to a step's bytes.
  static constexpr int kSearchCountMax = 4;
  static constexpr std::size_t kStepSize = std::size_t{1} << 20;

  EventSearch(bus::Bus& bus, io::Executor& executor, std::string group = std::string(kClickGroup))
      : bus_(bus), executor_(executor), group_(std::move(group)) {}

  // Hold it for as long as the search goes on. overloaded: too many others do.
  Result<std::shared_ptr<void>> begin();

  // `done` gets the first error or nothing, on an executor thread after the call has returned. No
  // two calls of `each` and `done` overlap.
  void scan(Scan what, std::move_only_function<void(Result<void>)> done);
  // Gives an error to an answer as a scan would.
  template <class T>
  void refuse(Answer<T> answer, Error error) {
    executor_.post([answer = std::move(answer), error = std::move(error)]() mutable {
      answer(std::unexpected(std::move(error)));
    });
  }

  // All partitions of a topic, from their begin.
  Result<std::vector<Scan::Part>> parts_of(std::string_view topic);
  Result<std::int32_t> partition_count(std::string_view topic) {
    return bus_.partition_count(topic);
  }
  // Of these topics; a partition that was never processed has 0.
  Result<Positions> positions(const std::vector<std::string_view>& topics);
  // The parts of a topic behind `processed`: what waits there.
  static std::vector<Scan::Part> waiting_parts(const Positions& processed, std::string_view topic);

 private:
  struct Running;
  void step(std::shared_ptr<Running> running);
  Result<bool> read_some(Running& running);
  static Result<bool> read_batch(Running& running, ByteView bytes, Timestamp append_time);

  bus::Bus& bus_;
  io::Executor& executor_;
  std::string group_;
  std::atomic<int> search_count_{0};
};

}  // namespace adbrook::ads
