#include "io/real_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <limits>

#include "io/kernel_file.h"
#include "io/os_error.h"
#include "io/process.h"

namespace adbrook::io {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;
// More names than this in one directory are not ours; listing them would only eat memory.
constexpr std::size_t kDirectoryEntryCountMax = 1'000'000;
// Of one write; more pieces take more calls.
constexpr std::size_t kPieceCountMax = 256;

std::unexpected<Error> fail_os(std::string_view what, std::string_view where, int code) {
  return std::unexpected(os_error(what, where, code));
}

// Calls again while a signal interrupts it: a signal to the process says nothing about this file.
template <class Call>
auto without_interrupts(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// Owns a file descriptor. Errors of close(2) tell nothing that sync() did not tell before.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

Descriptor open_descriptor(const std::string& path, int flags) {
  return Descriptor(
      without_interrupts([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
}

// The kernel counts in signed 64 bits; a larger position would arrive there as a negative one.
bool fits_off_t(std::uint64_t position, std::uint64_t size) {
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  return position <= most && size <= most - position;
}

class RealFile final : public KernelFile {
 public:
  RealFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) override {
    if (!fits_off_t(position, into.size())) return fail_os("read", path_, EINVAL);
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = without_interrupts([&] {
        return ::pread(descriptor_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(position + done));
      });
      if (got < 0) return fail_os("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t position, ByteView bytes) override {
    if (!fits_off_t(position, bytes.size())) return fail_os("write", path_, EINVAL);
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put = without_interrupts([&] {
        return ::pwrite(descriptor_.get(), bytes.data() + done, bytes.size() - done,
                        static_cast<off_t>(position + done));
      });
      if (put < 0) return fail_os("write", path_, errno);
      // A disk that takes nothing and gives no reason would keep this loop running for ever.
      if (put == 0) return fail_os("write", path_, EIO);
      done += static_cast<std::size_t>(put);
    }
    return {};
  }

  Result<void> write_pieces_at(std::uint64_t position, std::span<const ByteView> pieces) override {
    std::array<iovec, kPieceCountMax> parts;
    while (!pieces.empty()) {
      const auto now = pieces.first(std::min(pieces.size(), parts.size()));
      std::size_t size = 0;
      for (std::size_t i = 0; i < now.size(); ++i) {
        parts[i] = {const_cast<std::byte*>(now[i].data()), now[i].size()};
        size += now[i].size();
      }
      if (!fits_off_t(position, size)) return fail_os("write", path_, EINVAL);
      const ssize_t put = without_interrupts([&] {
        return ::pwritev(descriptor_.get(), parts.data(), static_cast<int>(now.size()),
                         static_cast<off_t>(position));
      });
      if (put < 0) return fail_os("write", path_, errno);
      // Only a part came in: the rest of it piece by piece, which also tells why.
      if (static_cast<std::size_t>(put) < size) {
        if (auto done = write_rest(position, now, static_cast<std::size_t>(put)); !done)
          return done;
      }
      position += size;
      pieces = pieces.subspan(now.size());
    }
    return {};
  }

  void begin_sync(std::uint64_t position, std::size_t size) override {
    static_cast<void>(::sync_file_range(descriptor_.get(), static_cast<off_t>(position),
                                        static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE));
  }

  Result<void> sync() override {
    // EINTR says that nothing was tried yet; any other error means that pages may be dropped.
    if (without_interrupts([&] { return ::fdatasync(descriptor_.get()); }) != 0)
      return fail_os("sync", path_, errno);
    return {};
  }

  Result<void> allocate(std::uint64_t size) override {
    if (size == 0) return {};
    if (!fits_off_t(0, size)) return fail_os("allocate space for", path_, EINVAL);
    if (auto room = check_room(size); !room) return room;
    const int failed = reserve(size);
    if (failed == 0) {
      allocated_ = std::max(allocated_, size);
      return {};
    }
    const int code = errno;
    // Such a file system cannot reserve; the check above is all it can have.
    if (code == EOPNOTSUPP || code == ENOSYS) return {};
    if (code == ENOSPC || code == EDQUOT) give_back();
    return fail_os("allocate space for", path_, code);
  }

  Result<void> truncate(std::uint64_t size) override {
    if (!fits_off_t(0, size)) return fail_os("truncate", path_, EINVAL);
    const int failed = without_interrupts(
        [&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(size)); });
    if (failed != 0) return fail_os("truncate", path_, errno);
    allocated_ = std::min(allocated_, size);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat facts{};
    if (::fstat(descriptor_.get(), &facts) != 0) return fail_os("look at", path_, errno);
    return static_cast<std::uint64_t>(facts.st_size);
  }

  int descriptor() const override { return descriptor_.get(); }

 private:
  Result<void> write_rest(std::uint64_t position, std::span<const ByteView> pieces,
                          std::size_t written) {
    for (const ByteView piece : pieces) {
      const std::size_t skipped = std::min(written, piece.size());
      written -= skipped;
      if (auto done = write_at(position + skipped, piece.subspan(skipped)); !done) return done;
      position += piece.size();
    }
    return {};
  }

  int reserve(std::uint64_t size) {
    return without_interrupts([&] {
      return ::fallocate(descriptor_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
    });
  }

  // Asked before fallocate: ext4 takes what there is before it finds that it is not enough, and so
  // fills the disk for everybody.
  Result<void> check_room(std::uint64_t wanted) {
    struct statvfs disk{};
    struct stat facts{};
    if (::fstat(descriptor_.get(), &facts) != 0 || ::fstatvfs(descriptor_.get(), &disk) != 0)
      return fail_os("look at", path_, errno);
    // st_blocks has this unit on every file system (stat(2)), and counts what is reserved already.
    const std::uint64_t have = static_cast<std::uint64_t>(facts.st_blocks) * 512;
    const std::uint64_t room = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    if (wanted > have && wanted - have > room) return fail_os("allocate space for", path_, ENOSPC);
    return {};
  }

  // Somebody else took the room after it was checked: lets go of what fallocate got half way, and
  // keeps what was reserved before. Best effort, the caller hears of the full disk in any case.
  void give_back() {
    const auto have = size();
    if (!have || ::ftruncate(descriptor_.get(), static_cast<off_t>(*have)) != 0) return;
    if (allocated_ > *have) reserve(allocated_);
  }

  Descriptor descriptor_;
  std::string path_;
  std::uint64_t allocated_ = 0;  // by this object
};

class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  // closing it frees the lock
};

// The holder's own words in the lock file; it may not have come to write them yet.
std::string describe_holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  int pid = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
  return pid > 0 ? describe_process(pid) : "another process";
}

void write_holder(int fd) {
  const std::string pid = std::to_string(process_id()) + "\n";
  // Only for the message of others: a full disk must not keep anybody from taking the lock.
  if (::ftruncate(fd, 0) == 0) static_cast<void>(::pwrite(fd, pid.data(), pid.size(), 0) > 0);
}

}  // namespace

Result<std::unique_ptr<File>> RealFileSystem::open(const std::string& path, OpenMode mode) {
  int flags = O_RDONLY;
  if (mode == OpenMode::write) flags = O_RDWR | O_CREAT;
  if (mode == OpenMode::create_new) flags = O_RDWR | O_CREAT | O_EXCL;
  Descriptor descriptor = open_descriptor(path, flags);
  if (!descriptor.valid())
    return fail_os(mode == OpenMode::create_new ? "create" : "open", path, errno);
  return std::make_unique<RealFile>(std::move(descriptor), path);
}

Result<void> RealFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return fail_os("remove", path, errno);
  return {};
}

Result<void> RealFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return fail_os("rename", from + "' to '" + to, errno);
  return {};
}

Result<void> RealFileSystem::make_directories(const std::string& path) {
  // Each longer beginning of the path in turn; one more try at an existing one is harmless.
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), kDirectoryMode) == 0) continue;
    const int code = errno;
    struct stat facts{};
    if (::stat(part.c_str(), &facts) == 0) {
      if (S_ISDIR(facts.st_mode)) continue;
      return fail_os("make the directory", part, ENOTDIR);
    }
    return fail_os("make the directory", part, code);
  }
  return {};
}

Result<void> RealFileSystem::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) != 0) return fail_os("remove the directory", path, errno);
  return {};
}

Result<std::vector<std::string>> RealFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (!directory) return fail_os("list", path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;  // the only way to tell the end from an error, readdir(3)
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return fail_os("list", path, errno);
    if (entry == nullptr) break;
    std::string name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (names.size() == kDirectoryEntryCountMax) {
      return fail(ErrorKind::overloaded, "cannot list '" + path + "': more than " +
                                             std::to_string(kDirectoryEntryCountMax) +
                                             " entries; check that this is the right directory");
    }
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<bool> RealFileSystem::exists(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) == 0) return true;
  // A file where the path needs a directory: nothing can be below it.
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return fail_os("look for", path, errno);
}

Result<void> RealFileSystem::sync_directory(const std::string& path) {
  const Descriptor descriptor = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (!descriptor.valid()) return fail_os("open the directory", path, errno);
  const int failed = without_interrupts([&] { return ::fsync(descriptor.get()); });
  // EINVAL: this file system has no such operation and keeps directories its own way.
  if (failed != 0 && errno != EINVAL) return fail_os("sync the directory", path, errno);
  return {};
}

Result<std::unique_ptr<FileLock>> RealFileSystem::lock(const std::string& path) {
  Descriptor descriptor = open_descriptor(path, O_RDWR | O_CREAT);
  if (!descriptor.valid()) return fail_os("open the lock file", path, errno);
  if (without_interrupts([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) == 0) {
    write_holder(descriptor.get());
    return std::make_unique<RealFileLock>(std::move(descriptor));
  }
  if (errno != EWOULDBLOCK) return fail_os("lock", path, errno);
  return fail(ErrorKind::busy, "cannot lock '" + path + "': it is held by " +
                                   describe_holder(descriptor.get()) +
                                   "; stop that process or use another directory");
}

Result<std::uint64_t> RealFileSystem::free_bytes(const std::string& path) {
  struct statvfs disk{};
  if (::statvfs(path.c_str(), &disk) != 0) return fail_os("look at the disk of", path, errno);
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace adbrook::io
