// The main job as a topology: impressions and clicks in, every event with one outcome, joined
// clicks, summaries and cells out. The rules are in docs/click-join.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ads/click_views.h"
#include "ads/live_tap.h"
#include "base/settings.h"
#include "stream/topology.h"

namespace adbrook::ads {

// The group that owns the tasks: their changelog, positions and checkpoints go by this name.
inline constexpr std::string_view kClickGroup = "click-through";

inline constexpr std::string_view kAttributedClicksTopic = "attributed-clicks";
inline constexpr std::string_view kImpressionSummariesTopic = "impression-summaries";
inline constexpr std::string_view kClickOutcomesTopic = "click-outcomes";
inline constexpr std::string_view kImpressionOutcomesTopic = "impression-outcomes";
inline constexpr std::string_view kDeadLettersTopic = "dead-letters";
// Internal: events that a foreign producer placed in another partition, and clicks on their way to
// their impression.
inline constexpr std::string_view kPlacedImpressionsTopic = "impressions-placed";
inline constexpr std::string_view kPlacedClicksTopic = "clicks-placed";
inline constexpr std::string_view kLinkedClicksTopic = "clicks-by-impression";

struct ClickJoinOptions {
  Millis horizon = std::chrono::hours(24);
  Millis within = std::chrono::minutes(30);
  Millis grace = std::chrono::minutes(1);
  Millis skew = std::chrono::seconds(2);

  template <class O = ClickJoinOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, Millis>{"dedupe.horizon.ms", &O::horizon, std::chrono::minutes(1),
                           std::chrono::hours(24 * 31),
                           "How long an id is known; longer costs about 45 bytes per event."},
        Setting<O, Millis>{"join.within.ms", &O::within, std::chrono::seconds(1),
                           std::chrono::hours(24 * 7),
                           "How long after its impression a click counts; longer costs memory per "
                           "open impression."},
        Setting<O, Millis>{
            "join.grace.ms", &O::grace, Millis(0), std::chrono::hours(1),
            "How long a window stays open for stragglers; longer delays final numbers."},
        Setting<O, Millis>{
            "join.skew.ms", &O::skew, Millis(0), std::chrono::minutes(5),
            "How far a click may seem to be before its impression, by clocks that differ."},
    };
  }
};

// Builds it into `topology`, once. `live`, where there is one, gets what the task decides; it is
// the task's from then on, and outlives it.
void define_click_topology(stream::Topology& topology, const ClickJoinOptions& join,
                           const ViewOptions& views, LiveTap* live = nullptr);

// The topics that a task reads, by the index that stream::Arrival::input speaks of.
std::vector<std::string> click_input_topics();

}  // namespace adbrook::ads
