// The whole engine in one object: files, log, topics, streams, HTTP server and Kafka endpoint,
// started and stopped in the right order. What it answers over HTTP is given to listen() from
// outside.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"
#include "base/metrics.h"
#include "broker/broker.h"
#include "broker/server.h"
#include "bus/embedded_bus.h"
#include "http/router.h"
#include "http/server.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/real_file_system.h"
#include "io/tcp.h"
#include "io/thread_executor.h"
#include "log/log.h"
#include "stream/task_runner.h"

namespace adbrook::app {

// What the engine runs over its log.
struct EngineJob {
  std::string group;  // whose positions, changelog and checkpoints
  // Called once for each task, and once more for the names of its topics.
  stream::TopologyFactory define;
};

// Owned by one thread; what its getters give is thread-safe.
class Engine {
 public:
  // Opens the data directory, makes the topics and begins to restore the tasks; returns before they
  // are restored. `note` gets sentences for people, from any thread.
  // busy: another process has the directory; unsupported: it is foreign or newer; invalid: settings
  // that the directory contradicts.
  static Result<std::unique_ptr<Engine>> open(const Settings& settings, EngineJob job,
                                              std::function<void(std::string_view)> note);
  // Stops when nobody did.
  ~Engine();

  // Begins to answer, over HTTP and Kafka's protocol. busy: a port is taken.
  Result<void> listen(http::Router router);
  // "http://127.0.0.1:8080" with the real port. Only after listen().
  std::string url() const;
  // "127.0.0.1:9092" with the real port, one per Kafka listener. Only after listen().
  const std::vector<std::string>& kafka_addresses() const { return kafka_server_->addresses(); }

  // Takes no more requests, commits, writes checkpoints, syncs, and frees the directory. The first
  // thing that went wrong is returned; everything is closed in any case.
  Result<void> stop();
  // As stop() when nobody did; what goes wrong becomes a note.
  void stop_once();

  const Settings& settings() const { return settings_; }
  Metrics& metrics() { return metrics_; }
  io::FileSystem& files() { return files_; }
  io::Clock& clock() { return clock_; }
  io::Random& random() { return random_; }
  io::ThreadExecutor& executor() { return executor_; }
  log::Log& log() { return *log_; }
  bus::Bus& bus() { return *bus_; }
  broker::GroupCoordinator& groups() { return broker_->groups(); }
  stream::TaskRunner& tasks() { return *tasks_; }

 private:
  Engine(const Settings& settings, EngineJob job, std::function<void(std::string_view)> note);
  Result<void> start();
  Result<void> make_topics(const stream::TopologyTopics& topics);
  Result<void> open_broker(const stream::TopologyTopics& topics);

  Settings settings_;
  EngineJob job_;
  std::function<void(std::string_view)> note_;
  Metrics metrics_;
  io::RealFileSystem files_;
  io::RealClock clock_;
  io::SystemRandom random_;
  // Before everything whose steps run on them: they are destroyed last. The log has threads of its
  // own, since its steps wait for the disk and would hold up requests and tasks.
  io::ThreadExecutor log_executor_;
  io::ThreadExecutor executor_;
  // What Kafka's administrators ask for waits for the disk, one step after the other.
  io::ThreadExecutor admin_executor_;
  io::Network network_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<bus::EmbeddedBus> bus_;
  std::unique_ptr<stream::TaskRunner> tasks_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<broker::Server> kafka_server_;
  bool stopped_ = false;
};

}  // namespace adbrook::app
