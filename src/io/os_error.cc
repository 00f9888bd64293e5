#include "io/os_error.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "base/text.h"

namespace adbrook::io {
namespace {

// Long enough for two paths of a rename as people have them.
constexpr std::size_t kPlaceSizeMax = 300;

// A kind tells a caller what it can do: wait, retry, give up. What it cannot tell apart is
// io_failed.
ErrorKind kind_of(int code) {
  switch (code) {
    case ENOENT: return ErrorKind::not_found;
    case EEXIST: return ErrorKind::already_exists;
    case ENOSPC:
    case EDQUOT: return ErrorKind::disk_full;
    case EWOULDBLOCK:
    case EBUSY:
    case ETXTBSY:
    case EADDRINUSE: return ErrorKind::busy;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS: return ErrorKind::overloaded;
    case EBADF:
    case EINVAL:
    case EISDIR:
    case ENOTDIR:
    case ENOTEMPTY:
    case ELOOP:
    case ENAMETOOLONG: return ErrorKind::invalid;
    default: return ErrorKind::io_failed;
  }
}

// The fourth part of the message. It names no flag of ours: this room does not know them.
std::string_view advice_for(int code) {
  switch (code) {
    case ENOENT: return "check the path";
    case EEXIST: return "remove it or choose another name";
    case ENOSPC: return "free some space on this disk, work goes on by itself then";
    case EDQUOT: return "raise the disk quota of this user or free some space";
    case EACCES:
    case EPERM: return "run as a user who may do this, or change the permissions";
    case EROFS: return "choose a place that can be written, or mount it for writing";
    case EMFILE: return "raise the limit of open files (ulimit -n)";
    case ENFILE: return "raise the machine's limit of open files (fs.file-max)";
    case ENOMEM:
    case ENOBUFS: return "free some memory";
    case ENOTEMPTY: return "empty the directory first";
    case EISDIR: return "name a file, not a directory";
    case ENOTDIR: return "name a directory, and check every part of the path";
    case ENAMETOOLONG: return "choose a shorter name";
    case EWOULDBLOCK:
    case EBUSY:
    case ETXTBSY: return "wait until its other user is done";
    case EADDRINUSE: return "stop the other user of the port or choose another port";
    case EADDRNOTAVAIL: return "choose an address that this machine has";
    case ECONNRESET:
    case EPIPE: return "the other side ended the connection; connect again";
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH: return "check the address and the network between the two";
    case ECONNREFUSED: return "check that the other side runs and listens there";
    case EIO: return "look at the kernel's messages (dmesg) and check the disk";
    default: return "look at the kernel's messages (dmesg), then try again";
  }
}

}  // namespace

Error os_error(std::string_view what, std::string_view where, int code) {
  std::string message = "cannot ";
  message += what;
  message += " '" + printable(where, kPlaceSizeMax) + "': ";
  // The GNU form returns its text, never leaves the buffer unterminated, and is thread-safe.
  char buffer[128];
  message += ::strerror_r(code, buffer, sizeof buffer);
  message += "; ";
  message += advice_for(code);
  return {kind_of(code), std::move(message)};
}

}  // namespace adbrook::io
