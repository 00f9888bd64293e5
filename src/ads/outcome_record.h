// How one received event ended, as it lies in `click-outcomes` and `impression-outcomes`.
// Format: schemas/outcome.avsc. Every click has one; an impression has one unless it was counted.
#pragma once

#include <optional>
#include <string_view>

#include "ads/output_value.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

struct OutcomeRecord {
  std::optional<Uuid> id;  // absent when the event could not be read
  std::string_view topic;  // where it was received first
  std::int32_t partition = 0;
  Offset offset;
  std::optional<Timestamp> timestamp;
  std::string_view outcome;
  std::string_view reason;  // empty = none
  std::optional<Uuid> impression_id;
  std::optional<Timestamp> impression_timestamp;
};

// Appends the whole value.
void encode(const OutcomeRecord& record, Buffer& to);
// Texts view into `value`.
Result<OutcomeRecord> read_outcome(ByteView value);

}  // namespace adbrook::ads
