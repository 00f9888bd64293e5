// The Kafka endpoint on its sockets: listens, and tells each client the address that it can reach.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "io/tcp.h"

namespace adbrook::broker {

class ConnectionPool;

// "127.0.0.1:9092" or "[::1]:9092" taken apart. invalid when it is neither.
Result<Endpoint> parse_endpoint(std::string_view text);

// Owned by one thread. The network (with its executor) and the broker must outlive it.
class Server {
 public:
  // Listens on all of `broker.options().listen` when it returns. invalid: an address or the list of
  // advertised ones is wrong; busy: a port is taken.
  static Result<std::unique_ptr<Server>> start(io::Network& network, Broker& broker);
  ~Server();

  // "127.0.0.1:9092" with the real port, one per listener.
  const std::vector<std::string>& addresses() const { return addresses_; }

  // Takes no more connections, ends those there are, stops the broker. Not from an executor thread.
  void stop(Millis patience);

 private:
  explicit Server(Broker& broker);
  Result<void> listen(io::Network& network, const std::string& address,
                      const std::string& advertised);

  Broker& broker_;
  std::vector<io::TcpListener> listeners_;
  std::vector<std::string> addresses_;
  // Shared with the connections, whose last callbacks may run after the server is gone.
  std::shared_ptr<ConnectionPool> pool_;
};

}  // namespace adbrook::broker
