// A few of the newest events that ended in one way, for people who ask what such events look like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ads/event_search.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

struct OutcomeSampleQuery {
  std::string topic;                  // impressions or clicks
  std::string outcome;                // anything but counted: those have no record of their own
  std::optional<std::string> reason;  // absent: any; empty: none
  std::size_t limit = 20;
};

struct OutcomeSample {
  std::optional<Uuid> id;  // absent when the event could not be read
  std::int32_t partition = 0;
  Offset offset;
  std::optional<Timestamp> timestamp;
  std::string reason;
  Timestamp decided;  // when the log took the outcome
};

inline constexpr std::size_t kOutcomeSamplesMax = 200;
// Only so many records at the end of each partition are looked at.
inline constexpr std::int64_t kOutcomeSampleDepth = 20'000;

// invalid: another topic, or counted. The newest come first.
void outcome_samples(EventSearch& search, bus::Bus& bus, OutcomeSampleQuery query,
                     Answer<std::vector<OutcomeSample>> answer);

std::string to_json(const std::vector<OutcomeSample>& samples);

}  // namespace adbrook::ads
