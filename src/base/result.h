// Errors are values: a closed list of kinds and one sentence for a person.
// The sentence has four parts: what failed, where, why, and what to do next.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace adbrook {

enum class ErrorKind {
  invalid,         // the input or argument breaks a rule
  not_found,       // no such topic, file, event
  already_exists,  // it is there already
  out_of_range,    // an offset or time outside what is kept
  corrupt,         // stored bytes do not match their checksum or format
  io_failed,       // the operating system refused a read, write or sync
  disk_full,       // no space left; nothing was written
  busy,            // locked or in use by somebody else
  overloaded,      // a named limit is reached; try again later
  unsupported,     // known, but not offered here
  closed,          // stopping or stopped
};

// Stable lower-case name of a kind, for logs and metrics.
std::string_view to_string(ErrorKind kind);

struct [[nodiscard]] Error {
  ErrorKind kind;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

// The usual way to return an error: `return fail(ErrorKind::corrupt, "...")`.
inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(Error{kind, std::move(message)});
}

// Passes an error on with a place in front of it: "wal/000.log: <message>".
inline std::unexpected<Error> pass(Error error, std::string_view where = {}) {
  if (!where.empty()) error.message = std::string(where) + ": " + error.message;
  return std::unexpected<Error>(std::move(error));
}

}  // namespace adbrook
