// Invariants: whatever bytes come as frames, the broker lives, each call ends at most once, and
// afterwards a well-formed request is answered.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "broker/broker.h"
#include "io/random.h"
#include "io/simulated_executor.h"
#include "io/simulated_file_system.h"
#include "protocol/header.h"
#include "protocol/k18_api_versions.h"

namespace adbrook::broker {
namespace {

// One broker for a whole run: what an input leaves behind may trouble the next one.
struct World {
  World() {
    auto opened = log::Log::open(disk, executor.clock(), executor, metrics, "data",
                                 {.wal_file_bytes = {64 << 10}, .append_queue_bytes = {1 << 20}});
    if (!opened) std::abort();
    log = std::move(*opened);
    auto made = Broker::open(
        {*log, executor.clock(), random, executor, executor, metrics, [](std::string_view) {}}, {},
        {}, {});
    if (!made) std::abort();
    broker = std::move(*made);
  }

  // How often the call was answered so far; it may be parked.
  std::shared_ptr<int> ask(ByteView frame) {
    auto answers = std::make_shared<int>(0);
    broker->handle(std::make_shared<RequestFrame>(ByteView(frame)), client,
                   [answers](const Reply&) {
                     if (++*answers > 1) std::abort();
                   });
    executor.run_until_idle();
    return answers;
  }

  io::SimulatedFileSystem disk{1};
  io::SimulatedExecutor executor{1};
  io::SeededRandom random{1};
  Metrics metrics;
  std::unique_ptr<log::Log> log;
  std::shared_ptr<const Client> client =
      std::make_shared<const Client>(Client{"::1", {"::1", 9092}});
  std::unique_ptr<Broker> broker;
};

}  // namespace
}  // namespace adbrook::broker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::broker;
  constexpr int kInputsPerWorld = 200;
  static std::unique_ptr<World> world;
  static int inputs = 0;
  if (!world || ++inputs % kInputsPerWorld == 0) world = std::make_unique<World>();
  world->ask(ByteView(reinterpret_cast<const std::byte*>(data), size));
  const Buffer probe = protocol::request_frame(protocol::ApiVersionsRequest{}, 0, 1, "f").joined();
  if (*world->ask(ByteView(probe).subspan(protocol::kSizePrefix)) != 1) std::abort();
  return 0;
}
