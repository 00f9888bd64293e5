#include <benchmark/benchmark.h>

#include <vector>

#include "ads/event_codec.h"

namespace adbrook::ads {
namespace {

// What the collector writes for a typical impression.
Impression typical() {
  return {.id = {0x0f7e1c2a9b3d4e5f, 0x8a6b7c8d9e0f1a2b},
          .timestamp = {1'700'000'000'123},
          .campaign_id = 7,
          .publisher_id = 3,
          .creative_id = "cr-7-04",
          .placement_id = "11",
          .user_id = "u4711",
          .ip = "192.0.2.1",
          .city = "Amsterdam",
          .country = "NL",
          .browser = "Firefox",
          .platform = "Linux",
          .platform_version = "6.1",
          .latitude = 52.37,
          .longitude = 4.89,
          .price_micros = 1500,
          .currency = "EUR"};
}

void decode_impression(benchmark::State& state) {
  constexpr int kCount = 1024;
  Buffer bytes;
  std::vector<std::size_t> ends;
  for (int i = 0; i < kCount; ++i) {
    Impression event = typical();
    event.id.low += static_cast<std::uint64_t>(i);
    encode(event, bytes);
    ends.push_back(bytes.size());
  }
  EventDecoder<Impression> decoder;
  std::vector<Impression> events(kCount);
  for (auto _ : state) {
    std::size_t first = 0;
    for (int i = 0; i < kCount; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!decoder.decode(ByteView(bytes).subspan(first, ends[at] - first), events[at]))
        state.SkipWithError("refused");
      first = ends[at];
    }
    benchmark::DoNotOptimize(events.data());
    decoder.clear();
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(decode_impression);

void encode_impression(benchmark::State& state) {
  const Impression event = typical();
  Buffer out;
  for (auto _ : state) {
    out.clear();
    encode(event, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode_impression);

}  // namespace
}  // namespace adbrook::ads
