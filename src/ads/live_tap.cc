#include "ads/live_tap.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace adbrook::ads {

void LiveTap::spend(std::string_view currency, std::int64_t micros) {
  if (micros == 0) return;
  auto at = std::ranges::find(spends_, currency, &Spend::currency);
  if (at == spends_.end()) {
    if (spends_.size() == kCurrencyCountMax) return;
    at = spends_.insert(at, {std::string(currency), 0});
  }
  at->micros += micros;
}

LiveTap::Sample LiveTap::take(bool watched) {
  watched_ = watched;
  for (auto& events : kept_) {
    std::ranges::move(events, std::back_inserter(sample_.events));
    events.clear();
  }
  return std::exchange(sample_, {});
}

}  // namespace adbrook::ads
