// Files as the log needs them: positioned reads and writes, explicit durability, whole-disk faults.
// `RealFileSystem` talks to the kernel; `SimulatedFileSystem` keeps unsynced writes apart, so that
// a test can crash it at any step and see what a real disk might have kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::io {

// Owned by one thread at a time, except that read_at may run beside anything but a truncate below
// what it reads, and sync beside anything: it covers the writes that had returned when it was
// called.
class File {
 public:
  virtual ~File() = default;

  // Fills `into` from `position`; returns the bytes read, fewer only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) = 0;
  // Writes all of it, growing the file when needed. In memory of the kernel only, until sync().
  // On an error nothing may be assumed about the range.
  virtual Result<void> write_at(std::uint64_t position, ByteView bytes) = 0;
  // fdatasync: returns when everything written so far is on the disk. After an error the caller
  // must not sync or write this file again.
  virtual Result<void> sync() = 0;
  // Reserves space so that later writes inside [0, size) need no new block; the size reported by
  // size() does not change. disk_full when there is no room: the file is as before.
  virtual Result<void> allocate(std::uint64_t size) = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

enum class OpenMode {
  read,        // not_found when absent
  write,       // creates it when absent; read_at works too
  create_new,  // already_exists when present
};

// Held as long as the object lives; freed by the kernel when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread-safe. Paths are relative or absolute in the kernel's sense; no globbing, no links followed
// on purpose. Creating, renaming or removing is durable only after sync_directory on the parent.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  // Atomic; replaces `to`.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  // Makes missing parents too; fine when it exists.
  virtual Result<void> make_directories(const std::string& path) = 0;
  // Removes an empty directory.
  virtual Result<void> remove_directory(const std::string& path) = 0;
  // Names (not paths) in byte order, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;
  // Takes the lock or fails with busy. The file is created when absent.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

// Writes the whole content to `path` so that after a crash either the old or the new file is there:
// a temporary file beside it, sync, rename, sync of the directory.
Result<void> write_file_atomically(FileSystem& files, const std::string& path, ByteView content);
Result<Buffer> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t size_max);

}  // namespace adbrook::io
