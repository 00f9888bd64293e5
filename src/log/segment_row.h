// One row of a segment's .times file: where a batch is, and when the log took it.
// Format: docs/formats/segment.md. Pure functions over bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::log {

inline constexpr std::size_t kSegmentRowSize = 32;

struct SegmentRow {
  Offset first;
  std::uint32_t position = 0;
  std::uint32_t size = 0;
  Timestamp append_time;
  Timestamp max_timestamp;
};

// `base` is the segment's: a row read in another segment is refused.
void encode_segment_row(Buffer& to, Offset base, const SegmentRow& row);
// corrupt when its checksum does not hold. `bytes` has kSegmentRowSize bytes.
Result<SegmentRow> read_segment_row(ByteView bytes, Offset base);

}  // namespace adbrook::log
