#include "ads/live_totals.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>

namespace adbrook::ads {
namespace {

std::int64_t& spend_in(std::vector<LiveTap::Spend>& spends, const std::string& currency) {
  auto at = std::ranges::lower_bound(spends, currency, {}, &LiveTap::Spend::currency);
  if (at == spends.end() || at->currency != currency) at = spends.insert(at, {currency, 0});
  return at->micros;
}

LiveTotals::Ended difference(const LiveTotals::Ended& a, const LiveTotals::Ended& b) {
  LiveTotals::Ended result{};
  std::ranges::transform(a, b, result.begin(), std::minus());
  return result;
}

}  // namespace

void LiveTotals::add(const stream::TaskView& task, const LiveTap& tap) {
  task.counts().for_each(
      [&](stream::Arrival arrival, stream::Outcome outcome, std::string_view, std::uint64_t count) {
        const std::string& topic = task.inputs()[arrival.input].origin_topic;
        Ended& ended = topic == kImpressionsTopic ? impressions : clicks;
        ended[static_cast<std::size_t>(outcome)] += count;
      });
  for (const LiveTap::Spend& spend : tap.spends()) spend_in(spends, spend.currency) += spend.micros;
}

LiveTotals LiveTotals::since(const LiveTotals& before) const {
  LiveTotals result{difference(impressions, before.impressions), difference(clicks, before.clicks),
                    spends};
  for (const LiveTap::Spend& spend : before.spends)
    spend_in(result.spends, spend.currency) -= spend.micros;
  std::erase_if(result.spends, [](const LiveTap::Spend& spend) { return spend.micros == 0; });
  return result;
}

std::uint64_t LiveTotals::ended_total() const {
  return std::accumulate(clicks.begin(), clicks.end(),
                         std::accumulate(impressions.begin(), impressions.end(), std::uint64_t{0}));
}

}  // namespace adbrook::ads
