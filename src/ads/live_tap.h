// What a task decides right now, for people who watch: what was spent, and a bounded sample of
// events with their outcomes. The task fills it, questions to the task empty it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ads/event.h"
#include "stream/outcomes.h"

namespace adbrook::ads {

// One event of the sample. Texts are cut to kLiveTextMax bytes.
struct LiveEvent {
  Uuid id;
  EventKind kind{};
  stream::Outcome outcome{};
  std::string reason;  // empty = none
  Timestamp timestamp;
  std::int64_t campaign_id = 0;
  std::int64_t publisher_id = 0;
  std::string country;
  std::string city;
  std::optional<double> latitude;
  std::optional<double> longitude;
};
inline constexpr std::size_t kLiveTextMax = 80;

// Each class has a sample of its own, so that rare clicks are not drowned by impressions.
enum class LiveClass : std::uint8_t { counted, joined, unlinked, turned_away };
inline constexpr std::size_t kLiveClassCount = 4;
// Of one task, between two questions.
inline constexpr std::array<std::size_t, kLiveClassCount> kLiveSampleMax = {8, 6, 3, 3};

constexpr LiveClass live_class(stream::Outcome outcome) {
  switch (outcome) {
    case stream::Outcome::counted: return LiveClass::counted;
    case stream::Outcome::joined: return LiveClass::joined;
    case stream::Outcome::unlinked: return LiveClass::unlinked;
    default: return LiveClass::turned_away;
  }
}

// Owned by one thread (the task's): filled by its operators, read inside questions.
class LiveTap {
 public:
  // Money by currency since the process started.
  struct Spend {
    std::string currency;
    std::int64_t micros = 0;
  };
  // More currencies than this are not shown; reports have them all.
  static constexpr std::size_t kCurrencyCountMax = 16;

  struct Sample {
    std::vector<LiveEvent> events;
    std::array<std::uint64_t, kLiveClassCount> seen{};  // how many there were of each class
  };

  void spend(std::string_view currency, std::int64_t micros);

  // Nearly free while nobody watches. Within a class every event has the same chance.
  template <class Event>
  void add(const Event& event, stream::Outcome outcome, std::string_view reason = {}) {
    if (!watched_) return;
    const auto kind = static_cast<std::size_t>(live_class(outcome));
    const std::uint64_t number = ++sample_.seen[kind];
    if (number <= kLiveSampleMax[kind])
      return kept_[kind].push_back(to_live(event, outcome, reason));
    const std::uint64_t place = draw() % number;
    if (place < kLiveSampleMax[kind]) kept_[kind][place] = to_live(event, outcome, reason);
  }

  // What was gathered since the last call; from now on events are gathered only if `watched`.
  Sample take(bool watched);
  const std::vector<Spend>& spends() const { return spends_; }

 private:
  template <class Event>
  static LiveEvent to_live(const Event& event, stream::Outcome outcome, std::string_view reason) {
    constexpr bool is_click = requires { event.impression_id; };
    return {.id = event.id,
            .kind = is_click ? EventKind::click : EventKind::impression,
            .outcome = outcome,
            .reason = std::string(reason),
            .timestamp = event.timestamp,
            .campaign_id = event.campaign_id,
            .publisher_id = event.publisher_id,
            .country = std::string(event.country.substr(0, kLiveTextMax)),
            .city = std::string(event.city.substr(0, kLiveTextMax)),
            .latitude = event.latitude,
            .longitude = event.longitude};
  }
  // Which events are shown decides nothing, so any cheap sequence will do.
  std::uint64_t draw() {
    draws_ = draws_ * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
    return draws_ >> 16;  // the lowest bits of such a sequence repeat soon
  }

  bool watched_ = false;
  std::uint64_t draws_ = 1;
  Sample sample_;
  std::array<std::vector<LiveEvent>, kLiveClassCount> kept_;
  std::vector<Spend> spends_;
};

}  // namespace adbrook::ads
