// What the codec costs beside the work that a request asks for.
#include <benchmark/benchmark.h>

#include "protocol/header.h"
#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"

namespace adbrook::protocol {
namespace {

constexpr std::size_t kRecordsSize = 16'384;

ProduceRequest produce_request(ByteView records) {
  ProduceRequest request{.acks = -1, .timeout_ms = 30'000};
  auto& topic = request.topic_data.emplace_back();
  topic.name = "impressions";
  topic.partition_data.emplace_back().records.pieces = {records};
  return request;
}

void produce_request_is_read(benchmark::State& state) {
  const Buffer records(kRecordsSize);
  const Buffer frame = request_frame(produce_request(records), 9, 1, "client").joined();
  for (auto _ : state) {
    const auto header = read_request_header(ByteView(frame).subspan(kSizePrefix));
    auto request = decode<ProduceRequest>(header->body, header->api_version);
    benchmark::DoNotOptimize(request->topic_data.data());
  }
}
BENCHMARK(produce_request_is_read);

void produce_response_is_written(benchmark::State& state) {
  ProduceResponse response;
  auto& topic = response.responses.emplace_back();
  topic.name = "impressions";
  topic.partition_responses.emplace_back();
  for (auto _ : state) benchmark::DoNotOptimize(response_frame(response, 9, 1).size());
}
BENCHMARK(produce_response_is_written);

void fetch_request_is_read(benchmark::State& state) {
  FetchRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic = "impressions";
  topic.partitions.resize(static_cast<std::size_t>(state.range(0)));
  const Buffer frame = request_frame(request, 12, 1, "client").joined();
  for (auto _ : state) {
    const auto header = read_request_header(ByteView(frame).subspan(kSizePrefix));
    auto read = decode<FetchRequest>(header->body, header->api_version);
    benchmark::DoNotOptimize(read->topics.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fetch_request_is_read)->Arg(1)->Arg(1'000);

void fetch_response_is_written(benchmark::State& state) {
  const Buffer records(kRecordsSize);
  FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "impressions";
  topic.partitions.resize(static_cast<std::size_t>(state.range(0)));
  for (auto& partition : topic.partitions) partition.records.pieces = {records};
  for (auto _ : state) benchmark::DoNotOptimize(response_frame(response, 12, 1).pieces().size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fetch_response_is_written)->Arg(1)->Arg(1'000);

}  // namespace
}  // namespace adbrook::protocol
