// Batches with fewer records, as compaction leaves them. Described in docs/formats/record-batch.md.
// Pure functions over bytes.
#pragma once

#include <optional>
#include <vector>

#include "record/batch.h"

namespace adbrook::record {

// When what marks an absence in the batch (a deletion, the end of a transaction without records)
// may go; set by compaction. It stands where the base timestamp does, and the records count from
// it.
std::optional<Timestamp> delete_horizon(const BatchHeader& header);

// The same batch with fewer records, those that `keep` (one for each) says, at least one. Offsets,
// times, keys, values and headers stay, as do the codec, the producer and the span of offsets.
// `horizon`: set when given, else as it was. Errors as of recompress().
Result<Buffer> keep_records(ByteView batch, const std::vector<bool>& keep,
                            std::optional<Timestamp> horizon, Bytes decompressed_max);

}  // namespace adbrook::record
