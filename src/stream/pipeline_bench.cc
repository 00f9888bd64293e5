// One task over a bus in memory: dedupe, join, four views, a summary per parent, commits. What a
// main pipeline costs without its own codec, to be read beside bench/'s hand-written loop.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>

#include "io/random.h"
#include "io/simulated_executor.h"
#include "io/simulated_file_system.h"
#include "record/batch.h"
#include "state/cells.h"
#include "state/dictionary.h"
#include "stream/memory_bus.h"
#include "stream/task_runner.h"
#include "stream/topology.h"

namespace adbrook::stream {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTextCount = 6;
constexpr std::size_t kParentSize = 24 + kTextCount * 12;

struct Parent {
  Uuid id;
  Timestamp time;
  std::array<std::string_view, kTextCount> texts;
};
struct Child {
  Uuid id;
  Timestamp time;
  Uuid parent;
};

struct ParentCodec {
  bool operator()(const record::RecordView& record, Parent& out, Refusal&) {
    const std::byte* at = record.value->data();
    out.id = {load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + 8)};
    out.time = {load_le<std::int64_t>(at + 16)};
    for (std::size_t i = 0; i < kTextCount; ++i) out.texts[i] = as_text({at + 24 + i * 12, 12});
    return true;
  }
};
struct ChildCodec {
  bool operator()(const record::RecordView& record, Child& out, Refusal&) {
    const std::byte* at = record.value->data();
    out.id = {load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + 8)};
    out.time = {load_le<std::int64_t>(at + 16)};
    out.parent = {load_le<std::uint64_t>(at + 24), load_le<std::uint64_t>(at + 32)};
    return true;
  }
};

constexpr std::array<state::Combine, 5> kRules = {state::Combine::sum, state::Combine::sum,
                                                  state::Combine::sum, state::Combine::sum,
                                                  state::Combine::exclusive_or};
using Cells = state::Cells<kRules>;

struct Fill {
  struct Row {
    std::array<std::uint32_t, kTextCount> ids;
    std::int64_t price;
  };
  state::Dictionary& texts;
  std::array<Cells*, 4> views;
  Sink& early;
  Sink& summaries;

  void add(Timestamp time, const Row& row, const Cells::Measures& deltas) {
    for (std::size_t v = 0; v < views.size(); ++v)
      views[v]->add(time, {{row.ids[v], row.ids[v + 1], row.ids[v + 2]}}, deltas);
  }
  Row counted(const Parent& parent, const RowMeta&) {
    Row row{};
    for (std::size_t i = 0; i < kTextCount; ++i) row.ids[i] = texts.intern(parent.texts[i]);
    add(parent.time, row, {1, 0, 0, parent.id.low, parent.id.high});
    return row;
  }
  void joined(const Child& child, const RowMeta&, const ParentRef<Row>& parent) {
    add(child.time, parent.row, {0, 1, 0, child.id.low, child.id.high});
    if (!early.muted()) early.add(child.time, {}, std::as_bytes(std::span(&child.id, 1)));
  }
  void first_moved(const ParentRef<Row>& parent, const ChildRef*, const ChildRef& first) {
    add(first.time, parent.row, {0, 0, 1, 0, 0});
  }
  void summary(const ParentRef<Row>& parent, std::span<const ChildRef> children) {
    if (summaries.muted()) return;
    const auto value = summaries.add_in_place(parent.time, {}, 60);
    store_le(value.data(), parent.id.low);
    store_le(value.data() + 8, parent.time.ms);
    store_le(value.data() + 16, static_cast<std::uint32_t>(children.size()));
    std::memcpy(value.data() + 20, &parent.row, sizeof parent.row);
  }
  void ended(const Child&, const RowMeta&, Outcome, std::string_view) {}
};

void define(Topology& topology) {
  auto& texts = topology.store<state::Dictionary>("texts");
  std::array<Cells*, 4> views{};
  // As a real application has them: one view by the minute, three by the hour.
  for (std::size_t v = 0; v < views.size(); ++v) {
    state::CellOptions options{.dimensions = 3};
    if (v > 0) options.tiers.erase(options.tiers.begin());
    views[v] = &topology.store<Cells>("view-" + std::to_string(v), options);
  }
  auto parents =
      topology
          .source<Parent>("parents", ParentCodec{},
                          {.id = &Parent::id, .time = &Parent::time, .through = "parents-placed"})
          .dedupe("parents-seen");
  topology
      .source<Child>("children", ChildCodec{},
                     {.id = &Child::id, .time = &Child::time, .through = "children-placed"})
      .dedupe("children-seen")
      .repartition("children-by-parent", &Child::parent)
      .join("join", parents, &Child::parent, {},
            Fill{texts, views, topology.sink("early"), topology.sink("summaries")});
}

// 24 hours of event time, one child to fifty parents, batches of 500.
class Stream {
 public:
  explicit Stream(std::int64_t parent_count) : parent_count_(parent_count) {}

  void fill(MemoryBus& bus, Timestamp begin) {
    record::BatchBuilder parents, children;
    for (std::int64_t n = 0; n < parent_count_; ++n) {
      const Timestamp time = begin + Millis(n * 86'400'000 / parent_count_);
      const Uuid id{random_.next(), random_.next()};
      add_parent(parents, id, time);
      if (n % 50 == 0)
        add_child(children, id, time + Millis(static_cast<std::int64_t>(random_.below(60'000))));
      if (parents.count() == 500) bus.append({"parents", 0}, parents.finish());
      if (children.count() == 500) bus.append({"children", 0}, children.finish());
    }
    if (!parents.empty()) bus.append({"parents", 0}, parents.finish());
    if (!children.empty()) bus.append({"children", 0}, children.finish());
  }

 private:
  static void put_head(std::byte* to, Uuid id, Timestamp time) {
    store_le(to, id.high);
    store_le(to + 8, id.low);
    store_le(to + 16, time.ms);
  }
  void add_parent(record::BatchBuilder& to, Uuid id, Timestamp time) {
    std::array<std::byte, kParentSize> value{};
    put_head(value.data(), id, time);
    constexpr std::array<std::uint64_t, kTextCount> kDistinct = {10, 5, 40, 30, 6, 5};
    for (std::size_t i = 0; i < kTextCount; ++i) {
      const std::string text = "text-" + std::to_string(1'000'000 + random_.below(kDistinct[i]));
      std::memcpy(value.data() + 24 + i * 12, text.data(), 12);
    }
    const auto key = id.text();
    to.add(time, as_bytes({key.data(), key.size()}), value);
  }
  void add_child(record::BatchBuilder& to, Uuid parent, Timestamp time) {
    std::array<std::byte, 40> value{};
    const Uuid id{random_.next(), random_.next()};
    put_head(value.data(), id, time);
    store_le(value.data() + 24, parent.high);
    store_le(value.data() + 32, parent.low);
    const auto key = id.text();
    to.add(time, as_bytes({key.data(), key.size()}), value);
  }

  std::int64_t parent_count_;
  io::SeededRandom random_{42};
};

void one_task_joins_and_counts(benchmark::State& state) {
  const std::int64_t parent_count = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    io::SimulatedExecutor executor(1, {1'400'000'000'000});
    io::SimulatedFileSystem files(1);
    io::SeededRandom random(1);
    Metrics metrics;
    MemoryBus bus(executor, executor.clock());
    for (const char* topic : {"parents", "children", "parents-placed", "children-placed",
                              "children-by-parent", "early", "summaries", "bench-changelog"})
      bus.create_topic(topic, 1);
    Stream(parent_count).fill(bus, executor.clock().now() - 24h);
    StreamOptions options;
    if (state.range(1) == 0) options.checkpoint_events = 1'000'000'000;
    TaskRunner runner({bus, files, executor.clock(), executor, random, metrics, [](auto) {}},
                      "bench", "state", define, options);
    state.ResumeTiming();
    if (!runner.start()) state.SkipWithError("does not start");
    auto catch_up = runner.catch_up();
    while (!catch_up.done().value_or(true)) {
      for (int i = 0; i < 64; ++i) executor.run_one();
      executor.advance(10ms);
    }
    state.PauseTiming();
    const auto bytes = metrics.text();
    if (!runner.trouble().empty()) state.SkipWithError(runner.trouble().c_str());
    executor.drop_all();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          (parent_count + parent_count / 50));
}
BENCHMARK(one_task_joins_and_counts)
    ->ArgNames({"parents", "checkpoints"})
    ->Args({1'000'000, 0})
    ->Args({1'000'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(2);

}  // namespace
}  // namespace adbrook::stream
