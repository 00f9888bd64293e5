// The cold path made anew: reads every kept reading, counts again what each route used, and holds
// it against the running totals, as of the same commit of each task.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "cars/car_answers.h"
#include "io/executor.h"
#include "stream/watermark.h"

namespace adbrook::cars {

// A route whose two counts differ; one that a side does not know is absent there.
struct RouteDifference {
  std::string car, route;
  std::optional<RouteTotals> running, recomputed;
};

struct Recomputed {
  Freshness freshness;
  std::uint64_t record_count = 0;    // read
  std::uint64_t rejected_count = 0;  // of these, no readings
  // Records that retention has removed: the running totals have them, these have not.
  std::uint64_t gone_count = 0;
  std::vector<RouteRow> routes;  // by car and route
  std::vector<RouteDifference> differences;
};

// All outlive every answer.
struct RecomputePlaces {
  stream::TaskRunner& tasks;
  bus::Bus& bus;
  io::Executor& executor;
  stream::WatermarkOptions watermarks;  // which times the topology accepts
};

// Thread-safe.
class Recompute {
 public:
  explicit Recompute(RecomputePlaces places)
      : places_(places), under_way_(std::make_shared<std::atomic<bool>>(false)) {}

  // Reads in short steps; the answer comes on an executor thread. overloaded: one is under way
  // already, or a task cannot be asked; otherwise as Bus::fetch.
  void start(Answer<Recomputed> answer);

 private:
  class Turn;
  struct Running;
  void ask(std::shared_ptr<Running> running);
  void read(std::shared_ptr<Running> running);
  Result<bool> read_some(Running& running);
  Result<void> count_batch(Running& running, ByteView bytes, Timestamp append_time, Offset end);
  void finish(Running& running);
  void end(Running& running, Result<Recomputed> result);

  RecomputePlaces places_;
  std::shared_ptr<std::atomic<bool>> under_way_;  // also held by the one under way
};

}  // namespace adbrook::cars
