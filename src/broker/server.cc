#include "broker/server.h"

#include <charconv>

#include "base/text.h"
#include "broker/connection.h"

namespace adbrook::broker {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorKind::invalid,
                "address '" + printable(text) + "' is not HOST:PORT; write it like 127.0.0.1:9092");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong();
  Endpoint endpoint{.host = std::string(host)};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
  if (error != std::errc() || stop != end || host.empty()) return wrong();
  return endpoint;
}

Server::Server(Broker& broker) : broker_(broker), pool_(std::make_shared<ConnectionPool>(broker)) {}

Result<std::unique_ptr<Server>> Server::start(io::Network& network, Broker& broker) {
  const BrokerOptions& options = broker.options();
  if (!options.advertise.empty() && options.advertise.size() != options.listen.size())
    return fail(ErrorKind::invalid, "kafka.advertise names " +
                                        std::to_string(options.advertise.size()) +
                                        " addresses for " + std::to_string(options.listen.size()) +
                                        " listeners; name one for each, or none");
  std::unique_ptr<Server> server(new Server(broker));
  for (std::size_t i = 0; i < options.listen.size(); ++i) {
    auto listening = server->listen(network, options.listen[i],
                                    options.advertise.empty() ? "" : options.advertise[i]);
    if (!listening) return pass(std::move(listening.error()), "kafka.listen");
  }
  return server;
}

Result<void> Server::listen(io::Network& network, const std::string& address,
                            const std::string& advertised) {
  const auto where = parse_endpoint(address);
  if (!where) return pass(where.error());
  auto listener = network.listen(where->host, where->port);
  if (!listener) return pass(std::move(listener.error()));
  const std::string host =
      where->host.find(':') == std::string::npos ? where->host : "[" + where->host + "]";
  addresses_.push_back(host + ":" + std::to_string(listener->port()));
  std::optional<Endpoint> told;
  if (!advertised.empty()) {
    auto endpoint = parse_endpoint(advertised);
    if (!endpoint) return pass(std::move(endpoint.error()), "kafka.advertise");
    told = std::move(*endpoint);
    if (told->port == 0) told->port = listener->port();
  }
  // The trap of Kafka's setup is that clients are sent to an address that they cannot reach, so
  // what they will be told is said for every listener that others can come to.
  if (told)
    broker_.note("kafka: " + addresses_.back() + " tells clients to come to " + told->host + ":" +
                 std::to_string(told->port));
  else if (!io::is_loopback(where->host))
    broker_.note("kafka: " + addresses_.back() +
                 " tells clients to come to the address they came in by; kafka.advertise names "
                 "another");
  listener->start(
      [pool = pool_, told](io::TcpStream stream) { pool->open(std::move(stream), told, pool); });
  listeners_.push_back(std::move(*listener));
  return {};
}

Server::~Server() { stop(Millis(0)); }

void Server::stop(Millis patience) {
  for (io::TcpListener& listener : listeners_) listener.stop();
  listeners_.clear();
  broker_.stop();
  pool_->close_all(patience);
}

}  // namespace adbrook::broker
