#include "http/server.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "http/connection.h"

namespace adbrook::http {
namespace {

// This many connections above the limit are told why; more are closed without a word.
constexpr std::size_t kTurnedAwayMax = 64;
// How long the callbacks of connections that were cut may take to run.
constexpr Millis kCutPatience{1'000};

}  // namespace

ConnectionPool::ConnectionPool(io::Clock& clock, Metrics& metrics, Router router,
                               ServerOptions options)
    : clock_(clock),
      metrics_(metrics),
      router_(std::move(router)),
      options_(std::move(options)),
      open_count_(metrics.gauge("adbrook_http_connections", "HTTP connections that are open.")) {}

Counter& ConnectionPool::refused(std::string_view reason) {
  return metrics_.counter("adbrook_http_refused_total",
                          "HTTP requests and connections refused before a route saw them.",
                          {{"reason", std::string(reason)}});
}

void ConnectionPool::open(io::TcpStream stream, std::shared_ptr<ConnectionPool> self) {
  auto connection = std::make_shared<Connection>(std::move(stream), std::move(self));
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    const auto open_max = static_cast<std::size_t>(options_.connections_max);
    full = connections_.size() >= open_max;
    if (connections_.size() >= open_max + kTurnedAwayMax) return;
    connections_.emplace(connection.get(), connection);
    open_count_.set(static_cast<double>(connections_.size()));
  }
  if (full)
    connection->turn_away();
  else
    connection->start();
}

void ConnectionPool::forget(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(&connection);
  if (!detached_) open_count_.set(static_cast<double>(connections_.size()));
  changed_.notify_all();
}

std::vector<std::shared_ptr<Connection>> ConnectionPool::alive() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> found;
  for (const auto& [key, connection] : connections_)
    if (auto one = connection.lock()) found.push_back(std::move(one));
  return found;
}

void ConnectionPool::close_all(Millis patience) {
  stopping_ = true;
  for (const auto& connection : alive()) connection->stop();
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return connections_.empty(); });
  }
  for (const auto& connection : alive()) connection->cut();
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kCutPatience, [this] {
    return std::ranges::all_of(connections_,
                               [](const auto& entry) { return entry.first->waits_for_handler(); });
  });
  detached_ = true;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] {
    return fail(ErrorKind::invalid,
                "address '" + printable(text) + "' is not HOST:PORT; write it like 127.0.0.1:8080");
  };
  if (colon == std::string_view::npos || colon == 0) return wrong();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong();
  HostPort result{.host = std::string(host)};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, result.port);
  if (error != std::errc() || stop != end || host.empty()) return wrong();
  return result;
}

Server::Server(io::TcpListener listener, std::shared_ptr<ConnectionPool> pool)
    : listener_(std::move(listener)), pool_(std::move(pool)) {}

Result<std::unique_ptr<Server>> Server::start(io::Network& network, io::Clock& clock,
                                              Metrics& metrics, Router router,
                                              ServerOptions options) {
  const auto where = parse_host_port(options.listen);
  if (!where) return pass(where.error(), "http.listen");
  auto listener = network.listen(where->host, where->port);
  if (!listener) return pass(listener.error(), "http.listen");
  auto pool =
      std::make_shared<ConnectionPool>(clock, metrics, std::move(router), std::move(options));
  std::unique_ptr<Server> server(new Server(std::move(*listener), pool));
  server->listener_.start([pool](io::TcpStream stream) { pool->open(std::move(stream), pool); });
  return server;
}

Server::~Server() { stop(Millis(0)); }

void Server::stop(Millis patience) {
  listener_.stop();
  pool_->close_all(patience);
}

}  // namespace adbrook::http
