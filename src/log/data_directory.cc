#include "log/data_directory.h"

#include "base/text.h"
#include "log/wal.h"

namespace adbrook::log {
namespace {

constexpr std::string_view kFormat = "adbrook 1\n";
constexpr std::string_view kFormatName = "adbrook ";
constexpr std::uint64_t kFormatSizeMax = 4096;
constexpr std::uint64_t kReserveSize = 256 << 10;

std::unexpected<Error> foreign(const std::string& path, const std::string& why) {
  return fail(ErrorKind::unsupported, "data directory '" + printable(path, 300) + "': " + why +
                                          "; name an empty directory or one of Adbrook's");
}

std::unexpected<Error> unwritable(const std::string& path, Error error) {
  error.message = "data directory '" + printable(path, 300) + "' cannot be used: " + error.message;
  return std::unexpected(std::move(error));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A name is on the disk when the directory it stands in was synced.
Result<void> make_durable_directory(io::FileSystem& files, const std::string& path) {
  const auto exists = files.exists(path);
  if (!exists) return pass(exists.error());
  if (*exists || path == "." || path == "/") return files.make_directories(path);
  if (auto done = make_durable_directory(files, parent_of(path)); !done) return done;
  if (auto done = files.make_directories(path); !done) return done;
  return files.sync_directory(parent_of(path));
}

}  // namespace

// Whether FORMAT is there; a directory without it must be empty to become ours.
Result<bool> DataDirectory::has_format() const {
  const auto exists = files_->exists(path_);
  if (!exists) return pass(exists.error());
  if (!*exists) return false;
  const auto names = files_->list(path_);
  if (!names) return pass(names.error());
  std::string stranger;
  for (const std::string& name : *names) {
    if (name == "FORMAT") return true;
    if (name != "LOCK" && name != "FORMAT.tmp") stranger = name;
  }
  if (!stranger.empty())
    return foreign(path_,
                   "it holds '" + printable(stranger) + "' and no FORMAT, so it is not ours");
  return false;
}

Result<void> DataDirectory::check_format() const {
  const auto content = read_whole_file(*files_, path_ + "/FORMAT", kFormatSizeMax);
  if (!content) return pass(content.error());
  const std::string_view text = as_text(*content);
  if (text == kFormat) return {};
  if (!text.starts_with(kFormatName))
    return foreign(path_, "its FORMAT says '" + printable(text, 40) + "', which is not ours");
  return foreign(path_,
                 "its FORMAT is '" + printable(text, 40) +
                     "' and this version of Adbrook knows 'adbrook 1' only; use a newer one");
}

Result<void> DataDirectory::make_layout() const {
  for (const std::string& path : {wal(), topics()})
    if (auto done = files_->make_directories(path); !done) return done;
  return files_->sync_directory(path_);
}

// Looked at before the lock is taken: taking it would leave a file in somebody else's directory.
Result<DataDirectory> DataDirectory::open(io::FileSystem& files, std::string path) {
  DataDirectory directory(files, std::move(path));
  const auto ours = directory.has_format();
  if (!ours) {
    if (ours.error().kind == ErrorKind::unsupported) return pass(ours.error());
    return unwritable(directory.path_, ours.error());
  }
  if (*ours) {
    if (auto done = directory.check_format(); !done) return pass(std::move(done.error()));
  }
  Result<void> made = make_durable_directory(files, directory.path_);
  if (!made) return unwritable(directory.path_, std::move(made.error()));
  auto lock = files.lock(directory.path_ + "/LOCK");
  if (!lock && lock.error().kind == ErrorKind::busy) return pass(std::move(lock.error()));
  if (!lock) return unwritable(directory.path_, std::move(lock.error()));
  directory.lock_ = std::move(*lock);
  if (!*ours) made = write_file_atomically(files, directory.path_ + "/FORMAT", as_bytes(kFormat));
  if (made) made = directory.make_layout();
  if (!made) return unwritable(directory.path_, std::move(made.error()));
  return directory;
}

// A first start that was cut short leaves at most write-ahead files that were never written.
Result<bool> DataDirectory::nothing_written() const {
  const auto topics_found = files_->list(topics());
  if (!topics_found) return pass(topics_found.error());
  if (!topics_found->empty()) return false;
  const auto names = files_->list(wal());
  if (!names) return pass(names.error());
  for (const std::string& name : *names) {
    if (wal_file_number(name) == 0) continue;
    auto file = files_->open(wal() + "/" + name, io::OpenMode::read);
    if (!file) return pass(std::move(file.error()));
    Buffer block(kWalBlockSize);
    const auto got = (*file)->read_at(0, block);
    if (!got) return pass(got.error());
    if (read_wal_header(block)) return false;
  }
  return true;
}

Result<std::optional<Checkpoint>> DataDirectory::read_checkpoint() const {
  const std::string path = wal() + "/checkpoint";
  const auto content = read_whole_file(*files_, path, kCheckpointSizeMax);
  if (content) {
    auto checkpoint = decode_checkpoint(*content);
    if (!checkpoint) return pass(std::move(checkpoint.error()), path);
    return std::optional(std::move(*checkpoint));
  }
  if (content.error().kind != ErrorKind::not_found) return pass(content.error());
  const auto fresh = nothing_written();
  if (!fresh) return pass(fresh.error());
  if (*fresh) return std::optional<Checkpoint>();
  return fail(ErrorKind::corrupt, "data directory '" + path_ +
                                      "': wal/checkpoint is missing although there are topics or "
                                      "write-ahead entries; restore it from a backup");
}

Result<void> DataDirectory::write_checkpoint(const Checkpoint& checkpoint) {
  const Buffer content = encode_checkpoint(checkpoint);
  const std::string path = wal() + "/checkpoint";
  auto done = write_file_atomically(*files_, path, content);
  if (done || done.error().kind != ErrorKind::disk_full) return done;
  // Retention needs a checkpoint to free space, so it must not fail for want of it.
  if (!files_->remove(reserve())) return done;
  return write_file_atomically(*files_, path, content);
}

void DataDirectory::renew_reserve() {
  const auto exists = files_->exists(reserve());
  if (!exists || *exists) return;
  auto file = files_->open(reserve(), io::OpenMode::create_new);
  if (file && !(*file)->allocate(kReserveSize)) {
    file->reset();
    static_cast<void>(files_->remove(reserve()));
  }
}

}  // namespace adbrook::log
