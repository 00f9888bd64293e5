#include "io/file_system.h"

#include "io/failpoint.h"

namespace adbrook::io {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The content is durable when this returns, its name is not.
Result<void> write_and_sync(FileSystem& files, const std::string& path, ByteView content) {
  auto file = files.open(path, OpenMode::write);
  if (!file) return pass(std::move(file.error()));
  // What an earlier crash left under the temporary name must not show behind a shorter content.
  if (auto done = (*file)->truncate(0); !done) return done;
  if (auto done = (*file)->write_at(0, content); !done) return done;
  return (*file)->sync();
}

}  // namespace

Result<void> write_file_atomically(FileSystem& files, const std::string& path, ByteView content) {
  const std::string temporary = path + ".tmp";
  if (auto done = write_and_sync(files, temporary, content); !done) {
    // The first error is the one worth telling; a left-over is overwritten the next time.
    static_cast<void>(files.remove(temporary));
    return done;
  }
  failpoint("file-rename");
  if (auto done = files.rename(temporary, path); !done) return done;
  return files.sync_directory(parent_of(path));
}

Result<Buffer> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t size_max) {
  auto file = files.open(path, OpenMode::read);
  if (!file) return pass(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return pass(size.error());
  if (*size > size_max) {
    return fail(ErrorKind::invalid, "cannot read '" + path + "': it has " + std::to_string(*size) +
                                        " bytes, at most " + std::to_string(size_max) +
                                        " are expected; check that this is the right file");
  }
  // The size is known to be small by now; only then is memory taken for it.
  Buffer content(*size);
  const auto got = (*file)->read_at(0, content);
  if (!got) return pass(got.error());
  content.resize(*got);
  return content;
}

}  // namespace adbrook::io
