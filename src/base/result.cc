#include "base/result.h"

namespace adbrook {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::already_exists: return "already_exists";
    case ErrorKind::out_of_range: return "out_of_range";
    case ErrorKind::corrupt: return "corrupt";
    case ErrorKind::io_failed: return "io_failed";
    case ErrorKind::disk_full: return "disk_full";
    case ErrorKind::busy: return "busy";
    case ErrorKind::overloaded: return "overloaded";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::closed: return "closed";
  }
  return "unknown";
}

}  // namespace adbrook
