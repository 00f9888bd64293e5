#include "broker/arrivals.h"

#include <algorithm>

namespace adbrook::broker {

void Arrivals::take_locked(std::uint64_t ticket, std::vector<Wake>& woken) {
  auto node = waiting_.extract(ticket);
  if (node.empty()) return;
  deadlines_.erase({node.mapped().deadline, ticket});
  for (const log::PartitionId partition : node.mapped().partitions) {
    const auto watched = watched_.find(partition);
    if (watched == watched_.end()) continue;
    watched->second.tickets.erase(ticket);
    if (watched->second.tickets.empty() && !watched->second.registered) watched_.erase(watched);
  }
  woken.push_back(std::move(node.mapped().wake));
}

void Arrivals::wait(const std::vector<Place>& places, Nanos deadline, Wake wake) {
  std::vector<Place> fresh;
  std::uint64_t ticket = 0;
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    ticket = next_ticket_++;
    stopped = stopped_;
    Waiting& waiting = waiting_[ticket];
    waiting.wake = std::move(wake);
    waiting.deadline = deadline;
    deadlines_.emplace(deadline, ticket);
    for (const Place& place : places) {
      waiting.partitions.push_back(place.partition);
      Watched& watched = watched_[place.partition];
      watched.tickets.insert(ticket);
      if (!std::exchange(watched.registered, true)) fresh.push_back(place);
    }
    arm_locked();
  }
  for (const Place& place : fresh) watch(place.partition, place.visible);
  // Something may have come since the reader looked, also where another waiter is registered with a
  // later end.
  const bool late = std::ranges::any_of(places, [&](const Place& place) {
    return log_.ends(place.partition).visible > place.visible;
  });
  if (!late && !stopped) return;
  std::vector<Wake> woken;
  {
    const std::lock_guard lock(mutex_);
    take_locked(ticket, woken);
  }
  for (Wake& step : woken) step();
}

void Arrivals::watch(log::PartitionId partition, Offset visible) {
  log_.when_visible(partition, visible, [weak = weak_from_this(), partition] {
    if (const auto self = weak.lock()) self->arrived(partition);
  });
}

void Arrivals::arrived(log::PartitionId partition) {
  std::vector<Wake> woken;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(partition);
    if (found == watched_.end()) return;
    found->second.registered = false;
    const std::set<std::uint64_t> tickets = found->second.tickets;
    if (tickets.empty()) watched_.erase(found);
    for (const std::uint64_t ticket : tickets) take_locked(ticket, woken);
  }
  for (Wake& wake : woken) wake();
}

// A timer that fires too early does nothing but set the next one.
void Arrivals::arm_locked() {
  if (deadlines_.empty() || stopped_) return;
  const Nanos next = deadlines_.begin()->first;
  if (armed_ && *armed_ <= next) return;
  armed_ = next;
  const Nanos left = std::max(next - clock_.monotonic(), Nanos(0));
  executor_.post_after(std::chrono::ceil<Millis>(left), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
}

void Arrivals::tick() {
  std::vector<Wake> woken;
  {
    const std::lock_guard lock(mutex_);
    armed_.reset();
    const Nanos now = clock_.monotonic();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now)
      take_locked(deadlines_.begin()->second, woken);
    arm_locked();
  }
  for (Wake& wake : woken) wake();
}

void Arrivals::stop() {
  std::vector<Wake> woken;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (auto& [ticket, waiting] : waiting_) woken.push_back(std::move(waiting.wake));
    waiting_.clear();
    deadlines_.clear();
    watched_.clear();
  }
  for (Wake& wake : woken) wake();
}

}  // namespace adbrook::broker
