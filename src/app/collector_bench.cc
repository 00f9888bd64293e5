// The collector over loopback with durable acknowledgement: batches of 100 JSON events as fast as
// they go, and single events at 1,000 a second. The processor time is the whole process's, clients
// included; the latency is what a client sees. The data lies in the folder TMPDIR names, or /tmp.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <latch>
#include <memory>
#include <optional>

#include "ads/click_topology.h"
#include "app/routes_collect.h"
#include "http/server.h"
#include "io/random.h"
#include "io/real_file_system.h"
#include "io/thread_executor.h"

namespace adbrook::app {
namespace {

constexpr Millis kPatience{20'000};

std::string event(std::uint64_t number) {
  return "{\"uuid\":\"" + Uuid{number * 0x9E3779B97F4A7C15u, number}.to_string() +
         "\",\"timestamp\":1700000000000,\"campaignId\":7,\"pubId\":3,\"creativeId\":\"c12\","
         "\"placementId\":\"top\",\"userId\":\"u-81237\",\"ip\":\"203.0.113.7\",\"city\":\"Lyon\","
         "\"country\":\"FR\",\"browser\":\"Firefox\",\"platform\":\"Linux\",\"latitude\":45.76,"
         "\"longitude\":4.83,\"priceMicros\":1500,\"currency\":\"EUR\"}";
}

std::string request(std::size_t event_count) {
  std::string body;
  for (std::size_t i = 0; i < event_count; ++i) body += event(i) + "\n";
  return "POST /v1/impressions HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A server with nothing but the collector on a fresh log.
struct Server {
  Server()
      : directory((std::filesystem::temp_directory_path() / "adbrook-collector-bench").string()) {
    std::filesystem::remove_all(directory);
    log = std::move(
        log::Log::open(files, clock, executor, metrics, directory, log::LogOptions{}).value());
    for (const auto topic : {ads::kImpressionsTopic, ads::kClicksTopic, ads::kDeadLettersTopic})
      log->create_topic(topic, 4, {}).value();
    collector = std::move(Collector::open(*log, clock, metrics, {}).value());
    links = std::make_unique<LinkCollector>(*collector, clock, random, Buffer(32));
    http::Router router(metrics);
    add_collect_routes(router, *collector, *links);
    server = std::move(
        http::Server::start(network, clock, metrics, std::move(router), {.listen = "127.0.0.1:0"})
            .value());
  }
  ~Server() {
    server->stop(kPatience);
    log->close().value();
    executor.stop();
    std::filesystem::remove_all(directory);
  }

  const std::string directory;
  Metrics metrics;
  io::RealFileSystem files;
  io::RealClock clock;
  io::SystemRandom random;
  io::ThreadExecutor executor{1};
  io::Network network{executor};
  std::unique_ptr<log::Log> log;
  std::unique_ptr<Collector> collector;
  std::unique_ptr<LinkCollector> links;
  std::unique_ptr<http::Server> server;
};

struct Progress {
  Progress(std::int64_t requests, std::ptrdiff_t senders) : left(requests), running(senders) {}
  std::atomic<std::int64_t> left;
  std::atomic<std::int64_t> refused{0};
  std::latch running;
};

// One request after the other on one connection, each `pace` after the one before began. Kept alive
// by its callbacks.
class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(io::ThreadExecutor& executor, const std::string& text, Millis pace,
         std::shared_ptr<Progress> progress)
      : executor_(executor), text_(text), pace_(pace), progress_(std::move(progress)) {}

  void run(std::uint16_t port) {
    io::Network(executor_).connect("127.0.0.1", port, kPatience,
                                   [self = shared_from_this()](Result<io::TcpStream> stream) {
                                     self->stream_.emplace(std::move(*stream));
                                     self->next();
                                   });
  }
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  void next() {
    if (progress_->left.fetch_sub(1) <= 0) return progress_->running.count_down();
    begin_ = clock_.monotonic();
    stream_->write_all(as_bytes(text_), kPatience,
                       [self = shared_from_this()](Result<void>) { self->read(); });
  }
  void read() {
    stream_->read_some(room_, kPatience, [self = shared_from_this()](Result<std::size_t> size) {
      self->answered(size.value_or(0));
    });
  }
  void answered(std::size_t size) {
    if (!as_text({room_.data(), size}).starts_with("HTTP/1.1 202")) ++progress_->refused;
    const Nanos took = clock_.monotonic() - begin_;
    seconds_.push_back(std::chrono::duration<double>(took).count());
    const auto pause = pace_ - std::chrono::duration_cast<Millis>(took);
    if (pause <= Millis(0)) return next();
    executor_.post_after(pause, [self = shared_from_this()] { self->next(); });
  }

  io::ThreadExecutor& executor_;
  const std::string& text_;
  const Millis pace_;
  io::RealClock clock_;
  Nanos begin_{0};
  std::optional<io::TcpStream> stream_;
  std::shared_ptr<Progress> progress_;
  std::vector<double> seconds_;
  std::array<std::byte, 4096> room_;
};

void run(benchmark::State& state, std::size_t events_per_request, std::int64_t request_count,
         std::ptrdiff_t sender_count, Millis pace) {
  Server server;
  io::ThreadExecutor client_threads(1);
  const std::string text = request(events_per_request);
  std::vector<double> seconds;
  std::int64_t refused = 0;
  for (auto _ : state) {
    const auto progress = std::make_shared<Progress>(request_count, sender_count);
    std::vector<std::shared_ptr<Sender>> senders;
    for (std::ptrdiff_t i = 0; i < sender_count; ++i) {
      senders.push_back(std::make_shared<Sender>(client_threads, text, pace, progress));
      senders.back()->run(server.server->port());
    }
    progress->running.wait();
    refused += progress->refused;
    for (const auto& sender : senders)
      seconds.insert(seconds.end(), sender->seconds().begin(), sender->seconds().end());
  }
  std::ranges::sort(seconds);
  state.counters["p50_ms"] = seconds[seconds.size() / 2] * 1000;
  state.counters["p99_ms"] = seconds[seconds.size() * 99 / 100] * 1000;
  state.counters["refused"] = static_cast<double>(refused);
  state.SetItemsProcessed(state.iterations() * request_count *
                          static_cast<std::int64_t>(events_per_request));
}

void batches_of_100_over_http(benchmark::State& state) {
  run(state, 100, 2'000, state.range(0), Millis(0));
}
BENCHMARK(batches_of_100_over_http)->Arg(4)->Arg(16)->MeasureProcessCPUTime()->UseRealTime();

void single_events_at_1000_a_second(benchmark::State& state) {
  run(state, 1, 5'000, 10, Millis(10));
}
BENCHMARK(single_events_at_1000_a_second)->Iterations(1)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace adbrook::app
