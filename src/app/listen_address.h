// HOST:PORT as people write it, for what we listen on and for what we call.
// IPv6 stands in brackets: [::1]:8080.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace adbrook::app {

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;

  bool is_loopback() const;
  std::string text() const;
};

// invalid: says what it would have taken.
Result<ListenAddress> parse_listen_address(std::string_view text);

// The address behind "http://host:port" (also with a path or a trailing slash, which are dropped).
Result<ListenAddress> parse_server_url(std::string_view url);

}  // namespace adbrook::app
