#include "state/checkpoint.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"
#include "io/failpoint.h"
#include "state/numbered_file.h"

namespace adbrook::state {
namespace {

constexpr std::uint64_t kManifestBytesMax = 256ull << 20;
constexpr std::size_t kFilesMax = 256;
constexpr std::size_t kExtentsPerBlobMax = 32;
constexpr std::uint64_t kGarbageFree = 16ull << 20;  // below it a rewrite gains nothing
constexpr std::size_t kWriteSize = 1 << 20;
constexpr std::size_t kVerifySize = 1 << 20;

std::unexpected<Error> corrupt(const std::string& where, std::string_view why) {
  return fail(ErrorKind::corrupt, "checkpoint file '" + where +
                                      "' is damaged: " + std::string(why) +
                                      "; an older checkpoint or the inputs are read instead");
}

// The checksum of the extent's bytes, read piece by piece.
Result<std::uint32_t> checksum(io::File& file, const Extent& extent, Buffer& piece) {
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < extent.length;) {
    const auto size = std::min<std::uint64_t>(kVerifySize, extent.length - done);
    piece.resize(size);
    const auto got = file.read_at(extent.position + done, piece);
    if (!got) return pass(got.error());
    if (*got < size) return fail(ErrorKind::corrupt, "a read ended early; look at the disk");
    crc = crc32c(piece, crc);
    done += size;
  }
  return crc;
}

// The directories state/<group>/<partition> exist and outlive a crash.
Result<void> make_durable(io::FileSystem& files, const std::string& directory) {
  if (auto made = files.make_directories(directory); !made) return made;
  std::string_view path = directory;
  for (int level = 0; level < 3; ++level) {
    const auto slash = path.find_last_of('/');
    const bool top = slash == std::string_view::npos || slash == 0;
    path = top ? (slash == 0 ? "/" : ".") : path.substr(0, slash);
    if (auto synced = files.sync_directory(std::string(path)); !synced) return synced;
    if (top) break;
  }
  return {};
}

bool is_run(std::uint64_t file) { return (file & kRunFileBit) != 0; }

std::uint64_t length_of(const std::vector<Extent>& extents) {
  std::uint64_t length = 0;
  for (const Extent& extent : extents) length += extent.length;
  return length;
}

}  // namespace

Result<std::unique_ptr<Checkpoint>> Checkpoint::open(io::FileSystem& files, std::string directory) {
  std::unique_ptr<Checkpoint> checkpoint(new Checkpoint(files, std::move(directory)));
  if (auto made = make_durable(files, checkpoint->directory_); !made) return pass(made.error());
  if (auto found = checkpoint->find_newest(); !found) return pass(found.error());
  return checkpoint;
}

const CheckpointHead& Checkpoint::head() const {
  ADBROOK_ASSERT(current_, "only a checkpoint that exists has a head");
  return current_->head;
}

const CheckpointHead& Checkpoint::oldest_head() const {
  return previous_ ? previous_->head : head();
}

std::string Checkpoint::path(std::string_view kind, std::uint64_t number) const {
  return numbered_path(directory_, kind, number);
}

// Of an extent's file.
std::string Checkpoint::path_of(std::uint64_t file) const {
  return is_run(file) ? path(kRunKind, file & ~kRunFileBit) : path(kBlobsKind, file);
}

Result<void> Checkpoint::find_newest() {
  const auto names = files_.list(directory_);
  if (!names) return pass(names.error());
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : *names) {
    const auto manifest = number_in(name, kManifestKind);
    const auto blobs = number_in(name, kBlobsKind);
    if (manifest) numbers.push_back(*manifest);
    if (const auto run = number_in(name, kRunKind)) runs_->see(*run);
    // Above all that was ever begun: a file of a failed attempt is never written again.
    next_number_ = std::max({next_number_, manifest.value_or(0) + 1, blobs.value_or(0) + 1});
  }
  std::sort(numbers.rbegin(), numbers.rend());
  for (const std::uint64_t number : numbers) {
    auto manifest = load_manifest(number);
    if (manifest) {
      (current_ ? previous_ : current_) = std::move(*manifest);
      if (previous_) break;
    } else if (manifest.error().kind == ErrorKind::corrupt ||
               manifest.error().kind == ErrorKind::not_found ||
               manifest.error().kind == ErrorKind::io_failed) {
      damage_.push_back(manifest.error().message);
    } else {
      return pass(manifest.error());
    }
  }
  // What was spilled after the newest checkpoint is done again.
  remove_unneeded_runs(needed_files());
  return {};
}

Result<Manifest> Checkpoint::load_manifest(std::uint64_t number) {
  const std::string file = path(kManifestKind, number);
  const auto bytes = read_whole_file(files_, file, kManifestBytesMax);
  if (!bytes) return pass(bytes.error());
  auto manifest = Manifest::decode(*bytes);
  if (!manifest) return pass(manifest.error(), file);
  if (manifest->number != number) return corrupt(file, "it belongs to another number");
  // The older one is only a fall-back: it is verified when it has to be one, not at every start.
  if (current_) return manifest;
  if (auto whole = verify(*manifest); !whole) return pass(whole.error());
  return manifest;
}

Result<void> Checkpoint::verify(const Manifest& manifest) {
  std::map<std::uint64_t, std::vector<Extent>> per_file;
  for (const auto& [name, extents] : manifest.blobs) {
    for (const Extent& extent : extents) per_file[extent.file].push_back(extent);
  }
  Buffer piece;
  std::map<std::uint64_t, std::uint64_t> sizes;
  for (auto& [number, extents] : per_file) {
    const std::string where = path_of(number);
    auto file = files_.open(where, io::OpenMode::read);
    if (!file) return pass(file.error());
    const auto size = (*file)->size();
    if (!size) return pass(size.error());
    std::ranges::sort(extents, {}, &Extent::position);
    for (const Extent& extent : extents) {
      if (extent.position > *size || extent.length > *size - extent.position) {
        return corrupt(where, "it is shorter than its manifest says");
      }
      const auto crc = checksum(**file, extent, piece);
      if (!crc) return pass(crc.error());
      if (*crc != extent.crc) {
        return corrupt(
            where, "the checksum at byte " + std::to_string(extent.position) + " does not match");
      }
    }
    if (!is_run(number)) sizes[number] = *size;
  }
  file_sizes_ = std::move(sizes);
  return {};
}

std::optional<std::uint64_t> Checkpoint::size(std::string_view name) const {
  if (!has_blobs()) return std::nullopt;
  const auto at = blobs().find(name);
  if (at == blobs().end()) return std::nullopt;
  return length_of(at->second);
}

std::vector<std::string> Checkpoint::names(std::string_view prefix) const {
  std::vector<std::string> found;
  if (!has_blobs()) return found;
  for (auto at = blobs().lower_bound(prefix); at != blobs().end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    found.push_back(at->first);
  }
  return found;
}

Result<Buffer> Checkpoint::read(std::string_view name) const {
  Buffer bytes;
  if (auto done = read(name, bytes); !done) return pass(done.error());
  return bytes;
}

Result<void> Checkpoint::read(std::string_view name, Buffer& into) const {
  ADBROOK_ASSERT(!writing_, "blobs are read between checkpoints");
  const auto length = size(name);
  if (!length) {
    return fail(ErrorKind::not_found, "the checkpoint in '" + directory_ + "' has no blob '" +
                                          std::string(name) +
                                          "': another program version wrote it; remove the "
                                          "directory to build the state again from its inputs");
  }
  into.resize(*length);
  std::span<std::byte> left = into;
  for (const Extent& extent : current_->blobs.find(name)->second) {
    const std::string where = path_of(extent.file);
    auto file = files_.open(where, io::OpenMode::read);
    if (!file) return pass(file.error());
    const auto piece = left.first(extent.length);
    const auto got = (*file)->read_at(extent.position, piece);
    if (!got) return pass(got.error());
    if (*got != extent.length || crc32c(piece) != extent.crc) {
      return corrupt(where, "it has changed since it was verified");
    }
    left = left.subspan(extent.length);
  }
  return {};
}

Result<void> Checkpoint::begin(CheckpointHead head) {
  ADBROOK_ASSERT(!writing_, "one checkpoint is written at a time");
  whole_ = wants_whole();
  if (failed_) remove_unneeded();  // a full disk needs the room of the failed attempt
  draft_ = Manifest{next_number_++, std::move(head), whole_ ? Blobs{} : current_->blobs};
  failed_ = true;  // until commit() has returned
  flushed_ = 0;
  unflushed_.clear();
  result_ = {};
  auto file = files_.open(path(kBlobsKind, draft_.number), io::OpenMode::create_new);
  if (!file) return pass(file.error());
  file_ = std::move(*file);
  writing_ = true;
  return {};
}

bool Checkpoint::wants_whole() const {
  if (!current_ || failed_ || starts_over_) return true;
  const std::uint64_t stored = stored_bytes();
  return file_sizes_.size() > kFilesMax ||
         (stored > kGarbageFree && stored - live_bytes() > stored / 2);
}

bool Checkpoint::can_extend(std::string_view name, std::uint64_t expected) const {
  const auto at = blobs().find(name);
  return at != blobs().end() && at->second.size() < kExtentsPerBlobMax &&
         length_of(at->second) == expected;
}

std::vector<Extent>& Checkpoint::emptied(std::string_view name) {
  ADBROOK_ASSERT(writing_, "blobs change between begin() and commit()");
  auto at = draft_.blobs.find(name);
  if (at == draft_.blobs.end()) at = draft_.blobs.try_emplace(std::string(name)).first;
  at->second.clear();
  return at->second;
}

std::vector<Extent>& Checkpoint::existing(std::string_view name) {
  ADBROOK_ASSERT(writing_, "blobs change between begin() and commit()");
  const auto at = draft_.blobs.find(name);
  ADBROOK_ASSERT(at != draft_.blobs.end(), "only a blob that exists can be extended");
  return at->second;
}

void Checkpoint::replace(std::string_view name, ByteView bytes) {
  write_extent(emptied(name), bytes);
}

void Checkpoint::extend(std::string_view name, ByteView bytes) {
  write_extent(existing(name), bytes);
}

std::uint64_t Checkpoint::replace_in_pieces(std::string_view name, Visit<Buffer&, Visit<>> fill) {
  return write_pieces(emptied(name), fill);
}

std::uint64_t Checkpoint::extend_in_pieces(std::string_view name, Visit<Buffer&, Visit<>> fill) {
  return write_pieces(existing(name), fill);
}

void Checkpoint::refer(std::string_view name, const Extent& extent) {
  ADBROOK_ASSERT(writing_, "blobs change between begin() and commit()");
  if (result_) keep_error(runs_->sync(extent.file));
  Extent marked = extent;
  marked.file |= kRunFileBit;
  draft_.blobs[std::string(name)] = {marked};
}

void Checkpoint::spoil(const Error& error) {
  ADBROOK_ASSERT(writing_, "a checkpoint is spoilt while it is written");
  if (result_) result_ = std::unexpected(error);
}

void Checkpoint::drop(std::string_view name) {
  ADBROOK_ASSERT(writing_, "blobs change between begin() and commit()");
  const auto at = draft_.blobs.find(name);
  if (at != draft_.blobs.end()) draft_.blobs.erase(at);
}

void Checkpoint::drop_others(std::string_view store, const std::set<std::string>& kept) {
  for (const std::string& name : names(blob_name(store, ""))) {
    if (!kept.contains(name)) drop(name);
  }
}

void Checkpoint::write_extent(std::vector<Extent>& extents, ByteView bytes) {
  if (!result_ || bytes.empty()) return;
  extents.push_back({draft_.number, flushed_ + unflushed_.size(), bytes.size(), crc32c(bytes)});
  if (unflushed_.size() + bytes.size() > kWriteSize) flush();
  if (bytes.size() < kWriteSize) {
    append(unflushed_, bytes);
  } else if (result_) {
    keep_error(file_->write_at(flushed_, bytes));
    flushed_ += bytes.size();
  }
}

// They are filled into the buffer that goes to the file, so that nothing is copied. After an error
// they are dropped.
std::uint64_t Checkpoint::write_pieces(std::vector<Extent>& extents, Visit<Buffer&, Visit<>> fill) {
  Extent extent{draft_.number, flushed_ + unflushed_.size(), 0, 0};
  std::size_t begin = unflushed_.size();
  const auto take = [&] {
    const ByteView piece = ByteView(unflushed_).subspan(begin);
    extent.crc = crc32c(piece, extent.crc);
    extent.length += piece.size();
    begin = unflushed_.size();
  };
  auto pass_on = [&] {
    if (unflushed_.size() < kWriteSize) return;
    take();
    flush();
    unflushed_.clear();
    begin = 0;
  };
  fill(unflushed_, Visit<>(pass_on));
  take();
  if (extent.length > 0) extents.push_back(extent);
  return extent.length;
}

void Checkpoint::flush() {
  if (!result_ || unflushed_.empty()) return;
  keep_error(file_->write_at(flushed_, unflushed_));
  flushed_ += unflushed_.size();
  unflushed_.clear();
}

void Checkpoint::keep_error(Result<void> done) {
  if (result_ && !done) result_ = pass(done.error(), path(kBlobsKind, draft_.number));
}

Result<void> Checkpoint::commit() {
  ADBROOK_ASSERT(writing_, "commit() ends what begin() started");
  flush();
  io::failpoint("checkpoint-sync");
  if (result_) keep_error(file_->sync());
  file_.reset();
  if (result_) keep_error(files_.sync_directory(directory_));
  if (result_) {
    io::failpoint("checkpoint-publish");
    keep_error(write_file_atomically(files_, path(kManifestKind, draft_.number), draft_.encode()));
  }
  writing_ = false;
  whole_ = false;
  if (!result_) return result_;
  io::failpoint("checkpoint-published");
  publish();
  return {};
}

void Checkpoint::publish() {
  failed_ = starts_over_ = false;
  previous_ = std::move(current_);
  current_ = std::move(draft_);
  draft_ = {};
  std::map<std::uint64_t, std::uint64_t> sizes;
  for (const auto& [name, extents] : current_->blobs) {
    for (const Extent& extent : extents) {
      if (is_run(extent.file)) continue;
      sizes[extent.file] = extent.file == current_->number ? flushed_ : file_sizes_[extent.file];
    }
  }
  file_sizes_ = std::move(sizes);
  remove_unneeded();
}

std::set<std::uint64_t> Checkpoint::needed_files() const {
  std::set<std::uint64_t> files;
  for (const auto* manifest : {&current_, &previous_}) {
    if (!*manifest) continue;
    for (const auto& [name, extents] : (*manifest)->blobs) {
      for (const Extent& extent : extents) files.insert(extent.file);
    }
  }
  return files;
}

// Errors are no harm here: what stays is tried again after the next checkpoint.
void Checkpoint::remove_unneeded() {
  const auto names = files_.list(directory_);
  if (!names) return;
  const auto needed = needed_files();
  std::vector<std::uint64_t> blobs_files;
  for (const std::string& name : *names) {
    const auto manifest = number_in(name, kManifestKind);
    const bool kept = manifest && ((current_ && current_->number == *manifest) ||
                                   (previous_ && previous_->number == *manifest));
    if ((manifest && !kept) || name.ends_with(".tmp")) {
      static_cast<void>(files_.remove(directory_ + "/" + name));
    }
    if (const auto blobs = number_in(name, kBlobsKind); blobs && !needed.contains(*blobs)) {
      blobs_files.push_back(*blobs);
    }
  }
  // A manifest must not come back after a crash when its blobs are gone.
  if (!files_.sync_directory(directory_)) return;
  for (const std::uint64_t number : blobs_files) {
    io::failpoint("checkpoint-remove");
    static_cast<void>(files_.remove(path(kBlobsKind, number)));
  }
  remove_unneeded_runs(needed);
}

void Checkpoint::remove_unneeded_runs(const std::set<std::uint64_t>& needed) {
  std::set<std::uint64_t> numbers;
  for (const std::uint64_t file : needed)
    if (is_run(file)) numbers.insert(file & ~kRunFileBit);
  runs_->remove_others(numbers);
}

std::uint64_t Checkpoint::stored_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [number, size] : file_sizes_) bytes += size;
  return bytes;
}

std::uint64_t Checkpoint::live_bytes() const {
  std::uint64_t bytes = 0;
  if (!current_) return bytes;
  for (const auto& [name, extents] : current_->blobs)
    if (extents.empty() || !is_run(extents.front().file)) bytes += length_of(extents);
  return bytes;
}

std::string blob_name(std::string_view store, std::string_view part) {
  ADBROOK_ASSERT(!store.contains(':'), "a store's name has no colon");
  return std::string(store) + ":" + std::string(part);
}

std::unexpected<Error> unreadable_blob(std::string_view store, std::string_view blob) {
  return fail(ErrorKind::corrupt,
              "the checkpoint of store '" + std::string(store) + "' cannot be read: blob '" +
                  std::string(blob) +
                  "' is not as this version writes it; remove the task's state directory to build "
                  "the state again from its inputs");
}

}  // namespace adbrook::state
