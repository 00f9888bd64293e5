// The final record of one impression, as it lies in the topic `impression-summaries`.
// Format: schemas/impression-summary.avsc.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ads/output_value.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

struct SummaryClick {
  Uuid id;
  Timestamp timestamp;
  friend auto operator<=>(const SummaryClick&, const SummaryClick&) = default;
};

// More joined clicks of one impression are in `attributed-clicks` only: with all of them a record
// could become larger than any that can be written.
inline constexpr std::size_t kSummaryClickCountMax = 300'000;

// Views are the caller's. Clicks are sorted by (time, id).
struct ImpressionSummary {
  Uuid id;
  Timestamp timestamp;
  ReportedUnder under;
  std::optional<std::int64_t> price_micros;
  std::string_view currency;
  std::span<const SummaryClick> clicks;
};

// The exact size of the whole value, then the value into exactly that many bytes.
std::size_t value_size(const ImpressionSummary& summary);
void write_value(std::span<std::byte> to, const ImpressionSummary& summary);

// Texts view into `value`; the clicks are copied into `clicks`.
Result<ImpressionSummary> read_impression_summary(ByteView value,
                                                  std::vector<SummaryClick>& clicks);

}  // namespace adbrook::ads
