// How commands talk to a running engine: one kept connection, answers as JSON or text, and errors
// that say what to do when nobody answers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"
#include "io/tcp.h"
#include "io/thread_executor.h"

namespace adbrook::app {

// Owned by one thread. The executor must outlive it.
class ServerConnection {
 public:
  // invalid: `url` is no http://host:port.
  static Result<ServerConnection> open(io::ThreadExecutor& executor, const std::string& url);

  // Any status is an answer here. io_failed: nobody answers.
  Result<http::ClientResponse> exchange(http::ClientRequest request);
  // The body of a 2xx answer. Otherwise the problem's own words, as not_found (404), invalid (other
  // 4xx), overloaded (429, 503) or io_failed (other 5xx).
  Result<std::string> get(const std::string& target);

  const std::string& url() const { return url_; }

 private:
  ServerConnection(io::ThreadExecutor& executor, const std::string& url, http::HostPort server);

  std::string url_;
  std::unique_ptr<io::Network> network_;
  std::unique_ptr<http::Client> client_;
};

// The `detail` of an application/problem+json body, or the body itself, printable.
std::string problem_detail(std::string_view body);

}  // namespace adbrook::app
