// Bytes from stdin, a pipe or a file in their order, read with a time limit so that a command can
// look up between two reads.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::io {

// Owned by one thread.
class InputStream {
 public:
  static InputStream standard_input();
  // not_found when there is no such file.
  static Result<InputStream> open(const std::string& path);

  InputStream(InputStream&& other) noexcept;
  InputStream& operator=(InputStream&&) = delete;
  ~InputStream();  // stdin stays open

  // The number of bytes read, 0 at the end; nothing when none came within `patience`.
  Result<std::optional<std::size_t>> read_some(std::span<std::byte> into, Millis patience);

 private:
  InputStream(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  int descriptor_;
  std::string name_;
};

}  // namespace adbrook::io
