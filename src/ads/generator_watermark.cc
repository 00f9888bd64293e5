#include "ads/generator_watermark.h"

#include <algorithm>

#include "base/hash.h"

namespace adbrook::ads {
namespace {

constexpr std::int64_t kDisorderMs = 10'000;
constexpr std::int64_t kSkewCapMs = 300'000;

}  // namespace

SentWatermark::SentWatermark(std::int32_t partition_count)
    : partition_count_(partition_count),
      impressions_(static_cast<std::size_t>(partition_count)),
      clicks_(static_cast<std::size_t>(partition_count)),
      linked_clicks_(static_cast<std::size_t>(partition_count * partition_count)) {}

// An event far above the largest confirmed time moves it only when a second one agrees.
void SentWatermark::Input::sent(std::int64_t ms) {
  if (!is_used()) {
    largest_ms = ms;
  } else if (ms <= largest_ms + kSkewCapMs) {
    largest_ms = std::max(largest_ms, ms);
  } else if (candidate_ms <= largest_ms + kSkewCapMs) {
    candidate_ms = ms;
  } else {
    largest_ms = std::min(candidate_ms, ms);
    candidate_ms = Timestamp::lowest().ms;
  }
}

std::size_t SentWatermark::partition_of(Uuid id) const {
  const auto text = id.text();
  return static_cast<std::size_t>(
      kafka_partition(as_bytes(std::string_view(text.data(), text.size())), partition_count_));
}

void SentWatermark::sent(const SyntheticEvent& event) {
  const std::size_t partition = partition_of(event.id);
  if (event.kind == EventKind::impression) {
    impressions_[partition].sent(event.time.ms);
    return;
  }
  clicks_[partition].sent(event.time.ms);
  if (!event.is_linked) return;
  const std::size_t target = partition_of(event.impression_id);
  linked_clicks_[partition * static_cast<std::size_t>(partition_count_) + target].sent(
      event.time.ms);
}

Timestamp SentWatermark::reached() const {
  std::int64_t smallest = Timestamp::highest().ms;
  for (const auto* inputs : {&impressions_, &clicks_}) {
    for (const Input& input : *inputs) {
      if (!input.is_used()) return Timestamp::lowest();
      smallest = std::min(smallest, input.largest_ms);
    }
  }
  for (const Input& input : linked_clicks_)
    if (input.is_used()) smallest = std::min(smallest, input.largest_ms);
  return {smallest - kDisorderMs};
}

}  // namespace adbrook::ads
