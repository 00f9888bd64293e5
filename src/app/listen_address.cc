#include "app/listen_address.h"

#include <charconv>

#include "base/text.h"

namespace adbrook::app {
namespace {

constexpr std::string_view kWanted = "it must be HOST:PORT, like 127.0.0.1:8080 or [::1]:8080";

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool ListenAddress::is_loopback() const {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string ListenAddress::text() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return fail(ErrorKind::invalid, std::string(kWanted));
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return fail(ErrorKind::invalid, std::string(kWanted));
  ListenAddress address{std::string(host), 0};
  const auto [at, ec] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (host.empty() || !is_number(port) || ec != std::errc{} || at != port.data() + port.size())
    return fail(ErrorKind::invalid, std::string(kWanted) + ", with a port from 0 to 65535");
  return address;
}

Result<ListenAddress> parse_server_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const std::string given = printable(url);
  if (!url.starts_with(kScheme))
    return fail(ErrorKind::invalid, "'" + given +
                                        "' is no address of a server: it must start with http://, "
                                        "like http://127.0.0.1:8080");
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find_first_of("/?#"));
  const auto after_bracket = url.rfind(']');
  const bool has_port = url.rfind(':') != std::string_view::npos &&
                        (after_bracket == std::string_view::npos || url.rfind(':') > after_bracket);
  const auto address = parse_listen_address(has_port ? std::string(url) : std::string(url) + ":80");
  if (!address)
    return fail(ErrorKind::invalid,
                "'" + given + "' is no address of a server: " + address.error().message);
  return address;
}

}  // namespace adbrook::app
