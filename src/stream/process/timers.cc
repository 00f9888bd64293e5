#include "stream/process/timers.h"

#include <algorithm>

namespace adbrook::stream {

namespace {

constexpr std::string_view kBlob = "timers";

}  // namespace

bool Timers::is_due(Timer& timer, Timestamp now) {
  if (timer.next && now < *timer.next) return false;
  const bool begins = !timer.next;
  if (timer.clock == TimerClock::event_time) {
    timer.next = bucket_start(now, timer.every) + timer.every;
    return true;
  }
  const Timestamp from = timer.next.value_or(now);
  timer.next = from + timer.every * ((now - from) / timer.every + 1);
  return !begins;
}

std::optional<Timestamp> Timers::next_clock() const {
  std::optional<Timestamp> first;
  for (const Timer& timer : timers_) {
    if (timer.clock != TimerClock::wall) continue;
    const Timestamp next = timer.next.value_or(Timestamp::lowest());
    first = std::min(first.value_or(next), next);
  }
  return first;
}

// In the order of the timers: eight bytes each, lowest() for one that has not begun.
void Timers::save(state::Checkpoint& checkpoint, std::string_view store) const {
  if (timers_.empty()) return;
  Buffer bytes;
  for (const Timer& timer : timers_) append_le(bytes, timer.next.value_or(Timestamp::lowest()).ms);
  checkpoint.replace(state::blob_name(store, kBlob), bytes);
}

Result<void> Timers::load(const state::Checkpoint& checkpoint, std::string_view store) {
  if (timers_.empty()) return {};
  const auto blob = checkpoint.read(state::blob_name(store, kBlob));
  if (!blob) return std::unexpected(blob.error());
  if (blob->size() != timers_.size() * sizeof(std::int64_t))
    return state::unreadable_blob(store, kBlob);
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    const Timestamp next{load_le<std::int64_t>(blob->data() + i * sizeof(std::int64_t))};
    if (next != Timestamp::lowest()) timers_[i].next = next;
  }
  return {};
}

}  // namespace adbrook::stream
