#include "app/live_windows.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace adbrook::app {
namespace {

using stream::Outcome;

Timestamp slot_begin(Timestamp time) { return bucket_start(time, kLiveSlotSize); }

}  // namespace

std::vector<LiveSlot> LiveWindows::look(Timestamp now, ads::LiveTotals totals) {
  Look look{now, std::move(totals)};
  std::vector<LiveSlot> complete;
  if (!last_)
    open_.begin = slot_begin(now);
  else
    complete = share_out(*last_, look);
  if (looks_.empty() || now - looks_.back().time >= kLookDistance) looks_.push_back(look);
  while (looks_.size() > 1 && now - looks_[1].time >= kLiveWindows.back()) looks_.pop_front();
  last_ = std::move(look);
  return complete;
}

std::vector<LiveSlot> LiveWindows::share_out(const Look& before, const Look& after) {
  const ads::LiveTotals change = after.totals.since(before.totals);
  const auto impressions = static_cast<double>(change.impressions_as(Outcome::counted));
  const auto clicks =
      static_cast<double>(change.clicks_as(Outcome::joined) + change.clicks_as(Outcome::unlinked));
  const auto length = static_cast<double>((after.time - before.time).count());
  std::vector<LiveSlot> complete;
  Timestamp begin = before.time;
  // A process that slept has only the newest slots to fill.
  const Timestamp first = slot_begin(after.time) - kLiveSlotSize * kLiveSlotCount;
  if (open_.begin < first) open_ = {first};
  for (;;) {
    const Timestamp end = std::min(after.time, open_.begin + kLiveSlotSize);
    const auto part = static_cast<double>(std::max<std::int64_t>(0, (end - begin).count()));
    const double share = length > 0 ? part / length : 1;
    open_.impressions += impressions * share;
    open_.clicks += clicks * share;
    if (after.time < open_.begin + kLiveSlotSize) break;
    complete.push_back(open_);
    slots_.push_back(open_);
    if (slots_.size() > kLiveSlotCount) slots_.pop_front();
    begin = end;
    open_ = {open_.begin + kLiveSlotSize};
  }
  return complete;
}

LiveWindow LiveWindows::window(Millis size) const {
  ADBROOK_ASSERT(last_.has_value(), "there is no window before the first look");
  const Timestamp begin = last_->time - size;
  // The newest look at or before the begin, else the oldest one there is.
  auto after = std::ranges::upper_bound(looks_, begin, {}, &Look::time);
  const Look& from = after == looks_.begin() ? looks_.front() : *std::prev(after);
  return {size, std::min(size, Millis(last_->time - from.time)), last_->totals.since(from.totals)};
}

}  // namespace adbrook::app
