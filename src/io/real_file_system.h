// Files of the kernel. What each call promises stands in file_system.h; this adds nothing to it.
#pragma once

#include "io/file_system.h"

namespace adbrook::io {

// Thread-safe; without state. New files are 0640 and new directories 0750, less the umask: events
// name people.
class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  // flock(2). The file holds the number of the process that has it, for the other one's message.
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
};

}  // namespace adbrook::io
