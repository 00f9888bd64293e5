#include <benchmark/benchmark.h>

#include <string>

#include "serde/avro_wire.h"
#include "serde/json_reader.h"

namespace adbrook::serde {
namespace {

const std::string kEvent =
    R"({"uuid":"b5a7c7b0-1111-4222-8333-444455556666","timestamp":1368798601000,"campaignId":17,)"
    R"("pubId":4,"creativeId":"banner-300x250","userId":"u-000000123456","ip":"203.0.113.77",)"
    R"("city":"San Francisco","country":"US","browser":"Firefox","platform":"Windows",)"
    R"("platformVersion":"10","latitude":37.7749,"longitude":-122.4194,"priceMicros":1250})";

void count_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void json_one_object(benchmark::State& state) {
  JsonReader reader;
  for (auto _ : state) {
    const auto fields = reader.object(kEvent);
    benchmark::DoNotOptimize(fields->data());
  }
  count_bytes(state, kEvent.size());
}
BENCHMARK(json_one_object);

void walk_body(benchmark::State& state, const std::string& body) {
  JsonReader reader;
  JsonElement element;
  for (auto _ : state) {
    (void)reader.open(body);
    while (reader.next(element)) benchmark::DoNotOptimize(element.fields->data());
  }
  count_bytes(state, body.size());
}

void json_array_of_100(benchmark::State& state) {
  std::string body = "[" + kEvent;
  for (int i = 1; i < 100; ++i) body += "," + kEvent;
  walk_body(state, body + "]");
}
BENCHMARK(json_array_of_100);

void json_100_lines(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += kEvent + "\n";
  walk_body(state, body);
}
BENCHMARK(json_100_lines);

// Twelve fields as an event has them: an id, five numbers, six optional texts of which half are
// there.
void avro_event(benchmark::State& state) {
  Buffer bytes(200);
  AvroWriter writer(bytes);
  writer.write_fixed(ByteView(bytes).first(16));
  for (const std::int64_t value : {1368798601000l, 17l, 4l}) writer.write_long(value);
  for (const auto text : {"US", "Firefox", "Windows"}) {
    writer.write_optional(std::optional<std::string_view>(text));
    writer.write_optional(std::optional<std::string_view>());
  }
  writer.write_optional(std::optional(37.7));
  writer.write_optional(std::optional(-122.4));
  bytes.resize(bytes.size() - writer.left());
  for (auto _ : state) {
    AvroReader reader(bytes);
    benchmark::DoNotOptimize(reader.read_fixed(16));
    for (int i = 0; i < 3; ++i) benchmark::DoNotOptimize(reader.read_long());
    for (int i = 0; i < 6; ++i) benchmark::DoNotOptimize(reader.read_optional_string_view());
    for (int i = 0; i < 2; ++i) benchmark::DoNotOptimize(reader.read_optional_double());
    if (!reader.done()) state.SkipWithError("the event does not parse");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(avro_event);

}  // namespace
}  // namespace adbrook::serde
