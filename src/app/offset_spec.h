// Where to begin in a partition, as people write it: beginning, end, 1000, -10, @2026-01-03, @-1h.
#pragma once

#include <optional>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "bus/bus.h"

namespace adbrook::app {

struct OffsetSpec {
  enum class Kind { beginning, end, offset, before_end, time };
  Kind kind = Kind::beginning;
  std::int64_t count = 0;  // an offset, or how many before the end
  Timestamp time;
};

// "beginning" or "earliest", "end" or "latest", N, -N, @TIME where TIME is RFC 3339, ms since 1970,
// or -1h for an hour before `now`. `flag` is what the error names.
Result<OffsetSpec> parse_offset_spec(std::string_view text, Timestamp now, std::string_view flag);

// The offset in a partition with these ends, inside [start, end]. `at_time` is the first offset at
// or after the time, absent when there is none: then the end.
Offset resolve(const OffsetSpec& spec, const bus::Ends& ends, std::optional<Offset> at_time);

}  // namespace adbrook::app
