// A task's state on disk: named blobs, of which a new checkpoint writes only what changed, and a
// manifest that makes all of it valid at one moment. The files are drawn in
// docs/formats/checkpoint.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file_system.h"
#include "state/manifest.h"
#include "state/run_files.h"
#include "state/visit.h"

namespace adbrook::state {

// Owned by one thread, which is also the only user of the directory.
//
//   begin(head); store.save(checkpoint, "name") for each store; commit();
//
// The newest checkpoint and the one before it are kept. Errors of replace/extend/drop are kept and
// returned by commit(); after any failure the last checkpoint is as it was, the failed file is not
// touched again, and the next begin() asks for everything (`whole()`).
class Checkpoint {
 public:
  // Finds the newest checkpoint all of whose bytes match their checksums; a directory without one
  // gives an empty object. What had to be passed over stands in damage(), for the log.
  static Result<std::unique_ptr<Checkpoint>> open(io::FileSystem& files, std::string directory);

  bool empty() const { return !current_.has_value(); }
  const CheckpointHead& head() const;  // only when not empty
  // The oldest one that open() could still fall back to: its positions must stay readable.
  const CheckpointHead& oldest_head() const;  // only when not empty
  const std::vector<std::string>& damage() const { return damage_; }

  // Of the blobs as they stand; while a checkpoint is being written, with its changes.
  std::optional<std::uint64_t> size(std::string_view name) const;
  std::vector<std::string> names(std::string_view prefix) const;
  // The whole blob, its checksums verified. Not between begin() and commit().
  Result<Buffer> read(std::string_view name) const;
  // As that, into a buffer that many blobs may be read into, one after the other.
  Result<void> read(std::string_view name, Buffer& into) const;

  // Starts a new checkpoint. Nothing of it is visible to open() before commit() returned.
  Result<void> begin(CheckpointHead head);
  // What is stored is of no use to what comes: the next checkpoint begins without any blob of it.
  void start_over() { starts_over_ = true; }
  // True while every blob must be written again: the first one, after a failure or start_over(),
  // when more than half of the stored bytes are garbage, or when there are too many files.
  bool whole() const { return whole_; }
  // True if the stored blob is the first `size` bytes of what it has to become, so that extend() is
  // enough. False also when it is in so many pieces that replace() is better.
  bool can_extend(std::string_view name, std::uint64_t size) const;
  void replace(std::string_view name, ByteView bytes);
  void extend(std::string_view name, ByteView bytes);  // only after can_extend()
  // replace() or, after can_extend(), extend() of a blob that never lies in memory as a whole: what
  // `fill` appends to the buffer it gets goes to the file whenever fill calls the function that it
  // gets beside, and at its end. Returns the bytes that were added.
  std::uint64_t replace_in_pieces(std::string_view name, Visit<Buffer&, Visit<>> fill);
  std::uint64_t extend_in_pieces(std::string_view name, Visit<Buffer&, Visit<>> fill);
  // The blob is this piece of a file of runs(), which is synced with the checkpoint. Opening the
  // checkpoint verifies it, and the file is kept as long as a kept checkpoint refers to it.
  void refer(std::string_view name, const Extent& extent);
  void drop(std::string_view name);
  // Makes commit() fail with this error: what was to be saved is not to be trusted.
  void spoil(const Error& error);
  // Drops every blob of this store that is not in `kept`.
  void drop_others(std::string_view store, const std::set<std::string>& kept);
  // Returns when the new checkpoint is on the disk; then removes files nobody needs.
  Result<void> commit();

  // Where stores spill to. What is written there counts only with the next checkpoint.
  const std::shared_ptr<RunFiles>& runs() const { return runs_; }

  // Bytes of the blobs files that the newest checkpoint refers to, and the part it does refer to.
  std::uint64_t stored_bytes() const;
  std::uint64_t live_bytes() const;

 private:
  Checkpoint(io::FileSystem& files, std::string directory)
      : files_(files),
        directory_(std::move(directory)),
        runs_(std::make_shared<RunFiles>(files, directory_)) {}

  std::string path_of(std::uint64_t file) const;
  std::string path(std::string_view kind, std::uint64_t number) const;
  Result<void> find_newest();
  Result<Manifest> load_manifest(std::uint64_t number);
  Result<void> verify(const Manifest& manifest);
  const Blobs& blobs() const { return writing_ ? draft_.blobs : current_->blobs; }
  bool has_blobs() const { return writing_ || current_.has_value(); }
  bool wants_whole() const;
  std::vector<Extent>& emptied(std::string_view name);
  std::vector<Extent>& existing(std::string_view name);
  void write_extent(std::vector<Extent>& extents, ByteView bytes);
  std::uint64_t write_pieces(std::vector<Extent>& extents, Visit<Buffer&, Visit<>> fill);
  void flush();
  void keep_error(Result<void> done);
  void publish();
  std::set<std::uint64_t> needed_files() const;
  void remove_unneeded();
  void remove_unneeded_runs(const std::set<std::uint64_t>& needed);

  io::FileSystem& files_;
  std::string directory_;
  std::shared_ptr<RunFiles> runs_;
  std::optional<Manifest> current_;
  std::optional<Manifest> previous_;
  std::vector<std::string> damage_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, std::uint64_t> file_sizes_;  // of the blobs files that are referred to

  // The one being written.
  bool writing_ = false;
  bool whole_ = true;
  bool failed_ = false;  // the last attempt
  bool starts_over_ = false;
  Manifest draft_;
  std::unique_ptr<io::File> file_;
  std::uint64_t flushed_ = 0;
  Buffer unflushed_;
  Result<void> result_;
};

// "store:part". Store names are unique and have no colon.
std::string blob_name(std::string_view store, std::string_view part);

// For a store's load(): the checksum holds, and still the blob is not what its store writes.
std::unexpected<Error> unreadable_blob(std::string_view store, std::string_view blob);

}  // namespace adbrook::state
