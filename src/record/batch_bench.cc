#include <benchmark/benchmark.h>

#include <string>

#include "record/batch.h"

namespace adbrook::record {
namespace {

constexpr int kRecordCount = 4000;
constexpr std::size_t kValueSize = 150;
const std::string kKey(36, 'k');
const std::string kValue(kValueSize, 'v');

void read_batch(benchmark::State& state) {
  BatchBuilder builder;
  for (int i = 0; i < kRecordCount; ++i) builder.add({i}, as_bytes(kKey), as_bytes(kValue));
  const Buffer batch = builder.finish();
  for (auto _ : state) {
    auto reader = BatchReader::open(batch, 1_MiB);
    RecordView record;
    while (reader->next(record).value()) benchmark::DoNotOptimize(record);
  }
  state.SetItemsProcessed(state.iterations() * kRecordCount);
}
BENCHMARK(read_batch);

void build_batch(benchmark::State& state) {
  BatchBuilder builder;
  for (auto _ : state) {
    for (int i = 0; i < kRecordCount; ++i) builder.add({i}, as_bytes(kKey), as_bytes(kValue));
    benchmark::DoNotOptimize(builder.finish());
  }
  state.SetItemsProcessed(state.iterations() * kRecordCount);
}
BENCHMARK(build_batch);

void check_produced(benchmark::State& state) {
  BatchBuilder builder;
  for (int i = 0; i < kRecordCount; ++i) builder.add({i}, as_bytes(kKey), as_bytes(kValue));
  const Buffer batch = builder.finish();
  for (auto _ : state) benchmark::DoNotOptimize(check_produced_batch(batch, 1_MiB));
  state.SetItemsProcessed(state.iterations() * kRecordCount);
}
BENCHMARK(check_produced);

}  // namespace
}  // namespace adbrook::record
