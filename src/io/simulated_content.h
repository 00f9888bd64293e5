// What one simulated file holds: the bytes a reader sees, the bytes that are surely on the disk,
// and the changes in between, of which a power loss keeps an arbitrary legal part.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "io/random.h"

namespace adbrook::io {

// Owned by one thread.
class SimulatedContent {
 public:
  // The unit that a disk writes whole as a rule; a torn sector is a mix of two of its versions.
  static constexpr std::size_t kSectorSize = 512;

  std::uint64_t size() const { return visible_.size(); }
  std::size_t read(std::uint64_t position, std::span<std::byte> into) const;
  void write(std::uint64_t position, ByteView bytes);
  void truncate(std::uint64_t size);

  // Everything written so far is on the disk.
  void sync();
  // As Linux does when a sync fails: some changes reached the disk, the others are forgotten,
  // though readers go on seeing them. A later sync covers only later changes.
  void fail_sync(Random& random);
  // What a power loss leaves is what readers see from now on.
  void crash(Random& random);

 private:
  // A write of `bytes` at `position`, or, when `cuts` is set, a truncation to `position`.
  struct Change {
    std::uint64_t position;
    Buffer bytes;
    bool cuts;
    std::uint64_t size_before;
    std::uint64_t size_after;

    std::uint64_t end() const;  // of the bytes that it touches
  };

  static void apply(Buffer& to, const Change& change);
  static void apply_within(std::span<std::byte> sector, std::uint64_t sector_begin,
                           const Change& change);
  Buffer survivors(Random& random) const;
  Buffer survivors_in_order(std::size_t change_count, Random& random) const;
  Buffer survivors_by_sector(Random& random) const;
  std::uint64_t surviving_size(std::size_t change_count, Random& random) const;
  void survive_sector(std::span<std::byte> sector, std::uint64_t sector_begin,
                      std::span<const std::size_t> changes, std::size_t change_count,
                      Random& random) const;

  Buffer visible_;
  Buffer durable_;
  std::vector<Change> changes_;  // since the last sync, in order
};

}  // namespace adbrook::io
