// Brings the log's state to the last whole write-ahead entry. Formats: docs/formats/wal.md says
// where the log ends, docs/formats/data-directory.md in which order things are read.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "log/data_directory.h"
#include "log/log_state.h"

namespace adbrook::log {

struct Recovered {
  std::uint64_t last_sequence = 0;
  std::uint64_t replayed_count = 0;    // entries
  std::uint64_t next_file = 1;         // no write-ahead file has this number or a higher one
  std::vector<std::uint64_t> spares;   // files that nobody needs
  std::vector<std::uint64_t> covered;  // needed until a new checkpoint is on the disk
};

// The state has the checkpoint's content and more; the segments have the bytes, unsynced. Does the
// same again after a crash anywhere inside. corrupt: damage that must not be hidden.
Result<Recovered> recover(io::FileSystem& files, const DataDirectory& directory,
                          const Checkpoint& checkpoint, LogState& state);

}  // namespace adbrook::log
