#include "io/input_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"

namespace adbrook::io {

InputStream InputStream::standard_input() { return {STDIN_FILENO, "stdin"}; }

Result<InputStream> InputStream::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return pass(os_error("open", path, errno));
  return InputStream(descriptor, path);
}

InputStream::InputStream(InputStream&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)) {}

InputStream::~InputStream() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

Result<std::optional<std::size_t>> InputStream::read_some(std::span<std::byte> into,
                                                          Millis patience) {
  pollfd waiting{descriptor_, POLLIN, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
  if (ready == 0 || (ready < 0 && errno == EINTR)) return std::nullopt;
  if (ready < 0) return pass(os_error("wait for", name_, errno));
  const ssize_t size = ::read(descriptor_, into.data(), into.size());
  if (size >= 0) return static_cast<std::size_t>(size);
  if (errno == EINTR || errno == EAGAIN) return std::nullopt;
  return pass(os_error("read", name_, errno));
}

}  // namespace adbrook::io
