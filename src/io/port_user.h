// Who listens on a TCP port, so that "port in use" can name the process to stop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace adbrook::io {

// "process 123 (adbrook)"; nothing when nobody listens there or /proc does not tell (another user's
// process). Walks all of /proc: for error messages only. Thread-safe.
std::optional<std::string> describe_port_user(std::uint16_t port);

}  // namespace adbrook::io
