// Small requests over loopback on kept connections. The processor time is the whole process's,
// clients included, so the server alone is faster than the rate by processor time says.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>

#include "http/server.h"
#include "io/thread_executor.h"

namespace adbrook::http {
namespace {

constexpr Millis kPatience{20'000};
constexpr std::string_view kRequest =
    "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n";

struct Progress {
  explicit Progress(std::int64_t requests, std::ptrdiff_t loops) : left(requests), running(loops) {}
  std::atomic<std::int64_t> left;
  std::latch running;
};

// Sends the same request again and again and waits for each answer, which is small enough to come
// in one piece. Kept alive by its callbacks.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  explicit Loop(std::shared_ptr<Progress> progress) : progress_(std::move(progress)) {}

  void run(io::Network& network, std::uint16_t port) {
    network.connect("127.0.0.1", port, kPatience,
                    [self = shared_from_this()](Result<io::TcpStream> stream) {
                      self->stream_.emplace(std::move(*stream));
                      self->next();
                    });
  }

 private:
  void next() {
    if (progress_->left.fetch_sub(1) <= 0) return progress_->running.count_down();
    stream_->write_all(as_bytes(kRequest), kPatience,
                       [self = shared_from_this()](Result<void>) { self->read(); });
  }
  void read() {
    stream_->read_some(room_, kPatience,
                       [self = shared_from_this()](Result<std::size_t>) { self->next(); });
  }

  std::optional<io::TcpStream> stream_;
  std::shared_ptr<Progress> progress_;
  std::array<std::byte, 4096> room_;
};

void small_requests(benchmark::State& state) {
  io::ThreadExecutor server_threads(1);
  io::ThreadExecutor client_threads(1);
  io::Network server_network(server_threads);
  io::Network client_network(client_threads);
  io::RealClock clock;
  Metrics metrics;
  Router router(metrics);
  router.add(Method::get, "/hello", [](Request, Responder responder) {
    responder.send({.content_type = "text/plain", .body = "hello\n"});
  });
  ServerOptions options{.listen = "127.0.0.1:0"};
  auto server = Server::start(server_network, clock, metrics, std::move(router), options);
  constexpr std::int64_t kBatch = 20'000;
  for (auto _ : state) {
    const auto progress = std::make_shared<Progress>(kBatch, state.range(0));
    for (std::int64_t i = 0; i < state.range(0); ++i)
      std::make_shared<Loop>(progress)->run(client_network, (*server)->port());
    progress->running.wait();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(small_requests)->Arg(1)->Arg(32)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace adbrook::http
