#include "cars/recompute.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cars/car_topology.h"
#include "cars/telemetry_codec.h"
#include "record/batch.h"
#include "stream/input.h"

namespace adbrook::cars {
namespace {

constexpr std::size_t kFetchSize = std::size_t{1} << 20;

using Totals = std::map<std::pair<std::string, std::string>, RouteTotals>;

void add_difference(std::vector<RouteDifference>& to, const Totals::key_type& key,
                    const RouteTotals* running, const RouteTotals* recomputed) {
  if (running != nullptr && recomputed != nullptr && *running == *recomputed) return;
  RouteDifference& difference = to.emplace_back(key.first, key.second);
  if (running != nullptr) difference.running = *running;
  if (recomputed != nullptr) difference.recomputed = *recomputed;
}

const RouteTotals* find(const Totals& totals, const Totals::key_type& key) {
  const auto found = totals.find(key);
  return found == totals.end() ? nullptr : &found->second;
}

}  // namespace

// Nobody else recounts meanwhile. Given back also when a task that stops drops its question.
class Recompute::Turn {
 public:
  explicit Turn(std::shared_ptr<std::atomic<bool>> under_way) : under_way_(std::move(under_way)) {}
  Turn(Turn&&) noexcept = default;
  Turn& operator=(Turn&&) = delete;
  ~Turn() { give_back(); }
  void give_back() {
    if (under_way_) std::exchange(under_way_, nullptr)->store(false);
  }

 private:
  std::shared_ptr<std::atomic<bool>> under_way_;
};

// One recount under way; owned by the question or step that comes next.
struct Recompute::Running {
  Turn turn;
  Answer<Recomputed> answer;
  Recomputed result;
  Totals running, counted;
  std::vector<Offset> ends;  // by partition: what the running totals have taken in
  std::int32_t partition = 0;
  bool in_partition = false;
  Offset at;
  TelemetryCodec codec;
};

void Recompute::start(Answer<Recomputed> answer) {
  if (under_way_->exchange(true))
    return answer(fail(ErrorKind::overloaded,
                       "recompute: another one is under way; ask again when it has ended"));
  ask(std::make_shared<Running>(Turn(under_way_), std::move(answer)));
}

// The totals of one task and its position are of one commit, so that both counts are comparable.
void Recompute::ask(std::shared_ptr<Running> running) {
  const auto task = static_cast<std::int32_t>(running->ends.size());
  if (task == places_.tasks.task_count()) {
    places_.executor.post([this, running = std::move(running)] { read(running); });
    return;
  }
  const bool asked = places_.tasks.ask(task, [this, running](const stream::TaskView& view) {
    add_freshness(running->result.freshness, view);
    auto routes = routes_of(view);
    if (!routes) return end(*running, std::unexpected(routes.error()));
    for (RouteRow& row : *routes)
      running->running[{std::move(row.car), std::move(row.route)}].merge(row.totals);
    running->ends.push_back(view.inputs()[0].position);
    ask(running);
  });
  if (!asked) end(*running, std::unexpected(no_answer(task)));
}

void Recompute::read(std::shared_ptr<Running> running) {
  const auto more = read_some(*running);
  if (!more) return end(*running, std::unexpected(more.error()));
  if (!*more) return finish(*running);
  places_.executor.post([this, running = std::move(running)] { read(running); });
}

// At most one fetch; whether there is more to do.
Result<bool> Recompute::read_some(Running& running) {
  if (running.partition == static_cast<std::int32_t>(running.ends.size())) return false;
  const bus::Partition partition{std::string(kTelemetryTopic), running.partition};
  const Offset end = running.ends[static_cast<std::size_t>(running.partition)];
  if (!running.in_partition) {
    const auto ends = places_.bus.ends(partition);
    if (!ends) return pass(ends.error());
    running.at = ends->start;
    running.result.gone_count += static_cast<std::uint64_t>(ends->start.value);
    running.in_partition = true;
  }
  if (running.at >= end) {
    running.in_partition = false;
    ++running.partition;
    return true;
  }
  const auto fetched = places_.bus.fetch(partition, running.at, kFetchSize);
  if (!fetched) return pass(fetched.error());
  running.codec.begin_step();
  for (const auto& batch : fetched->batches) {
    const auto bytes = ByteView(fetched->bytes).subspan(batch.index_begin, batch.size);
    if (auto counted = count_batch(running, bytes, batch.append_time, end); !counted)
      return pass(counted.error(), partition.topic);
  }
  // Nothing at all: only a deletion of the topic can have moved its end below the position.
  running.at = fetched->next > running.at ? fetched->next : end;
  return true;
}

// What of a batch lies in [running.at, end), taken and rejected as the topology does.
Result<void> Recompute::count_batch(Running& running, ByteView bytes, Timestamp append_time,
                                    Offset end) {
  auto reader = record::BatchReader::open(bytes, stream::kDecompressedSizeMax);
  if (!reader) return pass(reader.error());
  const stream::InputTime time(places_.watermarks);
  record::RecordView record;
  for (;;) {
    const auto more = reader->next(record);
    if (!more) return pass(more.error());
    if (!*more) return {};
    if (record.offset < running.at || record.offset >= end) continue;
    ++running.result.record_count;
    std::string_view car;
    Telemetry reading;
    Timestamp at;
    stream::Refusal why;
    if (running.codec(record, car, reading, at, why) && time.accepts(at, append_time))
      running.counted[{std::string(car), std::string(reading.route)}].add(reading);
    else
      ++running.result.rejected_count;
  }
}

void Recompute::finish(Running& running) {
  auto& differences = running.result.differences;
  for (const auto& [key, totals] : running.running)
    add_difference(differences, key, &totals, find(running.counted, key));
  for (const auto& [key, totals] : running.counted)
    if (find(running.running, key) == nullptr) add_difference(differences, key, nullptr, &totals);
  for (auto& [key, totals] : running.counted)
    running.result.routes.push_back({key.first, key.second, std::move(totals)});
  end(running, std::move(running.result));
}

void Recompute::end(Running& running, Result<Recomputed> result) {
  running.turn.give_back();
  running.answer(std::move(result));
}

}  // namespace adbrook::cars
