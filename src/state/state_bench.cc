// What one event costs in each store, and what a checkpoint of five million ids costs.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "io/random.h"
#include "io/real_file_system.h"
#include "state/blob_reader.h"
#include "state/cells.h"
#include "state/checkpoint.h"
#include "state/dictionary.h"
#include "state/key_value_store.h"
#include "state/seen_store.h"
#include "state/time_store.h"
#include "state/window_store.h"

namespace adbrook::state {
namespace {

constexpr std::size_t kBatch = 1024;
constexpr std::size_t kAhead = 32;
constexpr std::size_t kEntries = 5'000'000;
constexpr Millis kDay = std::chrono::hours(24);

void count_events(benchmark::State& state, std::size_t per_iteration) {
  const auto events = static_cast<double>(state.iterations()) * static_cast<double>(per_iteration);
  state.counters["ns/event"] =
      benchmark::Counter(events * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

std::vector<Uuid> random_ids(std::size_t count) {
  io::SeededRandom random(1);
  std::vector<Uuid> ids(count);
  for (Uuid& id : ids) id = {random.next(), random.next()};
  return ids;
}

// Event n of `kEntries` spread over a day.
Timestamp time_of(std::size_t n) {
  return {static_cast<std::int64_t>(n) * kDay.count() / static_cast<std::int64_t>(kEntries)};
}

void fill(SeenStore& store, const std::vector<Uuid>& ids) {
  for (std::size_t batch = 0; batch < ids.size(); batch += kBatch) {
    const std::size_t end = std::min(ids.size(), batch + kBatch);
    const Timestamp watermark = time_of(batch);
    for (std::size_t n = batch; n < end; ++n) {
      if (n + kAhead < end) store.prefetch(ids[n + kAhead]);
      benchmark::DoNotOptimize(store.find_or_insert(ids[n], time_of(n), watermark));
    }
    store.expire(watermark);
  }
}

void seen_store_new_ids(benchmark::State& state) {
  const auto ids = random_ids(kEntries);
  double bytes = 0;
  for (auto _ : state) {
    SeenStore store({});
    fill(store, ids);
    bytes = static_cast<double>(store.memory().count) / static_cast<double>(store.count());
  }
  state.counters["bytes/entry"] = bytes;
  count_events(state, kEntries);
}
BENCHMARK(seen_store_new_ids)->Unit(benchmark::kMillisecond);

// Five million ids are there; new ones come as old ones go.
void seen_store_steady(benchmark::State& state) {
  const auto ids = random_ids(2 * kEntries);
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    SeenStore store({});
    fill(store, {ids.begin(), ids.begin() + kEntries});
    state.ResumeTiming();
    for (std::size_t batch = kEntries; batch < ids.size(); batch += kBatch) {
      const std::size_t end = std::min(ids.size(), batch + kBatch);
      for (std::size_t n = batch; n < end; ++n) {
        if (n + kAhead < end) store.prefetch(ids[n + kAhead]);
        benchmark::DoNotOptimize(store.find_or_insert(ids[n], time_of(n), time_of(batch)));
      }
      store.expire(time_of(batch));
    }
    bytes = static_cast<double>(store.memory().count) / static_cast<double>(store.count());
  }
  state.counters["bytes/entry"] = bytes;
  count_events(state, kEntries);
}
BENCHMARK(seen_store_steady)->Unit(benchmark::kMillisecond);

constexpr auto kRules = [] {
  std::array<Combine, 12> rules{};
  for (std::size_t i = 6; i < rules.size(); i += 2) rules[i] = Combine::exclusive_or;
  return rules;
}();

// `range` different keys in each minute, in random order.
void cells_add(benchmark::State& state) {
  io::SeededRandom random(2);
  std::vector<CellKey> keys(1 << 16);
  for (CellKey& key : keys) {
    const auto n =
        static_cast<std::uint32_t>(random.below(static_cast<std::uint64_t>(state.range(0))));
    key.ids = {n % 10 + 1, n % 37 + 1, n / 10 + 1};
  }
  Cells<kRules> cells({.dimensions = 3});
  Cells<kRules>::Measures deltas{};
  std::size_t n = 0;
  for (auto _ : state) {
    deltas[0] = n;
    // An event in ten belongs to the minute before.
    const Timestamp time{static_cast<std::int64_t>(n / 100) - (n % 10 == 0 ? 10'000 : 0)};
    cells.add(time, keys[n++ % keys.size()], deltas);
  }
  count_events(state, 1);
}
BENCHMARK(cells_add)->Arg(100)->Arg(10'000);

void dictionary_find(benchmark::State& state) {
  io::SeededRandom random(3);
  Dictionary dictionary;
  std::vector<std::string> texts;
  for (int n = 0; n < state.range(0); ++n) texts.push_back("campaign-" + std::to_string(n));
  for (const std::string& text : texts) dictionary.intern(text);
  std::vector<std::string> asked(4096);
  for (std::string& text : asked) text = texts[random.below(texts.size())];
  std::size_t n = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(dictionary.intern(asked[n++ % asked.size()]));
  }
  count_events(state, 1);
}
BENCHMARK(dictionary_find)->Arg(200)->Arg(20'000);

struct Row {
  std::uint64_t words[8];
};

// Rows of a 31 minute window at 1,000 per second, up to ten seconds out of order.
void window_store_add_and_take(benchmark::State& state) {
  io::SeededRandom random(4);
  std::vector<std::int64_t> jitter(1 << 14);
  for (auto& late : jitter) late = static_cast<std::int64_t>(random.below(10'000));
  WindowStore<Row> store(std::chrono::seconds(30));
  std::uint64_t sum = 0;
  std::size_t n = 0;
  const auto run_batch = [&] {
    for (const std::size_t end = n + kBatch; n < end; ++n) {
      const Timestamp time{static_cast<std::int64_t>(n) - jitter[n % jitter.size()]};
      store.add(time, {{n}});
    }
    store.take_closed(Timestamp{static_cast<std::int64_t>(n)} - std::chrono::minutes(31),
                      [&](Timestamp, WindowRef, const Row& row, auto) { sum += row.words[0]; });
  };
  while (n < 31 * 60 * 1000) run_batch();
  for (auto _ : state) run_batch();
  benchmark::DoNotOptimize(sum);
  state.counters["bytes/row"] =
      static_cast<double>(store.memory().count) / static_cast<double>(store.count());
  count_events(state, kBatch);
}
BENCHMARK(window_store_add_and_take);

void checkpoint_save(benchmark::State& state) {
  io::RealFileSystem files;
  SeenStore store({});
  fill(store, random_ids(kEntries));
  for (auto _ : state) {
    const std::string directory = "/tmp/adbrook_state_bench/save";
    auto checkpoint = *Checkpoint::open(files, directory);
    static_cast<void>(checkpoint->begin({}));
    store.save(*checkpoint, "seen" + std::to_string(state.iterations()));
    if (!checkpoint->commit()) state.SkipWithError("the checkpoint could not be written");
  }
  count_events(state, kEntries);
}
BENCHMARK(checkpoint_save)->Unit(benchmark::kMillisecond)->Iterations(3);

void checkpoint_load(benchmark::State& state) {
  io::RealFileSystem files;
  const std::string directory = "/tmp/adbrook_state_bench/load";
  {
    SeenStore store({});
    fill(store, random_ids(kEntries));
    auto checkpoint = *Checkpoint::open(files, directory);
    static_cast<void>(checkpoint->begin({}));
    store.save(*checkpoint, "seen");
    if (!checkpoint->commit()) state.SkipWithError("the checkpoint could not be written");
  }
  for (auto _ : state) {
    const auto checkpoint = *Checkpoint::open(files, directory);
    SeenStore store({});
    if (!store.load(*checkpoint, "seen")) state.SkipWithError("the checkpoint could not be read");
  }
  count_events(state, kEntries);
}
BENCHMARK(checkpoint_load)->Unit(benchmark::kMillisecond);

// Windowed counts as they are stored: 16 bytes of key, 8 of value, 350,000 per bucket of a tenth of
// a day.
template <class Store, class Put>
void byte_store_load(benchmark::State& state, Put put) {
  io::RealFileSystem files;
  const std::string directory = "/tmp/adbrook_state_bench/bytes";
  const auto ids = random_ids(kEntries);
  std::uint64_t blob_bytes = 0;
  {
    auto checkpoint = *Checkpoint::open(files, directory);
    Store store({.budget = 4096_MiB});
    for (std::size_t n = 0; n < ids.size(); ++n) put(store, bytes_of(&ids[n], 1), n);
    static_cast<void>(checkpoint->begin({}));
    store.save(*checkpoint, "store");
    if (!checkpoint->commit()) state.SkipWithError("the checkpoint could not be written");
    blob_bytes = checkpoint->live_bytes();
  }
  for (auto _ : state) {
    const auto checkpoint = *Checkpoint::open(files, directory);
    Store store({.budget = 4096_MiB});
    if (!store.load(*checkpoint, "store")) state.SkipWithError("the checkpoint could not be read");
    if (store.count() != kEntries) state.SkipWithError("the checkpoint lost entries");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(blob_bytes) *
                          static_cast<std::int64_t>(state.iterations()));
  count_events(state, kEntries);
}

void key_value_store_load(benchmark::State& state) {
  byte_store_load<KeyValueStore>(state, [](KeyValueStore& store, ByteView key, std::size_t n) {
    store.put(key, bytes_of(&n, 1));
  });
}
BENCHMARK(key_value_store_load)->Unit(benchmark::kMillisecond);

void time_store_load(benchmark::State& state) {
  byte_store_load<TimeStore>(state, [](TimeStore& store, ByteView key, std::size_t n) {
    store.put(key, time_of(n / 10), bytes_of(&n, 1));
  });
}
BENCHMARK(time_store_load)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace adbrook::state
