// The list of what a checkpoint consists of, as it stands in its manifest file: drawn in
// docs/formats/checkpoint.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

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

// In the number of a file: it is one of spilled entries, not of blobs.
inline constexpr std::uint64_t kRunFileBit = std::uint64_t{1} << 63;

// A piece of a blob: bytes of a blobs file, or of a file of spilled entries.
struct Extent {
  std::uint64_t file = 0;  // its number, perhaps with kRunFileBit
  std::uint64_t position = 0;
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

using Blobs = std::map<std::string, std::vector<Extent>, std::less<>>;

struct Manifest {
  std::uint64_t number = 0;
  CheckpointHead head;
  Blobs blobs;
  friend bool operator==(const Manifest&, const Manifest&) = default;

  Buffer encode() const;
  // corrupt: these are not the bytes of a manifest; unsupported: of another format version.
  static Result<Manifest> decode(ByteView bytes);
};

}  // namespace adbrook::state
