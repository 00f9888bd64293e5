// An HTTP/1.1 server: takes connections, finds the route of each request, sends what it answers.
// It knows no route of ours; `app/` gives it a router.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "http/router.h"
#include "http/server_options.h"
#include "io/clock.h"
#include "io/tcp.h"

namespace adbrook::http {

class ConnectionPool;

// Thread-safe. The network (with its executor), clock and metrics must outlive it.
class Server {
 public:
  // Listens when it returns. invalid: `options.listen` is no HOST:PORT; busy: the port is taken.
  static Result<std::unique_ptr<Server>> start(io::Network& network, io::Clock& clock,
                                               Metrics& metrics, Router router,
                                               ServerOptions options);
  ~Server();

  std::uint16_t port() const { return listener_.port(); }

  // Takes no more connections and requests, lets those under way be answered, and returns when all
  // connections are closed, or cuts them after `patience`. Not from an executor thread. Whoever
  // still holds a responder afterwards must be gone before the clock and the metrics are.
  void stop(Millis patience);

 private:
  Server(io::TcpListener listener, std::shared_ptr<ConnectionPool> pool);

  io::TcpListener listener_;
  // Shared with the connections, whose last callbacks may run after the server is gone.
  std::shared_ptr<ConnectionPool> pool_;
};

// "127.0.0.1:8080" or "[::1]:8080" taken apart. invalid when it is neither.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

}  // namespace adbrook::http
