#include "app/engine.h"

#include <future>

#include "io/process.h"

namespace adbrook::app {
namespace {

constexpr int kLogThreads = 2;  // one syncs the write-ahead log, one the segments

int thread_count(const Settings& settings) {
  const auto wanted = static_cast<int>(settings.engine.threads);
  return wanted > 0 ? wanted : io::processor_count();
}

}  // namespace

Engine::Engine(const Settings& settings, EngineJob job, std::function<void(std::string_view)> note)
    : settings_(settings),
      job_(std::move(job)),
      note_(std::move(note)),
      log_executor_(kLogThreads),
      executor_(thread_count(settings)),
      admin_executor_(1),
      network_(executor_) {}

Engine::~Engine() { stop_once(); }

void Engine::stop_once() {
  if (stopped_) return;
  if (auto done = stop(); !done) note_(done.error().message);
}

Result<std::unique_ptr<Engine>> Engine::open(const Settings& settings, EngineJob job,
                                             std::function<void(std::string_view)> note) {
  std::unique_ptr<Engine> engine(new Engine(settings, std::move(job), std::move(note)));
  if (auto started = engine->start(); !started) return pass(std::move(started.error()));
  return engine;
}

Result<void> Engine::start() {
  auto opened =
      log::Log::open(files_, clock_, log_executor_, metrics_, settings_.engine.data, settings_.log);
  if (!opened) return pass(std::move(opened.error()));
  log_ = std::move(*opened);
  bus_ = std::make_unique<bus::EmbeddedBus>(*log_, executor_);
  const stream::TopologyTopics topics = stream::topics_of(job_.define, job_.group);
  if (auto made = make_topics(topics); !made) return made;
  if (auto opened_broker = open_broker(topics); !opened_broker) return opened_broker;
  tasks_ = std::make_unique<stream::TaskRunner>(
      stream::TaskRunnerPlaces{*bus_, files_, clock_, executor_, random_, metrics_, note_},
      job_.group, settings_.engine.data + "/state", job_.define, settings_.streams);
  if (auto begun = tasks_->start(); !begun) return begun;
  // The tasks hold what they may have to read again, so the rest of what is old may go.
  log_->begin_upkeep();
  return {};
}

Result<void> Engine::make_topics(const stream::TopologyTopics& topics) {
  std::vector<std::string> names = topics.sources;
  names.insert(names.end(), topics.internal.begin(), topics.internal.end());
  names.insert(names.end(), topics.outputs.begin(), topics.outputs.end());
  names.push_back(topics.changelog);
  const auto partitions = static_cast<std::int32_t>(settings_.engine.partitions);
  for (const auto& name : names) {
    auto made =
        log_->create_topic(name, partitions, {.segment_bytes = settings_.log.segment_bytes});
    if (made) continue;
    if (made.error().kind != ErrorKind::already_exists) return made;
    return fail(ErrorKind::invalid,
                "engine.partitions = " + std::to_string(partitions) + ": " + made.error().message +
                    "; the number of partitions is fixed when a data directory is new, so set it "
                    "as it was or use another directory");
  }
  return {};
}

// Clients may read everything, and write what the tasks read from outside.
Result<void> Engine::open_broker(const stream::TopologyTopics& topics) {
  broker::EngineOwned owned{.groups = {job_.group}};
  owned.topics_it_writes.insert(topics.internal.begin(), topics.internal.end());
  owned.topics_it_writes.insert(topics.outputs.begin(), topics.outputs.end());
  owned.topics_it_writes.insert(topics.changelog);
  owned.topics = owned.topics_it_writes;
  owned.topics.insert(topics.sources.begin(), topics.sources.end());
  auto opened =
      broker::Broker::open({*log_, clock_, random_, executor_, admin_executor_, metrics_, note_},
                           settings_.kafka, settings_.kafka_groups, std::move(owned));
  if (!opened) return pass(std::move(opened.error()));
  broker_ = std::move(*opened);
  return {};
}

Result<void> Engine::listen(http::Router router) {
  auto started = http::Server::start(network_, clock_, metrics_, std::move(router), settings_.http);
  if (!started) return pass(std::move(started.error()));
  server_ = std::move(*started);
  auto kafka = broker::Server::start(network_, *broker_);
  if (!kafka) return pass(std::move(kafka.error()));
  kafka_server_ = std::move(*kafka);
  return {};
}

std::string Engine::url() const {
  const auto address = http::parse_host_port(settings_.http.listen);
  std::string host = address ? address->host : "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(server_->port());
}

Result<void> Engine::stop() {
  stopped_ = true;
  Result<void> result;
  const Nanos started = clock_.monotonic();
  if (kafka_server_) kafka_server_->stop(settings_.engine.stop_timeout / 8);
  if (server_) server_->stop(settings_.engine.stop_timeout / 8);
  admin_executor_.stop();
  if (tasks_) {
    // Shared with the callback, which may come after the wait has ended.
    auto done = std::make_shared<std::promise<void>>();
    tasks_->stop([done] { done->set_value(); });
    const auto spent = std::chrono::duration_cast<Millis>(clock_.monotonic() - started);
    if (done->get_future().wait_for(settings_.engine.stop_timeout - spent) !=
        std::future_status::ready)
      result =
          fail(ErrorKind::io_failed,
               "the tasks did not stop within " + format_duration(settings_.engine.stop_timeout) +
                   "; nothing acknowledged is lost, the next start replays more");
  }
  if (log_)
    if (auto closed = log_->close(); !closed && result) result = std::move(closed);
  executor_.stop();
  log_executor_.stop();
  return result;
}

}  // namespace adbrook::app
