// A plain HTTP/1.1 client for our own commands: one server, one kept connection, one request at a
// time, either waited for or with a callback.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "http/response_parser.h"
#include "http/server.h"
#include "io/tcp.h"

namespace adbrook::http {

struct ClientOptions {
  Millis connect_timeout{5'000};
  Millis answer_timeout{60'000};  // for the next bytes of the answer
  Bytes body_max = 1024_MiB;
};

struct ClientRequest {
  Method method = Method::get;
  std::string target = "/";  // path and query
  std::string content_type = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> fields = {};
};

// "http://127.0.0.1:8080" or "127.0.0.1:8080", port 80 when absent. invalid: another scheme, a
// path.
Result<HostPort> parse_server_url(std::string_view url);

// Owned by one thread; the executor behind the network runs the callbacks and must outlive it.
class Client {
 public:
  using Done = std::move_only_function<void(Result<ClientResponse>)>;

  Client(io::Network& network, HostPort server, ClientOptions options);
  ~Client();

  // `done` runs once, on an executor thread, unless this object is destroyed before. Only one
  // request may be under way; `done` may start the next. A status of 400 and more is an answer, not
  // an error. io_failed: no connection, or it broke (then the request may have been handled or
  // not); overloaded: no answer in time. Nothing is sent twice, except GET and HEAD on a kept
  // connection that the server had closed meanwhile.
  void send(ClientRequest request, Done done);
  // Waits for it. Not from an executor thread.
  Result<ClientResponse> send_and_wait(ClientRequest request);

 private:
  class Exchange;

  std::shared_ptr<Exchange> exchange_;  // shared with its callbacks under way
};

}  // namespace adbrook::http
