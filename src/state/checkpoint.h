// A task's state on disk: named blobs, of which a new checkpoint writes only what changed, and a
// manifest that makes all of it valid at one moment. The files are drawn in
// docs/formats/checkpoint.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "io/file_system.h"

namespace adbrook::state {

// Where a task reads on in one of its inputs.
struct InputPosition {
  std::string input;
  Offset offset;
  friend bool operator==(const InputPosition&, const InputPosition&) = default;
};

// What a manifest says about the moment it stands for.
struct CheckpointHead {
  std::uint64_t commit_number = 0;
  std::uint64_t topology_fingerprint = 0;
  std::vector<InputPosition> positions;
  friend bool operator==(const CheckpointHead&, const CheckpointHead&) = default;
};

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

  // Of the blobs as they stand: while a checkpoint is being written, with its changes.
  bool contains(std::string_view name) const;
  std::optional<std::uint64_t> size(std::string_view name) const;
  std::vector<std::string> names(std::string_view prefix) const;
  // The whole blob, its checksums verified. Only between commits, not after begin().
  Result<Buffer> read(std::string_view name) const;

  // Starts a new checkpoint. Nothing is visible to open() before commit() returned.
  Result<void> begin(CheckpointHead head);
  // True while every blob must be written again: the first one, after a failure, when more than
  // half of the stored bytes are garbage, or when a named limit of pieces is reached.
  bool whole() const { return whole_; }
  void replace(std::string_view name, ByteView bytes);
  // Appends to a blob that exists.
  void extend(std::string_view name, ByteView bytes);
  void drop(std::string_view name);
  // Returns when the new checkpoint is on the disk; then removes files nobody needs.
  Result<void> commit();

  // Bytes on disk of the kept checkpoints, and of those the bytes the newest one refers to.
  std::uint64_t stored_bytes() const;
  std::uint64_t live_bytes() const;

 private:
  struct Extent {
    std::uint64_t file = 0;  // number of the blob file
    std::uint64_t position = 0;
    std::uint64_t length = 0;
    std::uint32_t crc = 0;
  };
  using Blobs = std::map<std::string, std::vector<Extent>, std::less<>>;
  struct Manifest {
    std::uint64_t number = 0;
    CheckpointHead head;
    Blobs blobs;
  };

  Checkpoint(io::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  static Buffer encode(const Manifest& manifest);
  static Result<Manifest> decode(ByteView bytes);
  static std::map<std::uint64_t, std::uint64_t> bytes_per_file(const Manifest& manifest);

  std::string path(std::string_view kind, std::uint64_t number) const;
  Result<Manifest> load_manifest(std::uint64_t number) const;
  Result<void> verify(const Manifest& manifest) const;
  Result<void> read_extent(const Extent& extent, std::span<std::byte> into) const;
  bool wants_whole() const;
  void write_extent(std::vector<Extent>& extents, ByteView bytes);
  Result<void> flush();
  Result<void> publish();
  void remove_unneeded();

  io::FileSystem& files_;
  std::string directory_;
  std::optional<Manifest> current_;
  std::optional<Manifest> previous_;
  std::vector<std::string> damage_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, std::uint64_t> file_sizes_;  // of the blob files in the directory

  // The one being written.
  bool writing_ = false;
  bool whole_ = true;
  bool failed_ = false;
  Manifest draft_;
  std::unique_ptr<io::File> file_;
  std::uint64_t flushed_ = 0;
  Buffer unflushed_;
  Result<void> result_;
};

}  // namespace adbrook::state
