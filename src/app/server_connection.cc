#include "app/server_connection.h"

#include <boost/json.hpp>

#include "base/text.h"

namespace adbrook::app {
namespace {

constexpr std::size_t kDetailShownMax = 600;

ErrorKind kind_of(int status) {
  if (status == 404) return ErrorKind::not_found;
  if (status == 429 || status == 503) return ErrorKind::overloaded;
  return status < 500 ? ErrorKind::invalid : ErrorKind::io_failed;
}

}  // namespace

std::string problem_detail(std::string_view body) {
  boost::system::error_code broken;
  const auto value = boost::json::parse(body, broken);
  if (!broken && value.is_object())
    if (const auto* detail = value.as_object().if_contains("detail"); detail && detail->is_string())
      return printable(std::string_view(detail->as_string()), kDetailShownMax);
  return printable(body, kDetailShownMax);
}

ServerConnection::ServerConnection(io::ThreadExecutor& executor, const std::string& url,
                                   http::HostPort server)
    : url_(url),
      network_(std::make_unique<io::Network>(executor)),
      client_(std::make_unique<http::Client>(*network_, std::move(server), http::ClientOptions{})) {
}

Result<ServerConnection> ServerConnection::open(io::ThreadExecutor& executor,
                                                const std::string& url) {
  auto server = http::parse_server_url(url);
  if (!server) return pass(std::move(server.error()));
  return ServerConnection(executor, url, std::move(*server));
}

Result<http::ClientResponse> ServerConnection::exchange(http::ClientRequest request) {
  auto answer = client_->send_and_wait(std::move(request));
  if (answer) return answer;
  return fail(answer.error().kind,
              "no answer from " + url_ + ": " + answer.error().message +
                  "; start the engine with `adbrook serve`, or name another with --server");
}

Result<std::string> ServerConnection::get(const std::string& target) {
  auto answer = exchange({.target = target});
  if (!answer) return pass(std::move(answer.error()));
  if (answer->status < 300) return std::move(answer->body);
  return fail(kind_of(answer->status), problem_detail(answer->body));
}

}  // namespace adbrook::app
