// The data directory: where its files are, whose it is, and who has it open.
// Format: docs/formats/data-directory.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "log/checkpoint.h"

namespace adbrook::log {

// Owned by one thread. Holds the lock as long as it lives.
class DataDirectory {
 public:
  // Makes an empty or absent directory ours. busy: locked (says by which); unsupported: foreign or
  // newer; nothing foreign is touched.
  static Result<DataDirectory> open(io::FileSystem& files, std::string path);

  std::string wal() const { return path_ + "/wal"; }
  std::string topics() const { return path_ + "/topics"; }
  const std::string& path() const { return path_; }

  // None: the first start. corrupt: damaged, or absent although there is something to describe.
  Result<std::optional<Checkpoint>> read_checkpoint() const;
  // On the disk when it returns. On a full disk it uses up the reserve.
  Result<void> write_checkpoint(const Checkpoint& checkpoint);
  // Lays the reserve back when it was used up; best effort.
  void renew_reserve();

 private:
  DataDirectory(io::FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}
  std::string reserve() const { return wal() + "/reserve"; }
  Result<bool> has_format() const;
  Result<void> check_format() const;
  Result<void> make_layout() const;
  Result<bool> nothing_written() const;

  io::FileSystem* files_;
  std::string path_;
  std::unique_ptr<io::FileLock> lock_;
};

}  // namespace adbrook::log
