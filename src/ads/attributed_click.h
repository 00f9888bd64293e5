// A click joined with its impression, as it lies in the topic `attributed-clicks`.
// Format: schemas/attributed-click.avsc.
#pragma once

#include "ads/output_value.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

struct AttributedClick {
  Uuid id;
  Timestamp timestamp;
  Uuid impression_id;
  Timestamp impression_timestamp;
  ReportedUnder under;  // the impression's
};

// Appends the whole value.
void encode(const AttributedClick& click, Buffer& to);
// Texts view into `value`.
Result<AttributedClick> read_attributed_click(ByteView value);

}  // namespace adbrook::ads
